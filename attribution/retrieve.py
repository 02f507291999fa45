"""Which documents may share a run with the query: fingerprint hits, linked into chains and ranked.

Winnowing selects the same k-grams on both sides of a shared run, except within w - 1 k-grams of
its ends, where windows reach out of it. So the run shows as hits of consecutive query fingerprints
at growing offsets of one document, and the neighbours that did not hit bound it from above: a
document is left out only if no run in it could be claimed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.config import TraceConfig
from indexer.index import Postings
from indexer.store.fingerprints import MAX_POSTINGS
from indexer.text.winnow import Fingerprints

_MAX_REPEATS = 64  # occurrences of one fingerprint in a query that are looked up
_MAX_GAP_BYTES = 8192  # between two linked hits: at most w lexemes, but any comment in between


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Hits:
    """Fingerprint hits, sorted by document, query fingerprint and offset; arrays of length M."""

    document_id: NDArray[np.int64]
    query_index: NDArray[np.int64]  # of the fingerprint in the query
    offset: NDArray[np.int64]  # byte offset of the k-gram's first lexeme in the document


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Chains:
    """Chains of linked hits: which document shares which part of the query; arrays of length C.

    Query ranges are lexeme indices, half-open. The run that a chain stands for holds at least
    [start, end), unless hashes collide, and is at most `bound` lexemes long.
    """

    document_id: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    bound: NDArray[np.int64]
    last_hit: NDArray[np.int64]  # index into the hits; tells which of them belong to the chain


def without_repeats(fingerprints: Fingerprints) -> Fingerprints:
    """Of each value in a query the first 64 occurrences.

    Text that repeats itself without end (brackets, a ruler) selects one value at every lexeme, and
    each would bring hundreds of postings. Such runs are never claimed.
    """
    values = fingerprints.values
    if len(values) <= _MAX_REPEATS:
        return fingerprints
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    nth = np.arange(len(values)) - np.searchsorted(ordered, ordered, side="left")
    kept = np.sort(order[nth < _MAX_REPEATS])
    return Fingerprints(values[kept], fingerprints.positions[kept])


def sorted_hits(postings: Postings) -> Hits:
    """The postings in the order that chaining needs."""
    # A lookup orders by fingerprint and offset, and a stable sort keeps that.
    order = np.argsort(postings.document_id, kind="stable")
    return Hits(
        document_id=postings.document_id[order].astype(np.int64),
        query_index=postings.query_index[order].astype(np.int64),
        offset=postings.offset[order].astype(np.int64),
    )


def chains_of(
    hits: Hits, positions: NDArray[np.int64], *, n_lexemes: int, k: int, w: int
) -> tuple[Chains, NDArray[np.int64]]:
    """Link the hits; `positions` are the lexeme indices of the query's fingerprints.

    Second comes, for each hit, the last hit of its chain.
    """
    following = _next_hits(hits)
    last = _last_of_each(following)
    is_head = np.ones(len(last), dtype=bool)
    is_head[following[following >= 0]] = False
    heads = np.flatnonzero(is_head)
    # Where a fingerprint repeats, several chains run into one another: the longest stands for all.
    heads = heads[np.lexsort((hits.query_index[heads], last[heads]))]
    heads = heads[np.diff(last[heads], prepend=-1) != 0]
    first_index, last_index = hits.query_index[heads], hits.query_index[last[heads]]
    # The first fingerprint inside a run lies in its first window of w k-grams, the last one in its
    # last: so the run reaches less than w beyond the chain, or beyond hits that may be missing.
    earliest, latest = _reach(hits.query_index, n_fingerprints=len(positions))
    lowest = positions[earliest[first_index]] - (w - 1)
    highest = positions[latest[last_index]] + k + (w - 1)
    chains = Chains(
        document_id=hits.document_id[heads],
        start=positions[first_index],
        end=positions[last_index] + k,
        bound=np.minimum(highest, n_lexemes) - np.maximum(lowest, 0),
        last_hit=last[heads],
    )
    return chains, last


def _reach(
    query_index: NDArray[np.int64], *, n_fingerprints: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each fingerprint the first and the last one that a run through it may hold unseen.

    That is itself, unless its neighbours are so frequent that a lookup gives a sample of their
    postings only: of them a missing hit says nothing.
    """
    is_sampled = np.bincount(query_index, minlength=n_fingerprints) >= MAX_POSTINGS
    numbers = np.arange(n_fingerprints)
    first_of_gap = np.maximum.accumulate(np.where(is_sampled, 0, numbers + 1))
    last_of_gap = np.minimum.accumulate(np.where(is_sampled, n_fingerprints, numbers)[::-1])[::-1]
    earliest = np.concatenate(([0], first_of_gap[:-1]))
    latest = np.concatenate((last_of_gap[1:], [n_fingerprints])) - 1
    return earliest, latest


