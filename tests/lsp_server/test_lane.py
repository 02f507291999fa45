"""Lanes as an evaluation asks them."""

from __future__ import annotations

import pytest

from lsp_server.complete import CompletionOptions
from lsp_server.engine import ScriptedEngine
from lsp_server.errors import ModelError
from lsp_server.lane import Lane, open_lane


def test_the_copy_lane_answers_without_a_model() -> None:
    """It writes on what stands above, one line or more."""
    lane = open_lane("copy")
    try:
        above = "def area(width, height):\n    return width * height\n\n\ndef area("
        assert lane.complete(above, "\n", one_line=True) == "width, height):"
    finally:
        lane.close()


async def test_a_model_lane_asks_its_model_and_no_copy() -> None:
    """What the engine writes at the cursor is the answer, though the file holds a copy."""
    engine = ScriptedEngine({"value = ": "load(path)\nmore"})
    lane = Lane("scripted", engine, CompletionOptions(copy_lane=False))

    assert await lane.answer("value = 1\nvalue = ", "\n", one_line=True) == "load(path)"
    assert await lane.answer("value = 2\nvalue = ", "\n", one_line=True) == "load(path)"
    assert engine.finished + engine.cancelled == 2  # no answer came from a cache
    await lane.close()


def test_a_model_that_is_not_there_is_an_error(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names it and says what to run."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))

    with pytest.raises(ModelError, match="no-such-model"):
        open_lane("no-such-model")
