"""Alignment with edits: the best chain of equal runs that keep their order, with short gaps."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.align import Run

MAX_GAP = 48  # lexemes between two runs of a chain, on either side: about four lines
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
