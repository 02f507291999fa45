"""One editor window's session in process: interleavings that no editor would try twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.documents import Document, Edit
from lsp_server.engine.scripted import ScriptedEngine
from lsp_server.session import Session

URI = "file:///a.py"
Script = Callable[..., dict[str, Any]]


class Editor:
    """A session and what it has told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.warned: list[str] = []
        self.heard = asyncio.Event()
        self.session = Session(notify=self._hear, warn=self.warned.append)

    async def until(self, fits: Callable[[str, Any], bool]) -> Any:
        async with asyncio.timeout(30):
            while not (found := [params for name, params in self.told if fits(name, params)]):
                self.heard.clear()
                await self.heard.wait()
        return found[0]

    async def until_ready(self) -> None:
        await self.until(
            lambda name, params: name == "starcite/status" and params["model"]["state"] == "ready"
        )

    def _hear(self, method: str, params: Any) -> None:
        self.told.append((method, params))
        self.heard.set()


@pytest.fixture
async def editor(tmp_path: Path) -> AsyncIterator[Editor]:
    editor = Editor()
    yield editor
    await editor.session.close()


def opened(text: str, uri: str = URI) -> Document:
    return Document(uri=uri, language_id="python", version=1, text=text)


def at(line: int, character: int) -> Any:
    return {"line": line, "character": character}


async def test_10_000_interleavings_leave_equal_text_and_no_request_unanswered(
    editor: Editor, script: Script, tmp_path: Path
) -> None:
    """Edits, requests and cancellations in any order: the text is the editor's, each task ends."""
    chosen = random.Random(3)  # noqa: S311 - chance, not secrecy
    no_index = {"index": str(tmp_path / "none")}
    editor.session.configure({**script({"a": "b)", "b": "c"}), "attribution": no_index})
    await editor.until_ready()
    mirror = ["", ""]
    uris = ["file:///0.py", "file:///1.py"]
    for uri in uris:
        editor.session.open(opened("", uri))
    tasks: list[asyncio.Task[Any]] = []
    for version in range(2, 10_002):
        which, action = chosen.randrange(2), chosen.random()
        text = mirror[which]
        if action < 0.5:
            place = chosen.randint(0, len(text))
            letter = chosen.choice("ab(\n")
            mirror[which] = text = text[:place] + letter + text[place:]
            line, column = text[:place].count("\n"), place - text.rfind("\n", 0, place) - 1
            edit = Edit(
                start_line=line,
                start_character=column,
                end_line=line,
                end_character=column,
                text=letter,
            )
            editor.session.change(uris[which], [edit], version)
        elif action < 0.55:
            mirror[which] = ""
            editor.session.change(uris[which], [""], version)
        elif action < 0.85:
            work = editor.session.complete(uris[which], at(0, 3), invoked=action < 0.7)
            tasks.append(asyncio.create_task(work))
        elif tasks:
            chosen.choice(tasks).cancel()
        if chosen.random() < 0.3:
            await asyncio.sleep(0)
    answers = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=60)

    assert [editor.session.documents.get(uri).text for uri in uris] == mirror  # type: ignore[union-attr]
    assert all(isinstance(one, list | asyncio.CancelledError) for one in answers)
    assert any(isinstance(one, list) and one for one in answers)


async def test_an_answer_is_for_the_text_that_is_there(editor: Editor, script: Script) -> None:
    """A request that was overtaken by an edit answers with nothing."""
    editor.session.configure(script({"f(": "x)"}, first_piece_delay_ms=50))
    await editor.until_ready()
    editor.session.open(opened("f("))
    asked = asyncio.create_task(editor.session.complete(URI, at(0, 2), invoked=True))
    await asyncio.sleep(0)
    editor.session.change(URI, ["g("], 2)

    assert await asked == []


async def test_the_model_reads_ahead_where_the_cursor_rests(editor: Editor, script: Script) -> None:
    """Opening a file warms the model at its end, a resting cursor at the cursor."""
    editor.session.configure(script({}))
    await editor.until_ready()
    engine = editor.session._model._engine
    assert isinstance(engine, ScriptedEngine)
    editor.session.open(opened("first = 1\nsecond = 2\n"))
    await engine.wait_for(warmed=1)
    editor.session.rest({"textDocument": {"uri": URI}, "position": at(1, 4)})
    await engine.wait_for(warmed=2)
    editor.session.rest({"textDocument": {"uri": "file:///unknown.py"}, "position": at(0, 0)})

    prompts = [one.prompt.rstrip() for one in engine.read_ahead]  # less the piece to be healed
    assert prompts == ["first = 1\nsecond = 2", "first = 1"]


async def test_nothing_is_told_after_closing(editor: Editor, script: Script) -> None:
    """A closed session is silent, since nobody may be left to listen."""
    editor.session.configure(script({"f(": "x)"}))
    await editor.until_ready()
    editor.session.open(opened("f("))
    await editor.session.close()
    n_told = len(editor.told)
    editor.session.configure({"attribution": {"enabled": False}})  # would be told at once
    await editor.session.close()

    assert editor.told[n_told:] == []


async def test_the_same_mistake_is_said_once(editor: Editor) -> None:
    """Editors send the settings again and again; the user need not read it every time."""
    off = {"completion": {"enabled": False}, "attribution": {"enabled": False}}
    for _ in range(3):
        editor.session.configure({**off, "colour": "red"})
    editor.session.configure(off)
    editor.session.configure({**off, "color": "red"})

    assert [message.split(" ")[0] for message in editor.warned] == [
        "starcite.colour",
        "starcite.color",
    ]
