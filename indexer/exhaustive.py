"""Which documents hold fingerprints: all of them, where `Index.lookup` takes a sample of many.

For a statement that something is *not* in an index a sample is not enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UnprovableError
from indexer.index import Index
from indexer.store.fingerprints import View
from indexer.store.segment import SegmentReader

_CHUNK_ROWS = 1 << 20  # postings read at a time


class TooCommonError(UnprovableError):
    """More postings would have to be read than the caller allows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holders:
    """Pairs of a fingerprint and a live document that holds it, by document and fingerprint."""

    document_id: NDArray[np.int64]  # (M,)
    value_index: NDArray[np.int64]  # (M,) index into the values that were asked for


def holders_of(
    index: Index, values: NDArray[np.uint32], *, max_postings: int, view: View = "e"
) -> Holders:
    """Every live document that holds one of these distinct fingerprints.

    Raises:
        TooCommonError: the values have more than `max_postings` postings together.
        IndexDamagedError: postings lead out of the text.
    """
    segments = [(base, segment) for _, base, segment in index.segments()]
    ranges = [segment.fingerprints[view].ranges(values) for _, segment in segments]
    n_postings = sum(int(n_found.sum()) for _, n_found in ranges)
    if n_postings > max_postings:
        raise TooCommonError(
            f"its fingerprints occur {n_postings:,} times, more than {max_postings:,} can be read"
        )
    is_live = np.zeros(index.manifest.n_documents, dtype=np.bool_)
    is_live[np.asarray(index.live_document_ids(), dtype=np.int64)] = True
    pairs = [np.empty(0, dtype=np.int64)]
    for (base, segment), (first, n_found) in zip(segments, ranges, strict=True):
        for value in np.flatnonzero(n_found).tolist():
            documents = base + _documents(segment, view, int(first[value]), int(n_found[value]))
            pairs.append(documents[is_live[documents]] * len(values) + value)
    document_id, value_index = np.divmod(np.sort(np.concatenate(pairs)), max(len(values), 1))
    return Holders(document_id=document_id, value_index=value_index)


def _documents(segment: SegmentReader, view: View, first: int, n_rows: int) -> NDArray[np.int64]:
    """The numbers of the documents that these rows of postings lie in, each once."""
    found = []
    for row in range(first, first + n_rows, _CHUNK_ROWS):
        offsets = segment.fingerprints[view].offsets(row, min(_CHUNK_ROWS, first + n_rows - row))
        found.append(np.unique(segment.text.locate(offsets)[0]))
    return np.unique(np.concatenate(found)).astype(np.int64)
