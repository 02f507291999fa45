"""Candidates of several views in one order, by reciprocal rank.

Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion" (SIGIR 2009), with their k = 60. Where view E
covers half of the query the copy is literal, and the other views only break ties.

What vectors alone bring comes last: at every weight that was tried they took more of the order than
they gave on copied, renamed and edited code (`tests/bench/results/retrieval.json`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

RANK_OFFSET = 60
GATE_COVERAGE = 0.5
LAST = 1e-4  # orders what nothing else has brought, and moves nothing else but ties
PLAIN = {"E": 1.0, "P": 1.0, "BM25": 1.0, "dense": LAST}
LITERAL = {"E": 2.0, "P": 0.3, "BM25": 1.0, "dense": LAST}


class Candidate(NamedTuple):
    """A document with the score and the ranks that brought it."""

    document_id: int
    score: float
    ranks: tuple[tuple[str, int], ...]  # view and rank, counted from 1


def fused(rankings: Mapping[str, Sequence[int]], *, e_coverage: float) -> list[Candidate]:
    """The documents of all rankings, best first; of equal scores the lower document first."""
    weights = LITERAL if e_coverage >= GATE_COVERAGE else PLAIN
    ranks: dict[int, list[tuple[str, int]]] = {}
    for view, documents in rankings.items():
        for rank, document_id in enumerate(documents, start=1):
            ranks.setdefault(document_id, []).append((view, rank))
    candidates = [
        Candidate(
            document_id,
            sum(weights[view] / (RANK_OFFSET + rank) for view, rank in of_views),
            tuple(of_views),
        )
        for document_id, of_views in ranks.items()
    ]
    return sorted(candidates, key=lambda one: (-one.score, one.document_id))
