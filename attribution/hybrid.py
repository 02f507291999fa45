"""Search by words and by vectors in one order: a share of the best BM25 score plus a cosine.

Scores and not ranks are added, unlike in `fuse`: how far the best words are ahead of the next is
what tells a copy, and what reciprocal ranks forget. Over the weights that were tried, ranks gained
nothing on changed code and scores a little (`tests/bench/bench_retrieval.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from indexer.store.lexical import Lead

WEIGHT = 1.0  # of a cosine; chosen on other questions than those that are reported
DEEPER = 4  # times as many leads are asked of each view as are wanted of both


def hybrid(by_words: Sequence[Lead], by_vectors: Sequence[Lead], *, top_k: int) -> list[Lead]:
    """The best `top_k` of both, best first, each with the sum of its scores.

    A chunk that words have brought counts with the nearest fragment in it; a fragment in no such
    chunk stands for itself.
    """
    most = max((lead.score for lead in by_words), default=1.0)
    chunks = [replace(one, score=one.score / max(most, 1e-9)) for one in by_words]
    best = [0.0] * len(chunks)
    found: list[Lead] = []
    for fragment in by_vectors:
        inside = [place for place, chunk in enumerate(chunks) if _overlap(chunk, fragment)]
        for place in inside:
            best[place] = max(best[place], fragment.score)
        if not inside:
            found.append(replace(fragment, score=WEIGHT * fragment.score))
    found += [
        replace(chunk, score=chunk.score + WEIGHT * cosine)
        for chunk, cosine in zip(chunks, best, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.score, one.document_id, one.start_line))[:top_k]


def _overlap(one: Lead, other: Lead) -> bool:
    return (
        one.document_id == other.document_id
        and one.start_line < other.end_line
        and other.start_line < one.end_line
    )
