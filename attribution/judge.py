"""Which runs are claimed, in which tier, and which of them say the same thing; pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.align import Extent, Run
from attribution.config import TraceConfig
from attribution.types import Reason, Tier

_NEARLY = 0.9  # of the longest renamed or edited run, for one to stand beside it
_MIN_NEW_LEXEMES = 17  # of a run that overlaps a longer one, for it to be a match of its own
_MIN_NEW_SHARE = 0.6  # of the room in which they lie that new lexemes of edited code must take
_MIN_MORE_LEXEMES = 5  # the same of edited code round an exact run of the same document


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A claimed run in one document."""

    document_id: int
    run: Run  # of E4: from the first to the last lexeme of the query, gaps included
    core: Extent
    extent: Extent  # the core and the equal comments and blank lines round it
    tier: Tier
    reasons: tuple[Reason, ...] = ()
    renames: tuple[tuple[bytes, bytes], ...] = ()  # of E3
    pieces: tuple[Run, ...] = ()  # of E4; lexemes of the query, and where each is in the document
    extents: tuple[Extent, ...] = ()  # of each piece

    @property
    def n_lexemes(self) -> int:
        """The equal lexemes, without what lies between the pieces of E4."""
        return sum(piece.length for piece in self.pieces) or self.run.length

    @property
    def runs(self) -> tuple[Run, ...]:
        """What is equal: the pieces, or the one run."""
        return self.pieces or (self.run,)

    @property
    def is_exact(self) -> bool:
        """Whether it is a run of equal lexemes."""
        return self.tier in (Tier.E0, Tier.E1, Tier.E2)


def tier_of(query: bytes, document: bytes) -> Tier:
    """The tier of two byte ranges that hold equal lexemes."""
    return Tier.E1 if query == document else Tier.E2


def shortest_claim(n_query_lexemes: int, config: TraceConfig) -> int:
    """The length from which a run is claimed: long ones always, shorter if they are most of it."""
    covering = math.ceil(config.min_coverage * n_query_lexemes)
    whole = math.ceil(config.min_whole_coverage * n_query_lexemes)
    return min(
        config.min_lexemes,
        max(config.min_covering_lexemes, covering),
        max(config.min_whole_lexemes, whole),
    )


