"""Alignment with edits: the best chain of equal runs that keep their order, with short gaps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from attribution.align import Run

MAX_GAP = 48  # lexemes between two runs of a chain, on either side: about four lines
_MIN_FILL = 2  # lexemes of a run between two others
_LOOSE = 0.5  # of the shorter gap to the next run that a run at the end must have
_GAP_COST = 0.1  # of a lexeme that one side has and the other has not


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Runs in the order of both texts that do not overlap in either."""

    pieces: tuple[Run, ...]

    @property
    def n_equal(self) -> int:
        """The lexemes of its runs together."""
        return sum(piece.length for piece in self.pieces)

    @property
    def hull(self) -> Run:
        """From its first to its last lexeme in the query; `length` counts the gaps there, too."""
        first, last = self.pieces[0], self.pieces[-1]
        return Run(first.query, first.document, last.query + last.length - first.query)


def best_chain(runs: list[Run], *, max_gap: int = MAX_GAP) -> Chain | None:
    """The chain with the most equal lexemes less what its gaps cost; None if there is no run.

    Quadratic in the number of runs; the caller bounds it.
    """
    ordered = sorted(set(runs))
    scores: list[float] = []
    before: list[int] = []
    for at, run in enumerate(ordered):
        best, link = float(run.length), -1
        for earlier in range(at):
            cost = _link_cost(ordered[earlier], run, max_gap)
            if cost is not None and scores[earlier] + run.length - cost > best:
                best, link = scores[earlier] + run.length - cost, earlier
        scores.append(best)
        before.append(link)
    if not scores:
        return None
    at = max(range(len(scores)), key=lambda one: (scores[one], -one))
    pieces = []
    while at >= 0:
        pieces.append(ordered[at])
        at = before[at]
    return Chain(pieces=_disjoint(pieces[::-1]))


def _link_cost(one: Run, other: Run, max_gap: int) -> float | None:
    """What it costs to go on from one run to another, overlap given up; None if it cannot be."""
    ahead = other.query - one.query - one.length
    ahead_there = other.document - one.document - one.length
    overlap = max(0, -ahead, -ahead_there)
    if max(ahead, ahead_there) > max_gap or overlap >= min(one.length, other.length):
        return None
    return overlap + _GAP_COST * (max(ahead, 0) + max(ahead_there, 0))


def _disjoint(pieces: list[Run]) -> tuple[Run, ...]:
    """Each run cut off where the one before it ends, in either text."""
    kept: list[Run] = []
    for piece in pieces:
        cut = 0
        if kept:
            last = kept[-1]
            cut = max(
                0,
                last.query + last.length - piece.query,
                last.document + last.length - piece.document,
            )
        if cut < piece.length:
            kept.append(Run(piece.query + cut, piece.document + cut, piece.length - cut))
    return tuple(kept)


def filled(
    chain: Chain, query: NDArray[np.uint64], document: NDArray[np.uint64], *, max_gap: int = MAX_GAP
) -> Chain:
    """The chain with the shorter equal runs that lie between its own, before and behind them.

    The longest common run of a gap is taken first, then what is left on both sides of it.
    """
    first, last = chain.pieces[0], chain.pieces[-1]
    start = Run(max(0, first.query - max_gap), max(0, first.document - max_gap), 0)
    ends = last.query + last.length + max_gap, last.document + last.length + max_gap
    end = Run(min(len(query), ends[0]), min(len(document), ends[1]), 0)
    pieces: list[Run] = []
    for one, other in pairwise([start, *chain.pieces, end]):
        pieces += [one] if one.length else []
        pieces += _between(query, document, one, other)
    return Chain(pieces=_without_loose_ends(_joined(pieces)))


def _without_loose_ends(pieces: tuple[Run, ...]) -> tuple[Run, ...]:
    """Without short runs at either end that lie far from the next one: those are chance."""
    kept = list(pieces)
    while len(kept) > 1 and _is_loose(kept[0].length, kept[0], kept[1]):
        kept.pop(0)
    while len(kept) > 1 and _is_loose(kept[-1].length, kept[-2], kept[-1]):
        kept.pop()
    return tuple(kept)


def _is_loose(length: int, one: Run, other: Run) -> bool:
    gaps = sorted(
        (other.query - one.query - one.length, other.document - one.document - one.length)
    )
    return length < _LOOSE * gaps[0] + _GAP_COST * gaps[1]


def _between(
    query: NDArray[np.uint64], document: NDArray[np.uint64], one: Run, other: Run
) -> list[Run]:
    """The common runs of the gap between two runs, in order."""
    start, there = one.query + one.length, one.document + one.length
    ours, theirs = query[start : other.query], document[there : other.document]
    found = _longest_common(ours, theirs)
    if found.length < _MIN_FILL:
        return []
    run = Run(start + found.query, there + found.document, found.length)
    return [
        *_between(query, document, one, run),
        run,
        *_between(query, document, run, other),
    ]


def _longest_common(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> Run:
    """The longest run that two short rows share; of equals the one that ends first in `ours`."""
    n, m = len(ours), len(theirs)
    if not n or not m:
        return Run(0, 0, 0)
    padded = np.zeros((n, n + m), dtype=bool)
    padded[:, n:] = ours[:, None] == theirs
    # In rows of one entry more, each begins one place further left: diagonals become columns.
    hits = np.append(padded, np.zeros(n, dtype=bool)).reshape(n, n + m + 1)
    counts = np.cumsum(hits, axis=0)
    counts -= np.maximum.accumulate(np.where(hits, 0, counts), axis=0)  # since the last miss
    at, column = divmod(int(np.argmax(counts)), n + m + 1)
    length = int(counts[at, column])
    return Run(at + 1 - length, column - n + at + 1 - length, length)


def _joined(pieces: list[Run]) -> tuple[Run, ...]:
    """Runs that touch in both texts as one."""
    joined: list[Run] = []
    for piece in pieces:
        if joined:
            last = joined[-1]
            ends = last.query + last.length, last.document + last.length
            if ends == (piece.query, piece.document):
                joined[-1] = Run(last.query, last.document, last.length + piece.length)
                continue
        joined.append(piece)
    return tuple(joined)
