"""`python3 -m workbench <command>`: what the Makefile calls, from the folder `vscode-ext`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench import cpu_torch, system, tools
from workbench.paths import ROOT, VENV
from workbench.step import StepFailedError, fail, run_step


def main() -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="workbench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    venv = commands.add_parser("venv", help="make a virtual environment with pip in it")
    venv.add_argument("folder", type=Path)
    commands.add_parser("openmp", help="make sure that llama.cpp finds an OpenMP runtime")
    commands.add_parser("torch", help="install the CPU build of torch")
    commands.add_parser("node", help="install the pinned Node into .tools")
    commands.add_parser("code-server", help="install the pinned code-server into .tools")
    commands.add_parser("browser", help="make sure that there is a Chromium")
    show = commands.add_parser("demo", help="open the demo workspace in a browser's VS Code")
    show.add_argument("--port", type=int, default=8765)
    step = commands.add_parser("step", help="run a command with a clock and a log")
    step.add_argument("name")
    step.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    arguments = parser.parse_args()
    try:
        _run(arguments)
    except StepFailedError as error:
        return fail(error)
    except KeyboardInterrupt:
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    match arguments.command:
        case "venv":
            system.make_venv(ROOT / arguments.folder)
        case "openmp":
            system.ensure_openmp(VENV / "bin" / "python")
        case "torch":
            cpu_torch.install_torch(VENV / "bin" / "python")
        case "node":
            tools.install_node()
        case "code-server":
            tools.install_code_server()
        case "browser":
            system.ensure_browser()
        case "demo":
            from workbench import demo  # noqa: PLC0415 (needs what the steps before it install)

            demo.main(first_port=arguments.port)
        case "step":
            argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
            run_step(arguments.name, argv, env=tools.node_environment())


if __name__ == "__main__":
    sys.exit(main())
