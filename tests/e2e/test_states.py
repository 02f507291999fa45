"""What the status bar says when something is missing, and what a person is told to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from workbench.code_server import CodeServer
from workbench.editor import FIRST_LOAD_MS, Editor
from workbench.paths import STARCITE

pytestmark = pytest.mark.e2e

StartWorkbench = Callable[[list[str], dict[str, object]], CodeServer]


def test_a_server_that_cannot_be_started_is_an_error_with_a_next_step(
    start_workbench: StartWorkbench, new_editor: Callable[[], Editor], tmp_path: Path
) -> None:
    """A wrong server command ends in the error state and a message that names it."""
    missing = tmp_path / "no-such-starcite"
    workbench = start_workbench([str(missing), "lsp", "--stdio"], {})
    file = workbench.workspace / "any.py"
    file.write_text("x = 1\n")
    editor = new_editor()
    editor.open(workbench.address_of(file), file)
    editor.status("Starcite: error", timeout_ms=FIRST_LOAD_MS)
    editor.shot("server-not-found")

    message = editor.notification()
    expect(message).to_contain_text(f"{missing} is not a program")
    expect(message).to_contain_text("Next step")


def test_without_an_index_it_says_that_it_could_not_look(
    start_workbench: StartWorkbench, new_editor: Callable[[], Editor], tmp_path: Path
) -> None:
    """A missing index shows in the status bar, and a trace is a warning and not "no match"."""
    settings: dict[str, object] = {"starcite.attribution.index": str(tmp_path / "no-such-index")}
    workbench = start_workbench([str(STARCITE), "lsp", "--stdio"], settings)
    file = workbench.workspace / "any.py"
    file.write_text("x = 1\n")
    editor = new_editor()
    editor.open(workbench.address_of(file), file)
    editor.status("Starcite: no index", timeout_ms=FIRST_LOAD_MS)
    editor.run_command("Starcite: Trace File")
    expect(editor.notification()).to_contain_text("could not look")
    editor.shot("no-index")
