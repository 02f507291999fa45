"""`make demo`: the demo workspace in a VS Code in the browser, until Ctrl-C."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from types import FrameType

from workbench.code_server import CodeServer, free_port
from workbench.excerpt import excerpts_from_index
from workbench.paths import DATA_HOME, DEMO_FILES, INDEX, LOGS, STARCITE, VSIX
from workbench.profile import make_profile
from workbench.step import clock, say

WORKSPACE = DATA_HOME / "demo-workspace"
TYPE_HERE = "basket.py"
KNOWN_CODE = "known.py"
# What goes into KNOWN_CODE, as far as the index holds it.
WANTED = {"heapq.py": "merge", "textwrap.py": "dedent"}


def main(*, first_port: int) -> None:
    """Start the demo, say what to try, and run until Ctrl-C.

    Raises:
        StepFailedError: Something that `make demo` sets up is missing or damaged.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    fill_workspace(WORKSPACE)
    port = free_port(first_port)
    if port != first_port:
        say(f"port {first_port} is in use, so it is {port} (to choose: make demo PORT=...)")
    # Made anew each time: half of a profile from an aborted run behaves in odd ways.
    profile = make_profile(
        DATA_HOME / f"demo-profile-{port}",
        vsix=VSIX,
        server_command=[str(STARCITE), "lsp", "--stdio"],
        settings={"workbench.startupEditor": "readme"},
    )
    LOGS.mkdir(parents=True, exist_ok=True)
    with CodeServer(profile, WORKSPACE, port=port, log=LOGS / "code-server.log") as server:
        print(_what_to_try(server), flush=True)
        server.wait()


def fill_workspace(folder: Path) -> None:
    """Put the demo's files into `folder`; what is there already is the user's and stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(DEMO_FILES.iterdir()):
        if file.is_file() and not (folder / file.name).exists():
            shutil.copyfile(file, folder / file.name)
    known = folder / KNOWN_CODE
    if not known.exists():
        excerpts = excerpts_from_index(INDEX, WANTED)
        parts = [f"{excerpt.note}\n\n{excerpt.text}" for excerpt in excerpts]
        known.write_text("\n\n".join(parts), encoding="utf-8")


def _what_to_try(server: CodeServer) -> str:
    return f"""
Ready after {clock().strip()}. Open

    {server.address}/

  1. {TYPE_HERE}: go to the end and type "    return max(". Grey text appears; Tab takes it.
  2. {KNOWN_CODE}: its code is someone else's and is marked. Hover over it: package, path, lines,
     licence, and a link that opens the source beside it.
  3. Paste a function from any module of Python's standard library; or select some code and
     run "Starcite: Trace Selection" (F1).

Only this machine can reach it. Ctrl-C stops it.
"""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
