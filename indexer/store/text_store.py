"""The indexed text itself: one zstd frame a document, so that a match can be proved and shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zstandard
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.store.arrays import open_array, open_bytes, write_array

TEXT_NAME = "text.zst"
OFFSETS_NAME = "text_offsets.npy"
STARTS_NAME = "document_starts.npy"

_LEVEL = 3


class TextWriter:
    """Appends documents; the byte offsets of the text they make up together are its measure."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / TEXT_NAME).open("wb")
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        self._offsets = [0]
        self._starts = [0]

    @property
    def n_bytes(self) -> int:
        """The bytes of text added so far: where the next document starts."""
        return self._starts[-1]

    def add(self, data: bytes) -> None:
        """Append a document."""
        self.add_frame(self._compressor.compress(data), n_bytes=len(data))

    def add_frame(self, frame: bytes, *, n_bytes: int) -> None:
        """Append a document that is compressed already, and has so many bytes."""
        self._file.write(frame)
        self._offsets.append(self._offsets[-1] + len(frame))
        self._starts.append(self._starts[-1] + n_bytes)

    def finish(self) -> None:
        """Write where each document's frame and text begin."""
        self.discard()
        for name, values in ((OFFSETS_NAME, self._offsets), (STARTS_NAME, self._starts)):
            array = np.array(values, dtype=np.int64)
            write_array(self._folder / name, [array], dtype=np.int64, length=len(array))

    def discard(self) -> None:
        """Close the file."""
        self._file.close()


class TextReader:
    """The texts of one segment."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / TEXT_NAME
        self._frames = open_bytes(self._path)
        self._offsets: NDArray[np.int64] = open_array(folder / OFFSETS_NAME, dtype=np.int64)
        self._starts: NDArray[np.int64] = open_array(folder / STARTS_NAME, dtype=np.int64)
        if len(self._offsets) != len(self._starts) or len(self._offsets) < 2:
            raise IndexDamagedError(folder / STARTS_NAME, "it does not match the text's offsets")
        if self._starts[0] != 0 or np.any(self._starts[1:] < self._starts[:-1]):
            raise IndexDamagedError(folder / STARTS_NAME, "its offsets are not in order")

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each document's text begins, and last where all of it ends; (N + 1,)."""
        return self._starts

    def frame(self, number: int) -> bytes:
        """A document as it is stored."""
        return self._frames[int(self._offsets[number]) : int(self._offsets[number + 1])].tobytes()

    def read(self, number: int) -> bytes:
        """The UTF-8 text of a document, by its number in the segment.

        Raises:
            IndexDamagedError: the frame does not decompress to what was written.
        """
        frame = self.frame(number)
        n_bytes = int(self._starts[number + 1] - self._starts[number])
        try:
            # Before decompressing, as a damaged header may ask for more memory than there is.
            if zstandard.frame_content_size(frame) != n_bytes:
                raise IndexDamagedError(self._path, f"frame {number} has another length")
            # A decompressor of its own for each call: one must not be shared between threads.
            return zstandard.ZstdDecompressor().decompress(frame)
        except zstandard.ZstdError as error:
            raise IndexDamagedError(self._path, f"frame {number}: {error}") from error

    def locate(self, offsets: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Offsets into the segment's text → numbers of documents and offsets inside of them.

        Raises:
            IndexDamagedError: an offset lies outside of all documents.
        """
        numbers = np.searchsorted(self._starts, offsets, side="right") - 1
        if np.any((numbers < 0) | (numbers >= len(self))):
            raise IndexDamagedError(self._path, "postings lead out of it")
        return numbers.astype(np.int32), offsets - self._starts[numbers]
