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
    """How a match is evidenced, best first; E0 to E4 are proved on stored text, E5 is not."""

    E0 = "E0"  # the whole text is the whole file
    E1 = "E1"  # verbatim
    E2 = "E2"  # equal but for whitespace and comments
    E3 = "E3"  # equal under a consistent renaming of identifiers
    E4 = "E4"  # aligned with edits: runs of equal lexemes in the same order, with short gaps
    E5 = "E5"  # a lead: shares words or structure, and nothing is claimed


class Commonness(StrEnum):
    """Whether many have this code; what is common is labelled and raises no alarm."""

    RARE = "rare"
    IDIOM = "idiom"  # held by many owners who have not taken it from each other, or says little
    BOILERPLATE = "boilerplate"  # licence notices, imports, a main guard, tables


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
    sha1_git: str = ""  # what git and Software Heritage call a file of the stored text
    corpus_digest: str = ""  # of the curated corpus that the document was indexed from, if of one


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One comparison that led to a decision, as data; `explain.py` prints it."""

    rule: str  # "n_lexemes", "coverage", …
    value: float
    at_least: float
    holds: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What speaks for a copy, measured; the features of the calibrated probability."""

    n_lexemes: int  # equal, or equal under the renaming
    coverage: float  # the part of the query's lexemes that they are
    bits: float  # surprisal: the sum of log2(N / df) over the distinct words of the run
    n_rare_words: int  # distinct words of the run that very few chunks of the index hold
    n_comment_words: int  # words of comments that stand in the run on both sides


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """An identifier of the query and what it is called in the source."""

    query: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One run of equal lexemes of an alignment with edits, in the query and in the best source."""

    query: Span
    source: Span


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A stretch of the query that at least one indexed document holds too."""

    tier: Tier
    query: Span
    n_lexemes: int
    sources: tuple[SourceSpan, ...]  # best first; never empty
    n_packages: int  # distinct packages that hold the run
    n_sources: int  # documents that hold the run, also those cut from `sources`
    n_owners: int = 1  # distinct owners of these documents: many means an idiom
    commonness: Commonness = Commonness.RARE
    probability: float = 1.0  # that the code was copied from a source or from its ancestor
    evidence: Evidence | None = None
    reasons: tuple[Reason, ...] = ()  # why this tier and this commonness
    renames: tuple[Rename, ...] = ()  # of E3, in the order of the query
    pieces: tuple[Piece, ...] = ()  # of E4, in the order of the query

    @property
    def is_alarm(self) -> bool:
        """Whether somebody should look at it: a claim about code that is not common."""
        return self.tier is not Tier.E5 and self.commonness is Commonness.RARE


@dataclass(frozen=True, kw_only=True, slots=True)
class Lead:
    """A document worth a look, of which nothing is claimed (E5)."""

    document_id: int
    document_sha256: str
    score: float  # reciprocal ranks, summed over the views
    ranks: tuple[tuple[str, int], ...]  # of each view that brought it, counted from 1
    origins: tuple[Origin, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The answer to one query; `reason` says why where the verdict is UNKNOWN."""

    verdict: Verdict
    matches: tuple[Match, ...] = ()
    claim: Claim = Claim.INDEXED
    corpus_digest: str = ""
    elapsed_ms: float = 0.0
    reason: str = ""
    unsearched: str = ""  # what was searched for exact copies only, and what to do; "" if nothing
    leads: tuple[Lead, ...] = ()  # only where they are asked for
    missing_views: tuple[str, ...] = ()  # "dense": the index has none, so it brought no candidate

    @property
    def alarms(self) -> tuple[Match, ...]:
        """The matches that somebody should look at; common code is not among them."""
        return tuple(match for match in self.matches if match.is_alarm)
