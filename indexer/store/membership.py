"""The quick first look: a Bloom filter over whitespace-free tiles of the indexed text.

Of each document the tiles of 32 bytes at stride 32 are members; a query asks for its tiles at
every offset. One hit says little (boilerplate, separators), a chain of consecutive tiles much.
A chain of n needs up to (n + 1) * 32 - 1 bytes of shared text, so short copies may have none.
A second filter has tiles of 50 bytes of the text as it stands, the tiling of Data Portraits
(Marone, Van Durme, NeurIPS 2023), so that clients of that service can ask this index.
Filter: Bloom, "Space/Time Trade-offs in Hash Coding with Allowable Errors" (CACM 1970).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.store.arrays import Spill, open_array, write_array
from indexer.text.lex import mix
from indexer.text.normalize import strip_whitespace

TILE_CHARS = 32  # bytes of text without whitespace
FPR = 1e-4  # false positives per tile asked for, at capacity
N_HASHES = 13  # round(-log2(FPR)), the number of hashes that needs the fewest bits
FILE_NAME = "membership.npy"
PORTRAIT_BYTES = 50
PORTRAIT_NAME = "membership_portrait.npy"

_SLICE_BITS = 1 << 26  # a filter is written in slices of 64 MiB of working memory
_QUERY_BLOCK = 1 << 16  # offsets looked up at a time
_WORD_FACTORS = mix(np.arange(1, 9, dtype=np.uint64)) | np.uint64(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tiling:
    """How a text is cut into tiles, and the file of their filter."""

    file_name: str
    n_bytes: int  # of a tile, and the stride on the indexed side
    normalise: Callable[[bytes], bytes]

    def tiles(self, data: bytes) -> NDArray[np.uint64]:
        """The hashes of a document's tiles; what is left over at its end has none."""
        text = self.normalise(data)
        n_tiles = len(text) // self.n_bytes
        rows = np.frombuffer(text, dtype=np.uint8, count=n_tiles * self.n_bytes)
        return _tile_hashes(rows.reshape(n_tiles, self.n_bytes))


STRIPPED = Tiling(file_name=FILE_NAME, n_bytes=TILE_CHARS, normalise=strip_whitespace)
PORTRAIT = Tiling(file_name=PORTRAIT_NAME, n_bytes=PORTRAIT_BYTES, normalise=bytes)
TILINGS = (STRIPPED, PORTRAIT)


def n_bits_for(capacity: int) -> int:
    """The bits that hold `capacity` tiles within FPR, a multiple of 8, fewer than 2**32.

    Solves fpr = (1 - exp(-n_hashes * capacity / n_bits)) ** n_hashes for n_bits.
    """
    share = -math.log(1 - FPR ** (1 / N_HASHES))
    return 8 * max(8, math.ceil(N_HASHES * capacity / share / 8))


