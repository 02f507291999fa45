"""A scripted model from a JSON file: the setting `scripted:<path>`, for tests, demos and benches.

The file holds what `ScriptedEngine` takes, by the same names: {"script": {"def f(": "x)"},
"first_piece_delay_ms": 20}. Such a model is used only where a setting names it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lsp_server.engine.scripted import ScriptedEngine
from lsp_server.errors import ModelDamagedError, ModelMissingError

PREFIX = "scripted:"

_NUMBERS = ("first_piece_delay_ms", "piece_delay_ms", "piece_chars")
_STRINGS = ("name", "family", "corpus_digest", "state")


def open_script(setting: str) -> ScriptedEngine:
    """The engine that the setting `scripted:<path>` names.

    Raises:
        ModelMissingError: there is no such file.
        ModelDamagedError: it is no JSON object of that form.
    """
    path = Path(setting.removeprefix(PREFIX)).expanduser()
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelMissingError(f"cannot read the script {path}: {error.strerror}") from error
    except ValueError as error:
        raise ModelDamagedError(f"the script {path} is no JSON: {error}") from error
    return ScriptedEngine(**_checked(raw, path))


def _checked(raw: Any, path: Path) -> dict[str, Any]:
    if not isinstance(raw, dict) or not _is_script(raw.get("script")):
        raise ModelDamagedError(f'the script {path} needs "script", an object of strings')
    for key, value in raw.items():
        fits = (
            key == "script"
            or (key in _NUMBERS and type(value) in {int, float})
            or (key in _STRINGS and isinstance(value, str))
        )
        if not fits:
            known = ", ".join(("script", *_NUMBERS, *_STRINGS))
            raise ModelDamagedError(f"the script {path} holds {key}={value!r}; known are {known}")
    return raw


def _is_script(raw: object) -> bool:
    return isinstance(raw, dict) and all(isinstance(value, str) for value in raw.values())