def exact_reasons(
    *, n_lexemes: int, n_distinct_pairs: int, n_query_lexemes: int, config: TraceConfig
) -> tuple[Reason, ...]:
    """Whether a run of equal lexemes says something about where the query came from.

    It must be long enough, and a run that repeats itself (a table of zeros, a ruler of dashes)
    never is: it has few distinct pairs of neighbours.
    """
    return (
        _reason("n_lexemes", n_lexemes, shortest_claim(n_query_lexemes, config)),
        _reason(
            "n_distinct_pairs", n_distinct_pairs, min(config.min_distinct_pairs, n_lexemes // 2)
        ),
    )


def renamed_reasons(
    *,
    n_lexemes: int,
    n_distinct_pairs: int,
    equal_numbers: float,
    bits: float,
    n_query_lexemes: int,
    config: TraceConfig,
) -> tuple[Reason, ...]:
    """The same of a run that is equal under a renaming; pairs are counted without names."""
    coverage = n_lexemes / max(1, n_query_lexemes)
    is_telling = bits * coverage >= config.min_told_bits
    shortest = config.min_told_lexemes if is_telling else config.min_renamed_lexemes
    if not is_telling and coverage >= config.min_whole_coverage:
        shortest = config.min_renamed_whole
    n_pairs = min(config.min_renamed_pairs, shortest // 2)
    return (
        _reason("n_lexemes", n_lexemes, shortest),
        _reason("n_distinct_pairs", n_distinct_pairs, n_pairs),
        _reason("coverage", coverage, config.min_renamed_coverage),
        _reason("equal_numbers", equal_numbers, config.min_equal_numbers),
    )


def edited_reasons(
    *,
    pieces: tuple[Run, ...],
    n_distinct_pairs: int,
    bits: float,
    n_query_lexemes: int,
    config: TraceConfig,
) -> tuple[Reason, ...]:
    """The same of a chain of equal runs with gaps between them.

    Rare words say more than length: with them fewer lexemes are enough, in shorter runs.
    """
    n_equal = sum(piece.length for piece in pieces)
    span = pieces[-1].query + pieces[-1].length - pieces[0].query
    coverage = n_equal / max(1, n_query_lexemes)
    is_telling = bits * coverage >= config.min_told_bits
    shortest = config.min_told_lexemes if is_telling else config.min_edited_lexemes
    longest = config.min_told_piece if is_telling else config.min_edited_piece
    least = config.min_told_coverage if is_telling else config.min_edited_coverage
    densest = config.min_told_coverage if is_telling else config.min_edited_density
    return (
        _reason("n_lexemes", n_equal, shortest),
        _reason("longest_piece", max(piece.length for piece in pieces), longest),
        _reason("density", n_equal / span, densest),
        _reason("coverage", coverage, least),
        _reason("n_distinct_pairs", n_distinct_pairs, 2 * shortest // 3),
        _reason("bits", bits, config.min_edited_bits),
    )


def all_hold(reasons: tuple[Reason, ...]) -> bool:
    """Whether a claim may be made."""
    return all(reason.holds for reason in reasons)


def _reason(rule: str, value: float, at_least: float) -> Reason:
    return Reason(rule=rule, value=round(value, 3), at_least=at_least, holds=value >= at_least)


def grouped(
    findings: list[Finding], *, n_query_lexemes: int, config: TraceConfig
) -> list[list[Finding]]:
    """Group the findings: the longest run and all that hold it, then what that leaves, and so on.

    Runs of equal lexemes come first; renamed and edited ones claim what they leave.

    In a group the best evidence comes first: verbatim, then the longest extent, then the lowest
    document. A run inside a longer one, or one that adds little to those before it, is no group.
    """
    exact = {finding.document_id for finding in findings if finding.is_exact}
    ordered = sorted(findings, key=lambda one: (_is_stranger(one, exact), *_rank(one)))
    of_range: dict[tuple[int, int, Tier | None], list[Finding]] = {}
    for finding in ordered:
        tier = None if finding.is_exact else finding.tier
        of_range.setdefault((finding.run.query, finding.run.length, tier), []).append(finding)
    covered = np.zeros(n_query_lexemes, dtype=bool)
    groups: list[list[Finding]] = []
    for holders in of_range.values():
        head = holders[0]
        n_new = head.n_lexemes - sum(
            int(np.count_nonzero(covered[one.query : one.query + one.length])) for one in head.runs
        )
        is_more_of_it = not head.is_exact and head.document_id in exact
        wanted = _MIN_MORE_LEXEMES if is_more_of_it else _MIN_NEW_LEXEMES
        if n_new < min(wanted, head.n_lexemes) or n_new < _MIN_NEW_SHARE * _room(head, n_new):
            continue
        if len(groups) >= config.max_matches:
            break
        covered |= covered_by([head], n_query_lexemes)
        # No longer run holds this one: it came first and covers it.
        groups.append(holders if head.is_exact else _nearly_as_long(head, ordered))
    return groups


def _room(head: Finding, n_new: int) -> int:
    """How many lexemes lie between the pieces and in what they add, on the side that has fewer.

    Lines put in are gaps of the query only, and lines taken out of the document only; where both
    have gaps, little speaks for a copy.
    """
    first, last = head.runs[0], head.runs[-1]
    n_there = last.document + last.length - first.document
    return min(head.run.length, n_there) - (head.n_lexemes - n_new)


def covered_by(findings: Iterable[Finding], n_query_lexemes: int) -> NDArray[np.bool_]:
    """Which lexemes of the query lie in one of these, gaps of an alignment included."""
    covered = np.zeros(n_query_lexemes, dtype=bool)
    for finding in findings:
        covered[finding.run.query : finding.run.query + finding.run.length] = True
    return covered


def _is_stranger(finding: Finding, exact: set[int]) -> bool:
    """Whether it is edited or renamed code of a document of which nothing is there as it stands."""
    return not finding.is_exact and finding.document_id not in exact


def _nearly_as_long(head: Finding, findings: list[Finding]) -> list[Finding]:
    """Renamed and edited runs end at other lexemes in each document: near ones are one match."""
    start, end = head.run.query, head.run.query + head.run.length
    return [
        one
        for one in findings
        if one.tier is head.tier
        and one.n_lexemes >= _NEARLY * head.n_lexemes
        and start <= one.run.query
        and one.run.query + one.run.length <= end
    ]


def n_bytes_covered(findings: list[Finding]) -> int:
    """How much of the query is in the extent of some finding."""
    covered, n_bytes = 0, 0  # up to which offset, and how much of it
    for start, end in sorted(finding.extent[:2] for finding in findings):
        n_bytes += max(0, end - max(start, covered))
        covered = max(covered, end)
    return n_bytes


def _rank(finding: Finding) -> tuple[bool, int, str, int, int, int]:
    n_bytes = finding.extent.query_end - finding.extent.query_start
    run = finding.run
    return (
        not finding.is_exact,
        -finding.n_lexemes,
        finding.tier,
        -n_bytes,
        finding.document_id,
        run.document,
    )
