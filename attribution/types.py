"""What a trace returns: plain frozen values, the same for every front end.

Ranges are half-open and 0-based; offsets are code points of the text that they point into.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from indexer import Origin


class Verdict(StrEnum):
    """What came of looking."""

    FOUND = "found"
    NONE = "none"  # looked: no shared run of the guaranteed length that passes the claim rule
    UNKNOWN = "unknown"  # could not look: no index, a damaged one, text that cannot be lexed


class Tier(StrEnum):
    """How a match is evidenced (DESIGN: tiers); only what extension on stored text proved."""

    E1 = "E1"  # verbatim
    E2 = "E2"  # equal but for whitespace and comments


class Claim(StrEnum):
    """What may be said of a match: the index holds it, or the model was trained on it."""

    INDEXED = "indexed"
    TRAINED_ON = "trained_on"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A half-open range of one text, as offsets and as lines."""

    start: int  # code points
    end: int
    start_line: int  # 0-based, half-open: the last line of the span is end_line - 1
    end_line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceSpan:
    """The matched range in one indexed document, with every origin of that document."""

    document_id: int
    document_sha256: str  # of the stored UTF-8 text: the witness that can be re-checked
    span: Span
    origins: tuple[Origin, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A maximal shared run of the query and at least one indexed document."""

    tier: Tier
    query: Span
    n_lexemes: int
    sources: tuple[SourceSpan, ...]  # best first; never empty
    n_packages: int  # distinct packages that hold the run: many means an idiom
    n_sources: int  # documents that hold the run, also those cut from `sources`


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The answer to one query; `reason` says why where the verdict is UNKNOWN."""

    verdict: Verdict
    matches: tuple[Match, ...] = ()
    claim: Claim = Claim.INDEXED
    corpus_digest: str = ""
    elapsed_ms: float = 0.0
    reason: str = ""
