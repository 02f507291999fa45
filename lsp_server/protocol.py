"""The messages that Starcite adds to the Language Server Protocol, and their JSON, field by field.

`vscode-ext/src/protocol.ts` mirrors this file; `tests/contracts/test_protocol.py` compares the two.
Keys are camelCase. Lines and characters are 0-based, characters count UTF-16 code units, ranges are
half-open, as everywhere in LSP.

| Method | Kind | Params | Result |
|---|---|---|---|
| `starcite/status` | notification from the server | `StatusParams` | |
| `starcite/status` | request from the client | `{}` | `StatusParams` |
| `starcite/matches` | notification from the server | `MatchesParams` | |
| `starcite/trace` | request from the client | `TraceParams` | `TraceResult` |
| `starcite/source` | request from the client | `SourceParams` | `SourceResult` |
| `starcite/cursor` | notification from the client | `CursorParams` | |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from lsp_server.errors import ProtocolError

STATUS = "starcite/status"
MATCHES = "starcite/matches"
TRACE = "starcite/trace"
SOURCE = "starcite/source"
CURSOR = "starcite/cursor"
METHODS = (STATUS, MATCHES, TRACE, SOURCE, CURSOR)

OPEN_SOURCE_COMMAND = "starcite.openSource"  # arguments: documentId, startLine, endLine


Claim = Literal["indexed", "trained_on"]
DecisionWord = Literal["none", "allow", "annotate", "ask", "block"]  # none: there is no policy


class Position(TypedDict):
    """As in LSP."""

    line: int
    character: int


class Range(TypedDict):
    """As in LSP."""

    start: Position
    end: Position


class TextDocumentIdentifier(TypedDict):
    """As in LSP."""

    uri: str


class InitializationOptions(TypedDict):
    """What the extension sends with `initialize`; every key may be missing."""

    settings: NotRequired[dict[str, Any]]  # what stands under "starcite." in the editor
    commandLinks: NotRequired[bool]  # hovers may carry links that run the extension's commands
    clientVersion: NotRequired[str]


class ModelStatus(TypedDict):
    """What the completion model is doing."""

    state: Literal["missing", "loading", "ready", "working", "error"]
    name: str
    detail: str  # for people: why, and the next step


class IndexStatus(TypedDict):
    """Whether code can be traced."""

    state: Literal["missing", "ready", "error"]
    name: str
    detail: str


class StatusParams(TypedDict):
    """The whole state of the server, small enough to be sent whole."""

    model: ModelStatus
    index: IndexStatus


class Origin(TypedDict):
    """One place where an indexed text was published."""

    source: str
    name: str
    version: str
    path: str
    spdxId: str
    licenseEvidence: str
    purl: str


class SourceSpan(TypedDict):
    """The matched lines of one indexed document, whole lines."""

    documentId: int
    documentSha256: str
    range: Range
    origins: list[Origin]


class Match(TypedDict):
    """A run of the open document that the index holds too; `sources` are the best first."""

    range: Range
    tier: Literal["E0", "E1", "E2", "E3", "E4", "E5"]
    claim: Claim  # trained_on: a source is in the corpus that the model in use has read
    nLexemes: int
    nPackages: int
    nSources: int
    sources: list[SourceSpan]
    decision: DecisionWord
    decisionReasons: list[str]


class MatchesParams(TypedDict):
    """The matches of a document at its newest version; sent after open and after every rest."""

    uri: str
    version: int
    verdict: Literal["found", "none", "unknown"]
    reason: str  # why nobody could look, where the verdict is "unknown"
    matches: list[Match]


class TraceParams(TypedDict):
    """Trace a range of an open document, or all of it."""

    textDocument: TextDocumentIdentifier
    range: NotRequired[Range]


class TraceResult(TypedDict):
    """What came of a trace; the ranges are those of the open document."""

    verdict: Literal["found", "none", "unknown"]
    reason: str
    claim: Claim  # of all matches together: the weaker one if any is
    corpusDigest: str
    elapsedMs: float
    matches: list[Match]


class CursorParams(TypedDict):
    """The cursor rests here: the model may read what stands before it ahead of the next key."""

    textDocument: TextDocumentIdentifier
    position: Position


class SourceParams(TypedDict):
    """Ask for the stored text of an indexed document."""

    documentId: int


class SourceResult(TypedDict):
    """The stored text, as it was indexed."""

    documentId: int
    text: str
    languageId: str
    origins: list[Origin]


def read_trace_params(raw: object) -> TraceParams:
    """`raw` as the params of `starcite/trace`. Raises: ProtocolError naming the bad field."""
    params = _mapping(raw, "params")
    document = _document(params)
    if params.get("range") is None:
        return {"textDocument": document}
    whole = _mapping(params["range"], "range")
    start = _position(whole.get("start"), "range.start")
    end = _position(whole.get("end"), "range.end")
    return {"textDocument": document, "range": {"start": start, "end": end}}


def read_cursor_params(raw: object) -> CursorParams:
    """`raw` as the params of `starcite/cursor`. Raises: ProtocolError naming the bad field."""
    params = _mapping(raw, "params")
    position = _position(params.get("position"), "position")
    return {"textDocument": _document(params), "position": position}


def read_source_params(raw: object) -> SourceParams:
    """`raw` as the params of `starcite/source`. Raises: ProtocolError naming the bad field."""
    return {"documentId": _integer(_mapping(raw, "params").get("documentId"), "documentId")}


def _mapping(raw: object, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise ProtocolError(f"{name} is {raw!r}, not an object")
    return raw


def _document(params: Mapping[str, Any]) -> TextDocumentIdentifier:
    uri = _mapping(params.get("textDocument"), "textDocument").get("uri")
    if not isinstance(uri, str):
        raise ProtocolError(f"textDocument.uri is {uri!r}, not a string")
    return {"uri": uri}


def _position(raw: object, name: str) -> Position:
    place = _mapping(raw, name)
    return {
        "line": _integer(place.get("line"), f"{name}.line"),
        "character": _integer(place.get("character"), f"{name}.character"),
    }


def _integer(raw: object, name: str) -> int:
    if type(raw) is not int or raw < 0:
        raise ProtocolError(f"{name} is {raw!r}, not a whole number from 0")
    return raw
