"""What a model folder says of itself: `config.json`, `tokenizer.json` and names of weight files.

Only facts are read here, no weights; `gguf` does the same for GGUF files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.errors import ModelDamagedError

MAX_CONTEXT = 8192  # tokens: what the StarCoder family was trained at
_CONTEXT_KEYS = ("n_positions", "max_position_embeddings", "n_ctx")


@dataclass(frozen=True, kw_only=True)
class FolderFacts:
    """A model folder that `transformers` may be able to load."""

    weights: Path  # the first file of them
    architecture: str  # transformers' model_type
    special_tokens: frozenset[str]
    context_length: int  # tokens
    corpus_digest: str  # of the corpus that it was trained on, where it says so; else ""


def read_folder(folder: Path) -> FolderFacts:
    """Read a folder with `config.json`, `*.safetensors` and `tokenizer.json`.

    Raises:
        ModelDamagedError: one of them is missing or cannot be read.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelDamagedError(
            f"{folder} holds no *.safetensors; give a folder that transformers or "
            "`starcite train` has written"
        )
    config = _table(folder / "config.json")
    lengths = [config[key] for key in _CONTEXT_KEYS if _is_length(config.get(key))]
    return FolderFacts(
        weights=weights[0],
        architecture=str(config.get("model_type", "unknown")),
        special_tokens=_special_tokens(folder / "tokenizer.json"),
        context_length=min([MAX_CONTEXT, *lengths[:1], *_trained_lengths(folder)]),
        corpus_digest=_corpus_digest(folder),
    )


def model_files(folder: Path) -> list[Path]:
    """The files that decide what a folder for `transformers` answers: weights, shape, tokenizer."""
    return sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")])


def _special_tokens(path: Path) -> frozenset[str]:
    added = _table(path).get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(one, dict) for one in added):
        raise ModelDamagedError(f"{path}: added_tokens is no list of tables; use another copy")
    return frozenset(str(one.get("content", "")) for one in added)


def _trained_lengths(folder: Path) -> list[int]:
    """The block size that a model of ours was trained at; positions past it are untrained."""
    value: Any = _own_manifest(folder)
    for key in ("recipe", "data", "block_size"):
        value = value.get(key) if isinstance(value, dict) else None
    return [value] if _is_length(value) else []


def _corpus_digest(folder: Path) -> str:
    digest = _own_manifest(folder).get("corpus_digest", "")
    return digest if isinstance(digest, str) else ""


def _own_manifest(folder: Path) -> dict[str, Any]:
    """What `starcite train` has written beside the weights; empty for models of others."""
    path = folder / "manifest.json"
    return _table(path) if path.is_file() else {}


def _table(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_bytes())
    except OSError as error:
        raise ModelDamagedError(
            f"{path} cannot be read: {error.strerror}; give the folder of a whole model"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelDamagedError(f"{path} is no JSON: {error}; use another copy") from error
    if not isinstance(table, dict):
        raise ModelDamagedError(f"{path} holds no table; use another copy")
    return table


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
