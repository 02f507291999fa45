"""Lines of plain and compressed files, in bounded memory whatever the file holds."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

MAX_LINE_BYTES = 16_000_000
# A zstd block may unpack to 128 KiB from 4 bytes: this much input makes 64 MiB at the worst.
_INPUT_BYTES = 2048
_MAX_WINDOW_BYTES = 1 << 27  # what `zstd` itself accepts without --long
_BUFFER_BYTES = 1 << 20
STREAM_ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError)


class LineTooLong:
    """Stands for a line of more than `MAX_LINE_BYTES`, which is not kept in memory."""


class _ZstdStream(io.RawIOBase):
    """Unpacks zstd frames; unlike the library's reader it tells a truncated file from a whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacked = b""
        self._position = 0
        self._left = b""
        self._frame: zstandard.ZstdDecompressionObj | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while self._position == len(self._unpacked):
            packed = self._left or self._file.read(_INPUT_BYTES)
            if not packed:
                if self._frame is not None:
                    raise EOFError("it ends inside of a zstd frame")
                return 0
            self._unpack(packed)
        n_bytes = min(len(view), len(self._unpacked) - self._position)
        view[:n_bytes] = self._unpacked[self._position : self._position + n_bytes]
        self._position += n_bytes
        return n_bytes

    def _unpack(self, packed: bytes) -> None:
        if self._frame is None:
            decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
            self._frame = decompressor.decompressobj()
        self._unpacked, self._position = self._frame.decompress(packed), 0
        self._left = b""
        if self._frame.eof:
            self._left, self._frame = self._frame.unused_data, None


def read_lines(path: Path) -> Iterator[bytes | LineTooLong]:
    """The lines of a plain, `.gz` or `.zst` file, with their ends.

    Raises:
        OSError, EOFError, zlib.error, zstandard.ZstdError: `STREAM_ERRORS`, where the rest of the
            file cannot be read; what came before has been given.
    """
    with path.open("rb") as file, _unpacked(path, file) as stream:
        while line := stream.readline(MAX_LINE_BYTES + 1):
            if len(line) <= MAX_LINE_BYTES:
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = stream.readline(_BUFFER_BYTES)
            yield LineTooLong()


def _unpacked(path: Path, file: BinaryIO) -> BinaryIO:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if suffix == ".zst":
        return cast("BinaryIO", io.BufferedReader(_ZstdStream(file), _BUFFER_BYTES))
    return file
