"""Which runs are claimed, in which tier, and which of them say the same thing; pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attribution.align import Extent, Run
from attribution.config import TraceConfig
from attribution.types import Tier

_MIN_NEW_LEXEMES = 17  # of a run that overlaps a longer one, for it to be a match of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A claimed run in one document."""

    document_id: int
    run: Run
    core: Extent
    extent: Extent  # the core and the equal comments and blank lines round it
    tier: Tier


def tier_of(query: bytes, document: bytes) -> Tier:
    """The tier of two byte ranges that hold equal lexemes."""
    return Tier.E1 if query == document else Tier.E2


def shortest_claim(n_query_lexemes: int, config: TraceConfig) -> int:
    """The length from which a run is claimed: long ones always, shorter if they are most of it."""
    covering = math.ceil(config.min_coverage * n_query_lexemes)
    return min(config.min_lexemes, max(config.min_covering_lexemes, covering))


def is_claimed(
    *, n_lexemes: int, n_distinct_pairs: int, n_query_lexemes: int, config: TraceConfig
) -> bool:
    """Whether a run of equal lexemes says something about where the query came from.

    It must be long enough, and a run that repeats itself (a table of zeros, a ruler of dashes)
    never is: it has few distinct pairs of neighbours.
    """
    is_long = n_lexemes >= shortest_claim(n_query_lexemes, config)
    return is_long and n_distinct_pairs >= config.min_distinct_pairs


def grouped(
    findings: list[Finding], *, n_query_lexemes: int, config: TraceConfig
) -> list[list[Finding]]:
    """Group the findings: the longest run and all that hold it, then what that leaves, and so on.

    In a group the best evidence comes first: verbatim, then the longest extent, then the lowest
    document. A run inside a longer one, or one that adds little to those before it, is no group.
    """
    ordered = sorted(findings, key=_rank)
    of_range: dict[tuple[int, int], list[Finding]] = {}
    for finding in ordered:
        of_range.setdefault((finding.run.query, finding.run.length), []).append(finding)
    covered = np.zeros(n_query_lexemes, dtype=bool)
    groups: list[list[Finding]] = []
    for (start, length), holders in of_range.items():
        end = start + length
        n_new = length - int(np.count_nonzero(covered[start:end]))
        if n_new < _MIN_NEW_LEXEMES:
            continue
        if len(groups) >= config.max_matches:
            break
        covered[start:end] = True
        groups.append(holders)  # no longer run holds this one: it came first and covers it
    return groups


def n_bytes_covered(findings: list[Finding]) -> int:
    """How much of the query is in the extent of some finding."""
    covered, n_bytes = 0, 0  # up to which offset, and how much of it
    for start, end in sorted(finding.extent[:2] for finding in findings):
        n_bytes += max(0, end - max(start, covered))
        covered = max(covered, end)
    return n_bytes


def _rank(finding: Finding) -> tuple[int, str, int, int, int]:
    n_bytes = finding.extent.query_end - finding.extent.query_start
    run = finding.run
    return (-run.length, finding.tier, -n_bytes, finding.document_id, run.document)
