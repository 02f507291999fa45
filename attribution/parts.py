"""Which parts of a document are worth aligning: there, where what brought it stands.

A document may be long and a query short; only the lines round the fingerprints that both have, and
round the chunk that full-text search has found, can hold a copy that the other parts do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Range = tuple[int, int]  # bytes, half-open
_MARGIN_BYTES = 600  # beyond the length of the query, on either side


def parts_of(
    data: bytes, offsets: NDArray[np.int64], chunks: list[Range], *, n_query_bytes: int
) -> list[Range]:
    """The parts of a document, whole lines each, that do not overlap; the likeliest first.

    Args:
        data: the document.
        offsets: bytes at which fingerprints of the query stand in it.
        chunks: the lines of those that words have brought, counted from 0, half-open.
        n_query_bytes: how long the query is; a part leaves room for it on either side.
    """
    margin = n_query_bytes + _MARGIN_BYTES
    breaks = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n"))
    found = []
    if len(offsets):
        first, last = _densest(np.sort(offsets), width=2 * margin)
        found.append(_whole_lines(breaks, first - margin, last + margin, len(data)))
    starts = np.concatenate(([0], breaks + 1, [len(data)]))
    for lines in chunks:
        first, last = starts[np.minimum(lines, len(starts) - 1)].tolist()
        found.append(_whole_lines(breaks, first - n_query_bytes, last + n_query_bytes, len(data)))
    return _disjoint(found)


def _densest(offsets: NDArray[np.int64], *, width: int) -> Range:
    """The stretch of so many bytes that holds the most of some sorted offsets."""
    ends = np.searchsorted(offsets, offsets + width, side="right")
    first = int(np.argmax(ends - np.arange(len(offsets))))
    return int(offsets[first]), int(offsets[ends[first] - 1])


def _whole_lines(breaks: NDArray[np.int64], start: int, end: int, n_bytes: int) -> Range:
    before = int(np.searchsorted(breaks, max(0, start))) - 1
    after = int(np.searchsorted(breaks, min(end, n_bytes)))
    return (
        int(breaks[before]) + 1 if before >= 0 else 0,
        int(breaks[after]) + 1 if after < len(breaks) else n_bytes,
    )


def _disjoint(ranges: list[Range]) -> list[Range]:
    """Ranges that overlap as one, in the place of the first of them."""
    kept: list[Range] = []
    for start, end in ranges:
        touching = [one for one in kept if one[0] < end and start < one[1]]
        whole = (
            min([start, *(one[0] for one in touching)]),
            max([end, *(one[1] for one in touching)]),
        )
        at = kept.index(touching[0]) if touching else len(kept)
        kept = [one for one in kept if one not in touching]
        kept.insert(at, whole)
    return kept
