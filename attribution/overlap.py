"""Whether and where a text overlaps the index, in the shape that Data Portraits' service answers.

The answer to `POST /overlap {"document": …}`. It says "may be in the index" and nothing more: a
filter has false positives. So a span is a chain of tiles, each right behind the one before, and no
chain bridges a gap; whoever wants proof traces the span.
"""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from indexer import Index
from indexer.store.membership import PORTRAIT_BYTES


class Overlap(TypedDict):
    """The fields of the service's answer; offsets are code points, half-open."""

    spans: list[tuple[int, int]]
    segments: list[str]
    raw_segments: list[str]  # the same as `segments`: texts are tiled as they stand


def overlap(index: Index, document: str, *, min_tiles: int = 2) -> Overlap:
    """The stretches of a document that consist of 50-byte tiles of indexed texts, in its order.

    Every copy of (min_tiles + 1) * 50 - 1 bytes is found; one of fewer bytes may be. A single tile
    (`min_tiles=1`, as the original service has it) is often a ruler or a header.

    Raises:
        IndexerError: the index is closed.
    """
    data = document.encode("utf-8", "surrogatepass")
    chains = _chains(index.portrait_hits(document), min_tiles=min_tiles)
    spans = [(_code_points(data, start), _code_points(data, end)) for start, end in _merged(chains)]
    segments = [document[start:end] for start, end in spans]
    return {"spans": spans, "segments": segments, "raw_segments": list(segments)}


def _chains(hits: NDArray[np.bool_], *, min_tiles: int) -> list[tuple[int, int]]:
    """The byte ranges of maximal chains of hits, 50 apart, in order of their starts."""
    n_rows = -(-len(hits) // PORTRAIT_BYTES)
    padded = np.zeros((n_rows + 2) * PORTRAIT_BYTES, dtype=np.int8)
    padded[PORTRAIT_BYTES : PORTRAIT_BYTES + len(hits)] = hits
    edges = np.diff(padded.reshape(-1, PORTRAIT_BYTES).T, axis=1)  # (column, row)
    columns, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    kept = ends - starts >= min_tiles
    first = starts[kept] * PORTRAIT_BYTES + columns[kept]
    last = ends[kept] * PORTRAIT_BYTES + columns[kept]
    return sorted(zip(first.tolist(), last.tolist(), strict=True))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _code_points(data: bytes, offset: int) -> int:
    return len(data[:offset].decode("utf-8", "ignore"))
