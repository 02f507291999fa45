"""Lexemes to fingerprints: robust winnowing of k-gram hashes.

Schleimer, Wilkerson, Aiken: "Winnowing: Local Algorithms for Document Fingerprinting" (SIGMOD
2003), section 3: of each window of w consecutive k-grams the rightmost minimum is kept. So every
run of k + w - 1 lexemes that two texts share has a fingerprint in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.text.lex import mix

K = 10  # lexemes in a k-gram
W = 8  # k-grams in a window
_MULTIPLIER = np.uint64(0xD1342543DE82EF95)
_LOW_32 = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The kept k-grams of a text, in order of position."""

    values: NDArray[np.uint32]  # (M,)
    positions: NDArray[np.int64]  # (M,) index of the k-gram's first lexeme

    def __len__(self) -> int:
        return len(self.values)


def winnow(hashes: NDArray[np.uint64], *, k: int = K, w: int = W) -> Fingerprints:
    """The fingerprints of a sequence of lexeme hashes.

    A sequence shorter than one window but of k lexemes or more has one fingerprint, the minimum of
    what there is; a shorter one has none.
    """
    return winnow_grams(gram_hashes(hashes, k=k), w=w)


def winnow_grams(grams: NDArray[np.uint64], *, w: int) -> Fingerprints:
    """The fingerprints among the hashes of all k-grams of a text."""
    if len(grams) == 0:
        return Fingerprints(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int64))
    positions = _rightmost_minima(grams, min(w, len(grams)))
    # The order of the k-grams comes from the low half and the value from the high half: the kept
    # values are then uniform, not the small ones, and 32 bits are worth 32 bits.
    values = (grams[positions] >> np.uint64(32)).astype(np.uint32)
    return Fingerprints(values, positions)


def gram_hashes(hashes: NDArray[np.uint64], *, k: int = K) -> NDArray[np.uint64]:
    """The hash of each of the `len(hashes) - k + 1` k-grams."""
    n_grams = len(hashes) - k + 1
    if n_grams <= 0:
        return np.empty(0, dtype=np.uint64)
    polynomials = hashes[:n_grams].copy()
    for shift in range(1, k):
        polynomials *= _MULTIPLIER
        polynomials += hashes[shift : shift + n_grams]
    return mix(polynomials)


def _rightmost_minima(grams: NDArray[np.uint64], width: int) -> NDArray[np.int64]:
    """The position of the rightmost minimum of each window, each position once."""
    backwards = _LOW_32 - np.arange(len(grams), dtype=np.uint64)
    minima = (grams << np.uint64(32)) | backwards  # of equal ones, the rightmost is smallest
    covered = 1
    while covered < width:  # windows of twice the width, until one step more would be too wide
        step = min(covered, width - covered)
        minima = np.minimum(minima[:-step], minima[step:])
        covered += step
    positions = (_LOW_32 - (minima & _LOW_32)).astype(np.int64)
    is_new = np.ones(len(positions), dtype=bool)
    is_new[1:] = positions[1:] != positions[:-1]
    return positions[is_new]
