"""Text to word 5-grams to MinHash signatures to the keys of LSH bands.

The settings are those of The Stack's near-de-duplication (bigcode-dataset, `near_deduplication`):
words of `[A-Za-z_0-9]`, shingles of 5 words, 250 permutations, 25 bands of 10 rows for a Jaccard
similarity of 0.7. Two texts of similarity s share a band with probability 1 - (1 - s^10)^25: 0.51
at 0.7, 0.94 at 0.8, 0.996 at 0.85.

Unlike there, a text of fewer than 5 words has no signature (one signature for all of them would
make one cluster of every tiny file), and candidates are verified on their shingles.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from indexer.curate.errors import CurateError
from indexer.text.lex import hash_spans, mix, word_spans
from indexer.text.winnow import gram_hashes

SHINGLE_WORDS = 5
N_BANDS = 25
N_ROWS = 10
N_PERMUTATIONS = N_BANDS * N_ROWS
THRESHOLD = 0.7
SEED = 1

_ROW_MULTIPLIER = np.uint64(0xD1342543DE82EF95)  # odd and 5 mod 8; see `indexer.text.lex`


@dataclass(frozen=True, kw_only=True, slots=True)
class Scheme:
    """All that signatures depend on; signatures of two schemes cannot be compared."""

    algorithm: str
    version: int
    seed: int
    n_permutations: int = N_PERMUTATIONS
    n_bands: int = N_BANDS
    shingle: str = f"{SHINGLE_WORDS} words of [A-Za-z_0-9]+, polynomial + splitmix64"

    def as_dict(self) -> dict[str, str | int]:
        """The fields, to be stored beside the signatures."""
        return asdict(self)


def scheme() -> Scheme:
    """The scheme of the signatures that `sign` makes now.

    Raises:
        CurateError: rensa is not installed.
    """
    minhash = _rensa().RMinHash
    return Scheme(algorithm="rensa.RMinHash", version=int(minhash.ALGORITHM_VERSION), seed=SEED)


def shingles(data: bytes) -> NDArray[np.uint64]:
    """The distinct hashes of a text's shingles, ascending; none for fewer than 5 words."""
    starts, ends = word_spans(data)
    if len(starts) < SHINGLE_WORDS:
        return np.empty(0, dtype=np.uint64)
    words = hash_spans(np.frombuffer(data, dtype=np.uint8), starts, ends)
    return _distinct(gram_hashes(words, k=SHINGLE_WORDS))


def sign(sets: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint32]:
    """The signature of each set of shingles, (N, 250); an empty set's is all ones.

    Raises:
        CurateError: rensa is not installed.
    """
    if not sets:
        return np.empty((0, N_PERMUTATIONS), dtype=np.uint32)
    offsets = np.zeros(len(sets) + 1, dtype=np.uint64)
    np.cumsum([len(one) for one in sets], out=offsets[1:])
    matrix = _rensa().RMinHash.digest_matrix_from_flat_token_hashes(
        np.concatenate(sets), offsets, N_PERMUTATIONS, SEED
    )
    return np.array(matrix.to_rows(), dtype=np.uint32)


def band_keys(signatures: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """The key of each band of each signature, (N, 25): equal where all ten rows are equal."""
    rows = signatures.reshape(len(signatures), N_BANDS, N_ROWS)
    keys = np.zeros(rows.shape[:2], dtype=np.uint64)
    for row in range(N_ROWS):
        keys = mix((keys + rows[:, :, row]) * _ROW_MULTIPLIER)
    return keys


def estimate(signature: NDArray[np.uint32], signatures: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The estimated similarity of one signature to each of (N, 250); standard error ≤ 0.032."""
    return np.asarray((signatures == signature).mean(axis=1), dtype=np.float64)


def jaccard(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    """The exact Jaccard similarity of two sets as `shingles` gives them; 0 for two empty ones."""
    if len(left) > len(right):
        left, right = right, left
    if len(left) == 0:
        return 0.0
    places = np.searchsorted(right, left)
    places[places == len(right)] = 0
    n_shared = int(np.count_nonzero(right[places] == left))
    return n_shared / (len(left) + len(right) - n_shared)


def _distinct(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """As `numpy.unique`, ten times as fast: numpy sorts 64-bit numbers faster than it hashes."""
    ordered = np.sort(hashes)
    is_new = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return ordered[is_new]


def _rensa() -> ModuleType:
    try:
        return importlib.import_module("rensa")
    except ModuleNotFoundError as error:
        raise CurateError("rensa is not installed; run: pip install --upgrade starcite") from error
