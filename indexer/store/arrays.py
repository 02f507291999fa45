"""Arrays on disk: .npy files written front to back and read memory-mapped; spills for sorting.

Files are written with plain writes and never through a memory map: on a full disk a write is an
error that can be reported, a page of a map is a signal that kills the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from indexer.errors import IndexDamagedError

_HEADER_BYTES = 128  # of any one-dimensional .npy file: numpy pads to leave room for long shapes
_SPILL_ROWS = 1 << 20  # values read from a spill at a time, 8 MiB


def write_array(
    path: Path, chunks: Iterable[NDArray[Any]], *, dtype: DTypeLike, length: int
) -> None:
    """Write chunks, `length` values in all, one after the other as one .npy file."""
    write_arrays([path], ([chunk] for chunk in chunks), dtype=dtype, length=length)


def write_arrays(
    paths: Sequence[Path],
    chunks: Iterable[Sequence[NDArray[Any]]],
    *,
    dtype: DTypeLike,
    length: int,
) -> None:
    """Write several .npy files of `length` values each at once, a chunk for each at a time."""
    kind = np.dtype(dtype).newbyteorder("<")
    n_written = 0
    with ExitStack() as opened:
        files = [opened.enter_context(path.open("wb")) for path in paths]
        for file in files:
            file.write(_header(kind, length))
        for several in chunks:
            for file, chunk in zip(files, several, strict=True):
                file.write(np.ascontiguousarray(chunk, dtype=kind).data)
            n_written += len(several[0])
    if n_written != length:
        raise ValueError(f"{paths[0].name}: {n_written} values written, {length} declared")


def open_array(path: Path, *, dtype: DTypeLike) -> NDArray[Any]:
    """Memory-map a one-dimensional .npy file for reading.

    The header is compared with the one that was written and not parsed: numpy's parser raises
    errors of many kinds on a damaged one.

    Raises:
        IndexDamagedError: the file cannot be opened or holds another type or length.
    """
    kind = np.dtype(dtype).newbyteorder("<")
    try:
        length, rest = divmod(path.stat().st_size - _HEADER_BYTES, kind.itemsize)
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
        if length < 0 or rest or header != _header(kind, length):
            raise IndexDamagedError(path, f"it is no array of {kind}")
        if length == 0:  # nothing to map
            return np.empty(0, dtype=kind)
        return np.asarray(np.memmap(path, dtype=kind, mode="r", offset=_HEADER_BYTES))
    except OSError as error:
        raise IndexDamagedError(path, error.strerror or str(error)) from error


def _header(kind: np.dtype[Any], length: int) -> bytes:
    header = BytesIO()
    fields = {"descr": kind.str, "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(header, fields)
    return header.getvalue()


def open_bytes(path: Path) -> NDArray[np.uint8]:
    """Memory-map a file of any content for reading.

    Raises:
        IndexDamagedError: the file is empty or cannot be opened.
    """
    try:
        return np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
    except (OSError, ValueError) as error:
        raise IndexDamagedError(path, str(error)) from error


class Spill:
    """64-bit values put aside on disk while a build does not know yet how many there will be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._n_values = 0

    def __len__(self) -> int:
        return self._n_values

    def append(self, values: NDArray[np.uint64]) -> None:
        """Put values aside."""
        self._file.write(np.ascontiguousarray(values).data)
        self._n_values += len(values)

    def chunks(self) -> Iterator[NDArray[np.uint64]]:
        """All values in the order they came, about 8 MiB at a time; as often as wanted."""
        self._file.flush()
        with self._path.open("rb") as file:
            while block := file.read(_SPILL_ROWS * 8):
                yield np.frombuffer(block, dtype=np.uint64)

    def discard(self) -> None:
        """Close the file and remove it."""
        self._file.close()
        self._path.unlink(missing_ok=True)
