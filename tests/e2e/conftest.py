"""A code-server with our extension, a Chromium, and a tab for each test. Nothing is pretended:
the model is the real one and the index is the default one, as `make test` fetches and builds them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from workbench.code_server import CodeServer, free_port
from workbench.editor import BROWSER_FLAGS, FIRST_LOAD_MS, Editor
from workbench.paths import ARTIFACTS, NODE, STARCITE, VSIX
from workbench.profile import make_profile
from workbench.system import find_browser

SHOTS = ARTIFACTS / "e2e"
FAILED = pytest.StashKey[bool]()
RUNNING = re.compile(r"Starcite: (ready|\d+ match)")
TEST_SETTINGS: dict[str, object] = {
    "window.restoreWindows": "none",
    "files.hotExit": "off",
    "files.autoSave": "off",  # in a browser the default is after a second
    "editor.hover.delay": 100,
    "editor.cursorBlinking": "solid",
    "workbench.reduceMotion": "on",
}

StartWorkbench = Callable[[list[str], dict[str, object]], CodeServer]
OpenFile = Callable[[str, str], Editor]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember a failure, so that the fixtures below keep what explains it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def shots() -> Path:
    """The folder of screenshots and logs, emptied once a run."""
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    return SHOTS


# Playwright's loop runs while the browser is open, and pytest-asyncio cannot start another one
# beside it: hence a browser for each module and not one for the session.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    executable = find_browser()
    assert executable is not None, "no chromium on PATH. Next: make test, or apt install chromium"
    # The Node that playwright brings needs libatomic, which a bare Debian lacks; ours does not.
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(NODE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=[*BROWSER_FLAGS])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def start_workbench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shots: Path
) -> Iterator[StartWorkbench]:
    """Start a code-server with a fresh profile, this server command and these settings."""
    with ExitStack() as running:

        def start(server_command: list[str], settings: dict[str, object]) -> CodeServer:
            folder = tmp_path_factory.mktemp("code server")  # the space is meant
            workspace = folder / "workspace"
            workspace.mkdir()
            profile = make_profile(
                folder / "profile",
                vsix=VSIX,
                server_command=server_command,
                settings=TEST_SETTINGS | settings,
            )
            log = shots / f"{request.module.__name__}-code-server-{folder.name[-1]}.log"
            server = CodeServer(profile, workspace, port=free_port(), log=log)
            return running.enter_context(server)

        yield start


@pytest.fixture(scope="module")
def workbench(
    request: pytest.FixtureRequest, start_workbench: StartWorkbench, shots: Path
) -> CodeServer:
    """A code-server whose extension starts the language server of this checkout."""
    log = shots / f"{request.module.__name__}-language-server.log"
    keep_stderr = 'exec "$0" lsp --stdio 2>>"$1"'
    return start_workbench(["/bin/sh", "-c", keep_stderr, str(STARCITE), str(log)], {})


@pytest.fixture
def new_editor(
    request: pytest.FixtureRequest, browser: Browser, shots: Path
) -> Iterator[Callable[[], Editor]]:
    """Open a tab that is closed with the test; a failure leaves a last screenshot."""
    opened: list[Editor] = []

    def new() -> Editor:
        editor = Editor(browser, name=request.node.name.removeprefix("test_"), shots=shots)
        opened.append(editor)
        return editor

    yield new
    for editor in opened:
        if request.node.stash.get(FAILED, False):
            editor.shot("failed")
        editor.close()


@pytest.fixture
def open_file(workbench: CodeServer, new_editor: Callable[[], Editor]) -> OpenFile:
    """Write a file into the workspace and open it in a tab of its own, ready to type in."""

    def open_it(name: str, text: str) -> Editor:
        file = workbench.workspace / name
        file.write_text(text, encoding="utf-8")
        editor = new_editor()
        editor.open(workbench.address_of(file), file)
        editor.status(RUNNING, timeout_ms=FIRST_LOAD_MS)
        return editor

    return open_it
