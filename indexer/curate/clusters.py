"""Candidates to verified near-duplicates to clusters to the one document that stands for others.

Two documents are joined if they share an LSH band **and** the exact Jaccard similarity of their
shingles is at least the threshold; a cluster is a connected component of that graph. A component
can be a chain whose ends have little in common, so it does not simply shrink to one document:
its members are taken best first, and one is given up only if it is itself a near-duplicate of a
member that stays. Neither clusters nor choices depend on the order of the documents.

Bands are sorted one at a time, so what is resident is some 50 bytes a document plus the
signatures of the largest bucket (1 kB each).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from indexer.curate.minhash import N_BANDS, THRESHOLD, estimate
from indexer.curate.signatures import Signatures

Similarity = Callable[[int, int], float]

# Five standard errors of the estimate (Broder 1997: sqrt(s (1 - s) / 250) = 0.029 at 0.7): a pair
# that is similar enough is passed over once in three million.
_MARGIN = 0.15


class Forest:
    """Disjoint sets of the numbers below n (union by smallest root, path halving)."""

    def __init__(self, n: int) -> None:
        self._parents = np.arange(n, dtype=np.int64)

    def find(self, number: int) -> int:
        """The root of the set that holds a number: its smallest member."""
        parents = self._parents
        while (parent := int(parents[number])) != number:
            parents[number] = parents[parent]
            number = parent
        return number

    def union(self, left: int, right: int) -> int:
        """Make one set of two; its root."""
        roots = sorted((self.find(left), self.find(right)))
        self._parents[roots[1]] = roots[0]
        return roots[0]

    def roots(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The root of each of many numbers."""
        roots = self._parents[numbers]
        while not np.array_equal(above := self._parents[roots], roots):
            roots = above
        return roots


def find_keepers(
    signatures: Signatures, similarity: Similarity, rank: Callable[[int], object]
) -> NDArray[np.int64]:
    """For each document the number of the one that stands for it: its own if it stays.

    Args:
        signatures: of all documents.
        similarity: the exact Jaccard similarity of two documents' shingles.
        rank: sorts the members of a cluster, the best first; no two may be equal.
    """
    forest = Forest(len(signatures))
    for band in range(N_BANDS):
        for left, right in band_edges(signatures, band, similarity, forest):
            forest.union(left, right)
    roots = forest.roots(np.arange(len(signatures), dtype=np.int64))
    return elect_keepers(signatures, similarity, rank, roots)


def band_edges(
    signatures: Signatures, band: int, similarity: Similarity, forest: Forest
) -> Iterator[tuple[int, int]]:
    """Verified pairs of one band that connect what `forest` has not connected yet.

    The caller must union each pair before it asks for the next one.
    """
    for members in _buckets(signatures, band, forest):
        yield from _bucket_edges(members, signatures, similarity, forest)


def elect_keepers(
    signatures: Signatures,
    similarity: Similarity,
    rank: Callable[[int], object],
    roots: NDArray[np.int64],
    *,
    share: tuple[int, int] = (0, 1),
) -> NDArray[np.int64]:
    """As `find_keepers`, from the root of each document in the forest.

    Clusters do not depend on each other: of n who share the work, number i is `share` (i, n), and
    what is not in its clusters stands for itself.
    """
    keepers = np.arange(len(signatures), dtype=np.int64)
    numbers = np.flatnonzero(roots % share[1] == share[0])
    for members in _runs(roots[numbers], numbers):
        ranked = np.array(sorted(members.tolist(), key=rank), dtype=np.int64)  # type: ignore[arg-type]
        keepers[ranked] = _elect(ranked, signatures, similarity)
    return keepers


def _elect(
    ranked: NDArray[np.int64], signatures: Signatures, similarity: Similarity
) -> NDArray[np.int64]:
    rows = signatures.rows(ranked)
    sizes = signatures.sizes[ranked].astype(np.int64)
    kept = [0]
    chosen = ranked.copy()
    for place in range(1, len(ranked)):
        staying = np.array(kept, dtype=np.int64)
        for other in staying[_is_plausible(place, staying, rows, sizes)]:
            if similarity(int(ranked[place]), int(ranked[other])) >= THRESHOLD:
                chosen[place] = ranked[other]
                break
        else:
            kept.append(place)
    return chosen


def _buckets(signatures: Signatures, band: int, forest: Forest) -> Iterator[NDArray[np.int64]]:
    """The documents that share a key, where they are not one cluster already."""
    eligible = np.flatnonzero(signatures.sizes).astype(np.int64)
    for members in _runs(signatures.keys(band)[eligible], eligible):
        roots = forest.roots(members)
        if np.any(roots != roots[0]):
            yield members


def _runs(
    keys: NDArray[np.uint64] | NDArray[np.int64], numbers: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """The numbers that have equal keys, where there are two or more."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) + 1
    starts = np.append(0, ends[:-1])
    is_shared = ends - starts > 1
    for start, end in zip(starts[is_shared].tolist(), ends[is_shared].tolist(), strict=True):
        yield numbers[order[start:end]]


def _bucket_edges(
    members: NDArray[np.int64],
    signatures: Signatures,
    similarity: Similarity,
    forest: Forest,
) -> Iterator[tuple[int, int]]:
    rows = signatures.rows(members)
    sizes = signatures.sizes[members].astype(np.int64)
    roots = forest.roots(members)
    for place, member in enumerate(members.tolist()):
        others = place + 1 + np.flatnonzero(roots[place + 1 :] != roots[place])
        if len(others) == 0:
            return  # every later one is in this one's cluster
        joined = {int(roots[place])}
        for other in others[_is_plausible(place, others, rows, sizes)].tolist():
            root = int(roots[other])
            if root not in joined and similarity(member, int(members[other])) >= THRESHOLD:
                joined.add(root)
                yield member, int(members[other])
        roots[np.isin(roots, list(joined))] = roots[place]


def _is_plausible(
    place: int,
    others: NDArray[np.int64],
    rows: NDArray[np.uint32],
    sizes: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether each of `others` can be similar enough to `place`, by size and by signature."""
    small, large = np.minimum(sizes[others], sizes[place]), np.maximum(sizes[others], sizes[place])
    is_plausible: NDArray[np.bool_] = small >= THRESHOLD * large  # J ≤ |smaller| / |larger|
    near = others[is_plausible]
    is_plausible[is_plausible] = estimate(rows[place], rows[near]) >= THRESHOLD - _MARGIN
    return is_plausible
