"""Where each fingerprint of the indexed text occurs, for lookup by binary search.

One pair of files for each view: E of exact lexemes, P of lexemes without their names.

Two arrays in the order of the fingerprint: its 32-bit value, and the byte offset of the k-gram's
first lexeme in the segment's text (all documents one after the other). 8 bytes a posting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.store.arrays import Spill, open_array, write_arrays

View = Literal["e", "p"]
VIEWS: tuple[View, ...] = ("e", "p")
# A value with more postings than this is boilerplate: a lookup takes an even sample of them, so
# that one licence header in a query cannot make it slow.
MAX_POSTINGS = 512

# Of a value with still more than this, tombstones are looked for in an even sample of so many.
_MAX_CHECKED = 1 << 16
_COPY_ROWS = 1 << 20
_SORT_ROWS = 1 << 23  # postings sorted at a time, 64 MiB


def values_name(view: View) -> str:
    """The file of a view's fingerprints, in order."""
    return f"fingerprints_{view}.npy"


def positions_name(view: View) -> str:
    """The file that says where each of them occurs."""
    return f"positions_{view}.npy"


class FingerprintWriter:
    """Collects postings and writes them sorted; a range of values at a time, to bound memory."""

    def __init__(self, folder: Path, *, view: View = "e", sort_rows: int = _SORT_ROWS) -> None:
        self._folder = folder
        self._view = view
        self._sort_rows = sort_rows
        self._keys = Spill(folder / f"postings_{view}.spill")

    def add(self, values: NDArray[np.uint32], offsets: NDArray[np.int64]) -> None:
        """Add postings; offsets are bytes into the segment's text and below 2**32."""
        self._keys.append((values.astype(np.uint64) << np.uint64(32)) | offsets.astype(np.uint64))

    def finish(self) -> None:
        """Write both arrays."""
        names = values_name(self._view), positions_name(self._view)
        halves = (
            ((keys >> np.uint64(32)).astype(np.uint32), keys.astype(np.uint32))
            for keys in self._sorted()
        )
        write_arrays(
            [self._folder / name for name in names],
            halves,
            dtype=np.uint32,
            length=len(self._keys),
        )
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
            keys = np.concatenate(
                [some[(some >= low) & (some <= high)] for some in self._keys.chunks()]
            )
            keys.sort()
            yield keys


class FingerprintReader:
    """The postings of one segment, memory-mapped."""

    def __init__(self, folder: Path, *, view: View = "e") -> None:
        self._path = folder / values_name(view)
        positions = folder / positions_name(view)
        self._values: NDArray[np.uint32] = open_array(self._path, dtype=np.uint32)
        self._positions: NDArray[np.uint32] = open_array(positions, dtype=np.uint32)
        if len(self._values) != len(self._positions):
            raise IndexDamagedError(positions, "it does not match the fingerprints")

    def __len__(self) -> int:
        return len(self._values)

    def chunks(self) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.int64]]]:
        """All values with their byte offsets, a part at a time."""
        for first in range(0, len(self), _COPY_ROWS):
            rows = slice(first, first + _COPY_ROWS)
            yield self._values[rows], self._positions[rows].astype(np.int64)

    def ranges(self, values: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first row of each fingerprint's postings, and how many there are: (N,) each.

        Raises:
            IndexDamagedError: the values are not in order, as far as the search saw.
        """
        # Of one dtype with the array: anything else makes searchsorted convert all of it.
        wanted = np.ascontiguousarray(values, dtype=np.uint32)
        first = np.searchsorted(self._values, wanted, side="left")
        n_found = np.searchsorted(self._values, wanted, side="right") - first
        if np.any(n_found < 0):
            raise IndexDamagedError(self._path, "its values are not in order")
        return first, n_found

    def offsets(self, first: int, n_rows: int) -> NDArray[np.int64]:
        """The byte offsets of some rows, as `ranges` gives them."""
        return self._positions[first : first + n_rows].astype(np.int64)

    def lookup(
        self,
        values: NDArray[np.uint32],
        *,
        is_live: Callable[[NDArray[np.int64]], NDArray[np.bool_]] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The postings of fingerprints: indices into `values` and byte offsets, (M,) each.

        Ordered by index and then by offset. Of a value with more than MAX_POSTINGS an even sample.
        Postings at offsets of which `is_live` says no are as if they were not there.

        Raises:
            IndexDamagedError: the values are not in order, as far as the search saw.
        """
        first, n_found = self.ranges(values)
        if is_live is None:
            indices, rows = _sampled(first, n_found, MAX_POSTINGS)
            return indices, self._positions[rows].astype(np.int64)
        few = n_found <= MAX_POSTINGS
        parts = [self._live(first, np.where(few, n_found, 0), is_live)]
        for index in np.flatnonzero(~few):  # one by one, to bound memory
            only = np.where(np.arange(len(first)) == index, n_found, 0)
            parts.append(self._live(first, only, is_live))
        indices = np.concatenate([indices for indices, _ in parts])
        offsets = np.concatenate([offsets for _, offsets in parts])
        order = np.argsort(indices, kind="stable")
        return indices[order], offsets[order]

    def _live(
        self,
        first: NDArray[np.int64],
        n_found: NDArray[np.int64],
        is_live: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sampled after the filter, so that the outcome is that of an index without the dead."""
        indices, rows = _sampled(first, n_found, _MAX_CHECKED)
        offsets = self._positions[rows].astype(np.int64)
        kept = is_live(offsets)
        indices, offsets = indices[kept], offsets[kept]
        n_left = np.bincount(indices, minlength=len(first))
        same, rows = _sampled(np.cumsum(n_left) - n_left, n_left, MAX_POSTINGS)
        return same, offsets[rows]


def _sampled(
    first: NDArray[np.int64], n_found: NDArray[np.int64], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For ranges of rows: which range, and which row, at most `limit` of each, evenly spread."""
    n_taken = np.minimum(n_found, limit)
    indices = np.repeat(np.arange(len(first), dtype=np.int64), n_taken)
    rank = np.arange(len(indices)) - np.repeat(np.cumsum(n_taken) - n_taken, n_taken)
    return indices, first[indices] + rank * n_found[indices] // np.maximum(n_taken[indices], 1)
