"""Records on disk for stages that must see all files before they can give any back.

A part is two files: records (see `records`), one zstd frame each, and the frames' byte offsets.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import zstandard
from numpy.typing import NDArray

from indexer.curate.records import dump_record, parse_record
from indexer.source_file import SourceFile

_LEVEL = 1  # the spool is read once or twice: speed counts


class SpoolWriter:
    """Writes one part of a spool."""

    def __init__(self, folder: Path, name: str = "records") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{name}.zst").open("wb")
        self._offsets_path = folder / f"{name}.offsets"
        self._offsets = array("Q", [0])
        self._compress = zstandard.ZstdCompressor(level=_LEVEL).compress

    def add(self, file: SourceFile) -> None:
        """Append a record."""
        frame = self._compress(dump_record(file))
        self._file.write(frame)
        self._offsets.append(self._offsets[-1] + len(frame))

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if kind is None:
            self._offsets_path.write_bytes(self._offsets.tobytes())


class Spool:
    """The records of one or several parts, numbered through and memory-mapped."""

    def __init__(self, folders: Sequence[Path], name: str = "records") -> None:
        self._offsets = [
            np.fromfile(folder / f"{name}.offsets", dtype=np.uint64) for folder in folders
        ]
        # A mapping holds no file open, so there may be thousands of parts.
        self._frames = [_map(folder / f"{name}.zst") for folder in folders]
        self._starts = np.cumsum([0, *(len(offsets) - 1 for offsets in self._offsets)])
        self._decompress = zstandard.ZstdDecompressor().decompress

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, number: int) -> SourceFile:
        if not 0 <= number < len(self):
            raise IndexError(f"no record {number}: the spool has {len(self)}, counting from 0")
        part = int(np.searchsorted(self._starts, number, side="right")) - 1
        start, end = self._offsets[part][number - int(self._starts[part]) :][:2].tolist()
        return parse_record(self._decompress(self._frames[part][start:end].tobytes()))

    def __iter__(self) -> Iterator[SourceFile]:
        return (self[number] for number in range(len(self)))

    def numbers(self, part: int) -> range:
        """The numbers of the records of one part."""
        return range(int(self._starts[part]), int(self._starts[part + 1]))


def _map(path: Path) -> NDArray[np.uint8]:
    if path.stat().st_size == 0:  # which cannot be mapped
        return np.empty(0, dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r")
