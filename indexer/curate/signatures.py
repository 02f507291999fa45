"""MinHash signatures on disk: a writer that streams, a reader that maps.

A folder holds, one row a document: `sizes.u32` (distinct shingles), `keys.u64` (25 band keys),
`signatures.u32` (250 values), and `scheme.json`, which says how they were made and is written
last. That is 1,204 bytes a document on disk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import DTypeLike, NDArray

from indexer.curate.errors import CurateError
from indexer.curate.minhash import (
    N_BANDS,
    N_PERMUTATIONS,
    band_keys,
    scheme,
    shingles,
    sign,
)

_SCHEME_NAME = "scheme.json"
_BATCH_SHINGLES = 1 << 20  # signed at once: 8 MB of hashes


class SignatureWriter:
    """Signs texts in batches and appends the rows."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._scheme_path = folder / _SCHEME_NAME
        self._scheme = scheme()  # first of all: it says so if rensa is missing
        self._sizes = (folder / "sizes.u32").open("wb")
        self._keys = (folder / "keys.u64").open("wb")
        self._rows = (folder / "signatures.u32").open("wb")
        self._batch: list[NDArray[np.uint64]] = []
        self._salts: list[int] = []
        self._n_shingles = 0

    def add(self, data: bytes, namespace: str = "") -> None:
        """Append the row of a text; only texts of one namespace are ever candidates."""
        shingle_set = shingles(data)
        self._batch.append(shingle_set)
        self._salts.append(crc32(namespace.encode()))
        self._n_shingles += len(shingle_set)
        if self._n_shingles >= _BATCH_SHINGLES:
            self._flush()

    def _flush(self) -> None:
        rows = sign(self._batch)
        salts = np.array(self._salts, dtype=np.uint64)[:, np.newaxis]
        np.array([len(one) for one in self._batch], dtype=np.uint32).tofile(self._sizes)
        (band_keys(rows) ^ (salts << np.uint64(32))).tofile(self._keys)
        rows.tofile(self._rows)
        self._batch, self._salts, self._n_shingles = [], [], 0

    def __enter__(self) -> SignatureWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        for file in (self._sizes, self._keys, self._rows):
            file.close()
        if kind is None:
            text = json.dumps(self._scheme.as_dict(), indent=2, sort_keys=True)
            self._scheme_path.write_text(text + "\n", encoding="utf-8")


class Signatures:
    """The rows of one or several folders, numbered through, memory-mapped.

    Raises:
        CurateError: a folder was signed by another scheme, or its signing did not end.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        for folder in folders:
            _check_scheme(folder / _SCHEME_NAME)
        self.sizes: NDArray[np.uint32] = np.concatenate(  # (N,)
            [np.empty(0, np.uint32), *(_map(folder / "sizes.u32", np.uint32) for folder in folders)]
        )
        self._keys = [_map(folder / "keys.u64", np.uint64, N_BANDS) for folder in folders]
        self._rows = [
            _map(folder / "signatures.u32", np.uint32, N_PERMUTATIONS) for folder in folders
        ]
        self._starts = np.cumsum([0, *(len(rows) for rows in self._rows)])

    def __len__(self) -> int:
        return len(self.sizes)

    def leave_out(self, numbers: NDArray[np.int64]) -> None:
        """Treat some documents as if they had too few words to be compared."""
        self.sizes[numbers] = 0

    def keys(self, band: int) -> NDArray[np.uint64]:
        """The key of one band of every document, (N,)."""
        columns = [keys[:, band] for keys in self._keys]
        return np.concatenate([np.empty(0, dtype=np.uint64), *columns])

    def rows(self, numbers: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The signatures of some documents, (M, 250)."""
        found = np.empty((len(numbers), N_PERMUTATIONS), dtype=np.uint32)
        parts = np.searchsorted(self._starts, numbers, side="right") - 1
        for part in np.unique(parts):
            here = parts == part
            found[here] = self._rows[part][numbers[here] - self._starts[part]]
        return found


def _map(path: Path, dtype: DTypeLike, width: int = 0) -> NDArray[Any]:
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.empty((0, width) if width else 0, dtype=dtype)
    mapped = np.memmap(path, dtype=dtype, mode="r")
    return mapped.reshape(-1, width) if width else mapped


def _check_scheme(path: Path) -> None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CurateError(f"{path.parent} has no finished signatures; sign it again") from error
    if found != scheme().as_dict():
        raise CurateError(
            f"the signatures in {path.parent} were made by {found}, this version makes "
            f"{scheme().as_dict()}; sign again"
        )
