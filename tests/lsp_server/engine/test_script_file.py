"""The scripted model that a setting names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.engine import GenerateRequest
from lsp_server.engine.script_file import open_script
from lsp_server.errors import ModelDamagedError, ModelMissingError


async def test_a_script_answers_as_written(tmp_path: Path) -> None:
    """The file's facts become the engine's, by the same names."""
    path = tmp_path / "a script.json"
    path.write_text(json.dumps({"script": {"f(": "x, y)"}, "name": "told", "piece_chars": 2}))
    engine = open_script(f"scripted:{path}")
    pieces = [piece async for piece in engine.generate(GenerateRequest(document="", prompt="f("))]

    assert (engine.name, pieces) == ("told", ["x,", " y", ")"])


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(ModelMissingError, match=r"nothing\.json"):
        open_script(f"scripted:{tmp_path}/nothing.json")


@pytest.mark.parametrize(
    "text",
    [
        "{]",
        "[]",
        "{}",
        '{"script": {"a": 1}}',
        '{"script": {}, "speed": 1}',
        '{"script": {}, "piece_chars": "4"}',
    ],
)
def test_a_bad_script_is_refused(tmp_path: Path, text: str) -> None:
    """What is no script, or holds what no script knows, is refused by the file's name."""
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ModelDamagedError, match=r"bad\.json"):
        open_script(f"scripted:{path}")
