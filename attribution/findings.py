"""The matches of all outcomes with the place of each in its file, for bills of materials."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType

from attribution.errors import MissingExtraError
from attribution.outcomes import Looked, Outcome
from attribution.reporting import shifted
from attribution.target import Target
from attribution.types import Match, Span, Tier
from indexer import Origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A match, and where it stands in the file."""

    target: Target
    match: Match
    span: Span  # of the file; code points and lines from 0, half-open
    byte_range: tuple[int, int]  # of the file; from 0, half-open

    @property
    def origins(self) -> list[Origin]:
        """Everywhere the code was found, best first."""
        return [origin for source in self.match.sources for origin in source.origins]


def findings_of(outcomes: Iterable[Outcome]) -> Iterator[Finding]:
    """Everything that is claimed, as it comes; leads are no claims."""
    for outcome in outcomes:
        if not isinstance(outcome, Looked):
            continue
        target = outcome.target
        for match in outcome.trace.matches:
            if match.tier is not Tier.E5:
                yield Finding(
                    target=target,
                    match=match,
                    span=shifted(match.query, target),
                    byte_range=_bytes(target, match.query),
                )


def module_of_extra(name: str, *, extra: str) -> ModuleType:
    """A module of a library that only some installations have.

    Raises:
        MissingExtraError: this one has not.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtraError(name, extra) from error


def _bytes(target: Target, span: Span) -> tuple[int, int]:
    first = target.start_byte + len(target.text[: span.start].encode())
    return first, first + len(target.text[span.start : span.end].encode())