def _next_hits(hits: Hits) -> NDArray[np.int64]:
    """For each hit the next one of the same run in the same document, or -1."""
    n_hits = len(hits.offset)
    if n_hits == 0:
        return np.empty(0, dtype=np.int64)
    new_document = np.diff(hits.document_id, prepend=-1) != 0
    group = np.cumsum(new_document | (np.diff(hits.query_index, prepend=-1) != 0)) - 1
    keys = (group << 32) | hits.offset
    found = np.searchsorted(keys, ((group + 1) << 32) | (hits.offset + 1))
    at = np.minimum(found, n_hits - 1)
    is_next = (
        (found < n_hits)
        & (hits.document_id[at] == hits.document_id)
        & (hits.query_index[at] == hits.query_index + 1)
        & (hits.offset[at] - hits.offset <= _MAX_GAP_BYTES)
        & (hits.offset[at] > hits.offset)
    )
    return np.where(is_next, at, -1)


def _last_of_each(following: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the chain of each hit ends; pointer doubling, so log(longest chain) rounds."""
    last = np.where(following < 0, np.arange(len(following)), following)
    while True:
        further = last[last]
        if np.array_equal(further, last):
            return last
        last = further


def promising(chains: Chains, *, shortest: int) -> Chains:
    """The chains whose run may have `shortest` lexemes; longest first, then lowest document."""
    order = np.lexsort((chains.document_id, chains.start - chains.end))
    return _taken(chains, order[chains.bound[order] >= shortest])


def hits_of(hits: Hits, last: NDArray[np.int64], chains: Chains) -> Hits:
    """Only the hits that belong to these chains, in the same order."""
    kept = np.isin(last, chains.last_hit)
    return Hits(
        document_id=hits.document_id[kept],
        query_index=hits.query_index[kept],
        offset=hits.offset[kept],
    )


def choose_documents(
    chains: Chains, *, n_lexemes: int, preferred: frozenset[int], config: TraceConfig
) -> list[int]:
    """The documents to align: for each region of the query those with the longest chains.

    A region that `max_per_region` longer chains cover already needs no further document.
    Among chains of equal length `preferred` documents come first.
    """
    is_preferred = np.isin(chains.document_id, list(preferred))
    order = np.lexsort((~is_preferred, chains.start - chains.end))[: config.max_chains]
    depth = np.zeros(n_lexemes, dtype=np.int32)
    chosen: dict[int, None] = {}
    seen: set[tuple[int, int]] = set()
    for document_id, start, end in zip(
        chains.document_id[order].tolist(),
        chains.start[order].tolist(),
        chains.end[order].tolist(),
        strict=True,
    ):
        if document_id not in chosen:
            is_full = len(chosen) >= config.max_documents
            if is_full or depth[start:end].min() >= config.max_per_region:
                continue
            chosen[document_id] = None
        if (document_id, start) not in seen:  # a document that repeats itself counts once
            seen.add((document_id, start))
            depth[start:end] += 1
    return list(chosen)


def n_longest(chains: Chains) -> int:
    """How many chains share the greatest length; `chains` is sorted, longest first."""
    lengths = chains.end - chains.start
    return int(np.count_nonzero(lengths == lengths[0])) if len(lengths) else 0


def holders(chains: Chains, start: int, end: int, *, w: int) -> list[int]:
    """The documents whose chains say that they hold these lexemes of the query, best first."""
    inside = (chains.start < start + w) & (chains.end > end - w)
    return list(dict.fromkeys(chains.document_id[inside].tolist()))


def _taken(chains: Chains, order: NDArray[np.intp]) -> Chains:
    return Chains(
        document_id=chains.document_id[order],
        start=chains.start[order],
        end=chains.end[order],
        bound=chains.bound[order],
        last_hit=chains.last_hit[order],
    )
