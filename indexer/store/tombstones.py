"""The ids of forgotten documents: one sorted array for each generation that has any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.store.arrays import open_array, write_array


def write_tombstones(path: Path, document_ids: NDArray[np.uint32]) -> None:
    """Write ids, sorted and each one once."""
    path.parent.mkdir(exist_ok=True)
    write_array(path, [document_ids], dtype=np.uint32, length=len(document_ids))


def read_tombstones(path: Path, *, n_documents: int) -> NDArray[np.uint32]:
    """The ids of forgotten documents, in memory.

    Raises:
        IndexDamagedError: the file cannot be read or holds no ids of this index in order.
    """
    ids = np.array(open_array(path, dtype=np.uint32))
    if np.any(ids[1:] <= ids[:-1]) or (len(ids) and int(ids[-1]) >= n_documents):
        raise IndexDamagedError(path, "its ids are not in order")
    return ids