class MembershipWriter:
    """Collects the tiles of documents and writes the filter once their number is known."""

    def __init__(self, folder: Path, tiling: Tiling = STRIPPED) -> None:
        self._path = folder / tiling.file_name
        self._tiling = tiling
        self._tiles = Spill(self._path.with_suffix(".spill"))

    def add(self, data: bytes) -> None:
        """Add a document's tiles."""
        self._tiles.append(self._tiling.tiles(data))

    def finish(self) -> None:
        """Write the filter."""
        n_bits = n_bits_for(len(self._tiles))
        write_array(self._path, self._slices(n_bits), dtype=np.uint8, length=n_bits // 8)
        self.discard()

    def discard(self) -> None:
        """Remove what was put aside."""
        self._tiles.discard()

    def _slices(self, n_bits: int) -> Iterator[NDArray[np.uint8]]:
        for begin in range(0, n_bits, _SLICE_BITS):
            size = min(_SLICE_BITS, n_bits - begin)
            bits = np.zeros(size, dtype=np.bool_)
            for tiles in self._tiles.chunks():
                steps = _steps(tiles)
                for index in range(N_HASHES):
                    places = _probe(tiles, steps, index, n_bits)
                    if size < n_bits:
                        places = places - np.uint64(begin)  # wraps round below the slice
                        places = places[places < np.uint64(size)]
                    bits[places.view(np.int64)] = True  # numpy copies indices that have no sign
            yield np.packbits(bits, bitorder="little")


class Membership:
    """The filter, memory-mapped. Never a false negative."""

    def __init__(self, bits: NDArray[np.uint8], tiling: Tiling = STRIPPED) -> None:
        self._bits = bits
        self._tiling = tiling

    @classmethod
    def open(cls, folder: Path, tiling: Tiling = STRIPPED) -> Membership:
        """Map the filter in a segment's folder."""
        return cls(open_array(folder / tiling.file_name, dtype=np.uint8), tiling)

    def contains(self, tiles: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Whether each tile hash is a member, (N,) bool; wrong with probability FPR if True."""
        alive, values, steps = np.arange(len(tiles)), tiles, _steps(tiles)
        for index in range(N_HASHES):  # most strangers are gone after two probes
            probe = _probe(values, steps, index, len(self._bits) * 8)
            byte = self._bits[(probe >> np.uint64(3)).astype(np.int64)]
            hit = (byte >> (probe & np.uint64(7)).astype(np.uint8)) & np.uint8(1) != 0
            alive, values, steps = alive[hit], values[hit], steps[hit]
        found = np.zeros(len(tiles), dtype=np.bool_)
        found[alive] = True
        return found

    def longest_chain(self, data: bytes) -> int:
        """The most tiles in a row, each right behind the one before, that are all members."""
        width = self._tiling.n_bytes
        hits = self.hits(data)
        padded = np.zeros(-(-len(hits) // width) * width, dtype=np.bool_)
        padded[: len(hits)] = hits
        return _longest_run(padded.reshape(-1, width)) if len(hits) else 0

    def hits(self, data: bytes) -> NDArray[np.bool_]:
        """For each offset of the normalised text whether the tile that begins there is a member."""
        text = np.frombuffer(self._tiling.normalise(data), dtype=np.uint8)
        n_offsets = max(0, len(text) - self._tiling.n_bytes + 1)
        hits = np.zeros(n_offsets, dtype=np.bool_)
        if not n_offsets:
            return hits
        windows = np.lib.stride_tricks.sliding_window_view(text, self._tiling.n_bytes)
        for begin in range(0, n_offsets, _QUERY_BLOCK):
            block = windows[begin : begin + _QUERY_BLOCK]
            hits[begin : begin + len(block)] = self.contains(_tile_hashes(block))
        return hits


def _tile_hashes(tiles: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hash tiles given as rows of bytes, which end is padded with zeros: (N, B) → (N,) uint64."""
    n_words = -(-tiles.shape[1] // 8)
    padded = np.zeros((len(tiles), n_words * 8), dtype=np.uint8)
    padded[:, : tiles.shape[1]] = tiles
    words = padded.view("<u8")
    hashes = np.zeros(len(words), dtype=np.uint64)
    for column in range(n_words):
        hashes = mix((hashes ^ words[:, column]) * _WORD_FACTORS[column])
    return hashes


def _steps(tiles: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return mix(tiles) | np.uint64(1)


def _probe(
    tiles: NDArray[np.uint64], steps: NDArray[np.uint64], index: int, n_bits: int
) -> NDArray[np.uint64]:
    """Double hashing (Kirsch, Mitzenmacher 2006), reduced to n_bits by multiplication."""
    mixed = tiles + steps * np.uint64(index)
    return np.asarray(
        ((mixed >> np.uint64(32)) * np.uint64(n_bits)) >> np.uint64(32), dtype=np.uint64
    )


def _longest_run(hits: NDArray[np.bool_]) -> int:
    """The longest run of True down any column; (rows, columns) bool."""
    counts = np.cumsum(hits, axis=0)
    before = np.maximum.accumulate(np.where(hits, 0, counts), axis=0)  # count at the last False
    return int((counts - before).max())
