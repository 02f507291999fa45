"""View E: where each fingerprint of the indexed text occurs, for lookup by binary search.

Two arrays in the order of the fingerprint: its 32-bit value, and the byte offset of the k-gram's
first lexeme in the segment's text (all documents one after the other). 8 bytes a posting.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.store.arrays import Spill, open_array, write_array

VALUES_NAME = "fingerprints_e.npy"
POSITIONS_NAME = "positions_e.npy"
# A value with more postings than this is boilerplate: a lookup takes an even sample of them, so
# that one licence header in a query cannot make it slow.
MAX_POSTINGS = 512

_SORT_ROWS = 1 << 24  # postings sorted at a time, 128 MiB


class FingerprintWriter:
    """Collects postings and writes them sorted; a range of values at a time, to bound memory."""

    def __init__(self, folder: Path, *, sort_rows: int = _SORT_ROWS) -> None:
        self._folder = folder
        self._sort_rows = sort_rows
        self._keys = Spill(folder / "postings.spill")

    def add(self, values: NDArray[np.uint32], offsets: NDArray[np.int64]) -> None:
        """Add postings; offsets are bytes into the segment's text and below 2**32."""
        self._keys.append((values.astype(np.uint64) << np.uint64(32)) | offsets.astype(np.uint64))

    def finish(self) -> None:
        """Write both arrays."""
        n_postings = len(self._keys)
        for name, shift in ((VALUES_NAME, 32), (POSITIONS_NAME, 0)):
            halves = (
                ((keys >> np.uint64(shift)) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
                for keys in self._sorted()
            )
            write_array(self._folder / name, halves, dtype=np.uint32, length=n_postings)
        self.discard()

    def discard(self) -> None:
        """Remove what was put aside."""
        self._keys.discard()

    def _sorted(self) -> Iterator[NDArray[np.uint64]]:
        """All keys in order: values are uniform, so ranges of equal width have equal size."""
        n_ranges = -(-len(self._keys) // self._sort_rows)
        for index in range(n_ranges):
            low = np.uint64((index << 64) // n_ranges)
            high = np.uint64(((index + 1 << 64) // n_ranges) - 1)
            parts = [keys[(keys >= low) & (keys <= high)] for keys in self._keys.chunks()]
            keys = np.concatenate(parts)
            keys.sort()
            yield keys


class FingerprintReader:
    """The postings of one segment, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / VALUES_NAME
        self._values: NDArray[np.uint32] = open_array(self._path, dtype=np.uint32)
        self._positions: NDArray[np.uint32] = open_array(folder / POSITIONS_NAME, dtype=np.uint32)
        if len(self._values) != len(self._positions):
            raise IndexDamagedError(folder / POSITIONS_NAME, "it does not match the fingerprints")

    def __len__(self) -> int:
        return len(self._values)

    def lookup(self, values: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The postings of fingerprints: indices into `values` and byte offsets, (M,) each.

        Ordered by index and then by offset. Of a value with more than MAX_POSTINGS an even sample.

        Raises:
            IndexDamagedError: the values are not in order, as far as the search saw.
        """
        # Of one dtype with the array: anything else makes searchsorted convert all of it.
        wanted = np.ascontiguousarray(values, dtype=np.uint32)
        first = np.searchsorted(self._values, wanted, side="left")
        n_found = np.searchsorted(self._values, wanted, side="right") - first
        if np.any(n_found < 0):
            raise IndexDamagedError(self._path, "its values are not in order")
        n_taken = np.minimum(n_found, MAX_POSTINGS)
        indices = np.repeat(np.arange(len(wanted), dtype=np.int64), n_taken)
        rank = np.arange(len(indices)) - np.repeat(np.cumsum(n_taken) - n_taken, n_taken)
        rows = first[indices] + rank * n_found[indices] // np.maximum(n_taken[indices], 1)
        return indices, self._positions[rows].astype(np.int64)
