"""What all forms of a report share: what was looked through, the judge, names and spans."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from attribution.license_policy import Decision
from attribution.outcomes import Outcome
from attribution.target import Target
from attribution.types import Match, Span, Tier

TIER_IN_WORDS = {
    Tier.E0: "the whole file",
    Tier.E1: "verbatim",
    Tier.E2: "equal but for whitespace and comments",
    Tier.E3: "equal but for renamed identifiers",
    Tier.E4: "aligned with edits",
    Tier.E5: "a lead, nothing is claimed",
}

# What a policy says of a match in a target; None where there is no policy.
Judge = Callable[[Target, Match], Decision | None]


def no_policy(_target: Target, _match: Match) -> Decision | None:
    """The judge where nobody has written a policy."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What was looked through, and how the results are to be told."""

    n_documents: int
    min_lexemes: int
    corpus_digest: str
    version: str  # of this program
    judge: Judge = no_policy
    explain: bool = False


# Takes the outcomes as they come and gives the report's lines as early as its form allows.
Form = Callable[[Iterable[Outcome], Context], Iterator[str]]


def shifted(span: Span, target: Target) -> Span:
    """A span of the traced text as a span of the file that it was cut from."""
    return Span(
        start=span.start + target.start,
        end=span.end + target.start,
        start_line=span.start_line + target.start_line,
        end_line=span.end_line + target.start_line,
    )


def printable(text: str) -> str:
    """The text without control characters: a file's name must not drive the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
