"""What a client asks, read from its JSON; each reader says by name what it refuses, and why."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from attribution.config import ServiceConfig
from attribution.errors import QueryRefusedError
from indexer.store.fingerprints import View

SearchView = Literal["bm25", "dense", "hybrid"]
MAX_NAME_CHARS = 512
MAX_TOP_K = 100
MAX_FINGERPRINTS = 1024  # each may bring 512 postings
MAX_U32 = 2**32 - 1
_MAX_DIGITS = 10  # of it
_NO_VALUE: Any = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceAsked:
    """A text to trace."""

    text: str
    language: str
    path: str  # what the client calls it; given back with the answer
    wants_leads: bool
    wants_proof: bool  # that nothing is shared, where nothing is found


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchAsked:
    """Words to search for."""

    text: str
    view: SearchView
    top_k: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LookupAsked:
    """Fingerprints of a text that stays where it is."""

    fingerprints: NDArray[np.uint32]
    view: View


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentAsked:
    """A stored text, or some of its lines; lines are 0-based, half-open."""

    document_id: int
    sha256: str  # what the document must have; empty: any
    start_line: int
    end_line: int | None
    wants_frequencies: bool


def read_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a request's body.

    Raises:
        QueryRefusedError: it is none.
    """
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise QueryRefusedError(f"the body is no JSON: {type(error).__name__}") from None
    if not isinstance(record, dict):
        raise QueryRefusedError('the body is no JSON object; send {"text": "…"}')
    return record


def read_trace(record: Mapping[str, Any]) -> TraceAsked:
    """What `POST /v1/trace` asks. Raises QueryRefusedError, as all readers here do."""
    _only(record, ("text", "language", "path", "leads", "absence"))
    return TraceAsked(
        text=_string(record, "text"),
        language=_string(record, "language", "python", limit=MAX_NAME_CHARS),
        path=_string(record, "path", "", limit=MAX_NAME_CHARS),
        wants_leads=_boolean(record, "leads"),
        wants_proof=_boolean(record, "absence"),
    )


def read_text(record: Mapping[str, Any]) -> str:
    """What `POST /v1/membership` asks."""
    _only(record, ("text",))
    return _string(record, "text")


def read_overlap(record: Mapping[str, Any]) -> str:
    """What `POST /overlap` asks; clients of Data Portraits may send further fields."""
    return _string(record, "document")


def read_search(record: Mapping[str, Any]) -> SearchAsked:
    """What `POST /v1/search` asks."""
    _only(record, ("text", "view", "top_k"))
    return SearchAsked(
        text=_string(record, "text"),
        view=_choice(record, "view", get_args(SearchView)),
        top_k=_whole(record, "top_k", 10, low=1, high=MAX_TOP_K),
    )


def read_lookup(record: Mapping[str, Any]) -> LookupAsked:
    """What `POST /v1/lookup` asks."""
    _only(record, ("fingerprints", "view"))
    values = record.get("fingerprints")
    if not isinstance(values, list) or not all(type(one) is int for one in values):
        raise QueryRefusedError("fingerprints is no list of whole numbers")
    if len(values) > MAX_FINGERPRINTS:
        n, limit = len(values), MAX_FINGERPRINTS
        raise QueryRefusedError(f"{n:,} fingerprints; ask for {limit:,} at a time")
    if any(not 0 <= one <= MAX_U32 for one in values):
        raise QueryRefusedError(f"a fingerprint is not between 0 and {MAX_U32}")
    return LookupAsked(
        fingerprints=np.array(values, dtype=np.uint32),
        view=_choice(record, "view", get_args(View)),
    )


def read_document(record: Mapping[str, Any]) -> DocumentAsked:
    """What `GET /v1/documents/{document_id}` asks."""
    _only(record, ("document_id", "sha256", "start_line", "end_line", "frequencies"))
    end_line = _whole(record, "end_line", -1, low=-1, high=MAX_U32)
    return DocumentAsked(
        document_id=_whole(record, "document_id", _NO_VALUE, low=0, high=MAX_U32),
        sha256=_string(record, "sha256", "", limit=64),
        start_line=_whole(record, "start_line", 0, low=0, high=MAX_U32),
        end_line=None if end_line < 0 else end_line,
        wants_frequencies=_boolean(record, "frequencies"),
    )


def read_document_query(number: str, items: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A document's number and a query string as the record that `read_document` reads."""
    record: dict[str, Any] = {"document_id": _number(number, "document_id")}
    for name, value in items:
        if name == "sha256":
            record[name] = value
        elif name in {"start_line", "end_line"}:
            record[name] = _number(value, name)
        elif name == "frequencies" and value in {"true", "false"}:
            record[name] = value == "true"
        else:
            raise QueryRefusedError(
                "ask a document for sha256, start_line, end_line and frequencies=true"
            )
    return record


def _number(value: str, name: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        raise QueryRefusedError(f"{name} is no whole number from 0 to {MAX_U32}")
    return int(value)


def read_batch(body: bytes, config: ServiceConfig) -> list[bytes]:
    """The lines of an NDJSON body, without empty ones; each is read when its turn comes.

    Raises:
        QueryRefusedError: there are none, or too many.
    """
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not lines:
        raise QueryRefusedError("the body has no lines; send one JSON object a line")
    if len(lines) > config.max_batch_lines:
        n, limit = len(lines), config.max_batch_lines
        raise QueryRefusedError(f"{n:,} lines; send {limit:,} at a time")
    return lines


def _only(record: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in record:
        if name not in known:
            close = difflib.get_close_matches(name[:MAX_NAME_CHARS], known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            raise QueryRefusedError(f"a field is not known; {hint}")


def _string(
    record: Mapping[str, Any], name: str, default: str = _NO_VALUE, *, limit: int | None = None
) -> str:
    value = _field(record, name, default)
    if not isinstance(value, str):
        raise QueryRefusedError(f"{name} is no text")
    if limit is not None and len(value) > limit:
        raise QueryRefusedError(f"{name} has {len(value):,} characters; at most {limit} are read")
    return value


def _whole(record: Mapping[str, Any], name: str, default: int, *, low: int, high: int) -> int:
    value = _field(record, name, default)
    if type(value) is not int or not low <= value <= high:
        raise QueryRefusedError(f"{name} is no whole number from {max(low, 0)} to {high}")
    return value


def _boolean(record: Mapping[str, Any], name: str) -> bool:
    value = _field(record, name, default=False)
    if not isinstance(value, bool):
        raise QueryRefusedError(f"{name} is neither true nor false")
    return value


def _choice(record: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> Any:
    """One of the choices; the first where the record does not say."""
    value = _field(record, name, choices[0])
    if value not in choices:
        raise QueryRefusedError(f"{name} is none of {', '.join(choices)}")
    return value


def _field(record: Mapping[str, Any], name: str, default: Any) -> Any:
    value = record.get(name, default)
    if value is _NO_VALUE:
        raise QueryRefusedError(f"{name} is missing")
    return value
