"""What a person sees in VS Code: ghost text, marks, hovers, sources and the status bar."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from workbench.code_server import CodeServer
from workbench.editor import Editor
from workbench.excerpt import Excerpt, excerpts_from_index
from workbench.paths import EXTENSION, INDEX

from indexer import Index

OpenFile = Callable[[str, str], Editor]  # name and text → a tab that shows it

pytestmark = pytest.mark.e2e

# "ret" occurs nowhere in it, so that the copy lane has nothing to say and the model must.
ADD = '''def add(left: int, right: int) -> int:
    """The sum of two numbers."""
'''
# It ends in a name: if its last lexeme were that before the known function in its source, the match
# would rightly begin with that lexeme, lines earlier.
OWN_CODE = '''"""Code that nobody else has."""


def zebra_quota(herd: dict[str, int], stripes: int) -> int:
    """How many more zebras the paddock takes."""
    crowded = max(herd.values(), default=0) * stripes
    return stripes**2 - crowded % stripes
'''


@pytest.fixture(scope="module")
def known() -> Excerpt:
    """A function that exactly one document of the default index holds."""
    excerpt = excerpts_from_index(INDEX, {"toolz/itertoolz.py": "sliding_window"})[0]
    with Index.open(INDEX) as index:
        ids = range(index.manifest.n_documents)
        holders = [document_id for document_id in ids if excerpt.text in index.text(document_id)]
    assert holders == [excerpt.document_id]
    return excerpt


def test_accepted_ghost_text_reaches_the_disk(workbench: CodeServer, open_file: OpenFile) -> None:
    """Typing shows a completion of the model, Tab takes it, and the saved file holds it."""
    editor = open_file("add.py", ADD)
    editor.press("Control+End")
    editor.type("    ret")
    ghost = editor.ghost_text()
    editor.shot("ghost-text")
    editor.press("Tab")
    editor.save()
    saved = (workbench.workspace / "add.py").read_text(encoding="utf-8")

    assert saved.startswith(f"{ADD}    ret{ghost.splitlines()[0]}")
    assert ghost.strip()


def test_pasted_code_is_marked_and_its_source_opens_beside(
    open_file: OpenFile, known: Excerpt
) -> None:
    """Code from the index gets a mark, a hover that says whose it is, and its source beside."""
    editor = open_file("pasted.py", OWN_CODE)
    editor.press("Control+End")
    editor.paste(f"\n# Found somewhere:\n{known.text}")
    editor.status("1 match")
    editor.marks().first.wait_for()
    editor.shot("mark")

    hover = editor.hover("sliding_window")
    for fact in (
        f"{known.origin.name} {known.origin.version}",
        known.origin.path,
        f"lines {known.start_line + 1}–{known.end_line}",  # noqa: RUF001
        f"Licence {known.origin.spdx_id}",
        "E1, verbatim",
    ):
        expect(hover).to_contain_text(fact)
    editor.shot("hover")

    hover.get_by_text("Open source beside").click()
    first_line = editor.source_line(known.start_line + 1)
    editor.press("Control+b")  # the file tree goes, the two texts have more room
    editor.hover("sliding_window")
    shot = editor.shot("source-beside")
    if os.environ.get("UPDATE_SCREENSHOT"):
        shutil.copyfile(shot, EXTENSION / "media" / "screenshot.png")

    assert first_line == known.text.splitlines()[0]


def test_what_the_policy_blocks_is_a_problem_until_it_is_allowed(
    workbench: CodeServer, open_file: OpenFile, known: Excerpt
) -> None:
    """A blocked licence is underlined as an error, with its reason, until the policy changes."""
    policy = workbench.workspace / "guarded" / "starcite.toml"
    policy.parent.mkdir()
    policy.write_text(f'[policy]\nblock = ["{known.origin.spdx_id}"]\n', "utf-8")
    editor = open_file("guarded/pasted.py", known.text)
    editor.marks().first.wait_for()
    error = editor.page.locator(".squiggly-error")
    error.first.wait_for()
    hover = editor.hover("sliding_window")
    expect(hover).to_contain_text(f"The policy blocks this: {known.origin.spdx_id}: block")
    expect(hover).to_contain_text("The policy of this repository: block")
    editor.shot("policy")
    policy.write_text(f'[policy]\nallow = ["{known.origin.spdx_id}"]\n', "utf-8")

    expect(error).to_have_count(0)
    assert editor.marks().count() > 0


def test_code_of_ones_own_is_not_marked(open_file: OpenFile) -> None:
    """Code that no indexed file holds gets no mark, and tracing it says that nothing was found."""
    editor = open_file("own.py", OWN_CODE)
    editor.run_command("Starcite: Trace File")
    expect(editor.notification()).to_contain_text("found no match for this file in the index")
    editor.shot("no-match")

    assert editor.marks().count() == 0


def test_a_selection_is_traced_to_its_lines(open_file: OpenFile, known: Excerpt) -> None:
    """Tracing a selection lists the source with its lines and opens the one that is chosen."""
    editor = open_file("selected.py", known.text)
    editor.status("1 match")
    editor.press("Control+a")
    editor.run_command("Starcite: Trace Selection")
    row = editor.choice(known.origin.path)
    expect(row).to_contain_text(f"{known.origin.name} {known.origin.version}")
    expect(row).to_contain_text(f":{known.start_line + 1}–{known.end_line}")  # noqa: RUF001
    editor.shot("trace-selection")
    row.click()

    assert editor.source_line(known.start_line + 1) == known.text.splitlines()[0]
