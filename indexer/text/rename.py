"""View P: lexemes as they look when the names are taken away, so that renaming changes nothing.

Inside a k-gram a name stands for the distance to its last occurrence in the same k-gram, or for
"new". That numbers names by first occurrence, with no table to keep: two k-grams are equal if and
only if one is the other under a renaming that takes different names to different names. Numbers are
all alike; keywords and punctuation stand for themselves. As the numbering of parameters in Baker,
"Parameterized Pattern Matching" (JCSS 1996), with windows in place of whole texts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from indexer.text.hash_set import HashSet
from indexer.text.keywords import keywords_of
from indexer.text.lex import Lexemes, hash_spans, mix
from indexer.text.winnow import Fingerprints, winnow_grams

P_K = 16  # lexemes in a k-gram of this view
P_W = 8  # k-grams in a window
_MULTIPLIER = np.uint64(0xC2B2AE3D27D4EB4F)
# What a name stands for, by the distance to its last occurrence (0: new), and what a number does.
_STANDS_FOR = mix(np.arange(1 << 8, dtype=np.uint64) + np.uint64(0xA1FA))
NUMBER = _STANDS_FOR[-1]

_NAME, _DIGITS = 1, 2
_KIND_OF = np.zeros(256, dtype=np.uint8)
_KIND_OF[list(b"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = _NAME
_KIND_OF[0x80:] = _NAME
_KIND_OF[list(b"0123456789")] = _DIGITS


def plain_shapes(
    text: bytes, lexemes: Lexemes, language: str
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """What each lexeme stands for if every name is new, and which lexemes are names: (N,) each."""
    kinds = _KIND_OF.take(np.frombuffer(text, dtype=np.uint8).take(lexemes.starts))
    is_name = (kinds == _NAME) & ~_keyword_hashes(language).holds(lexemes.hashes)
    shapes = np.where(kinds == _DIGITS, NUMBER, lexemes.hashes)
    return np.where(is_name, _STANDS_FOR[0], shapes), is_name


def winnow_renamed(
    text: bytes, lexemes: Lexemes, language: str, *, k: int = P_K, w: int = P_W
) -> Fingerprints:
    """The fingerprints of view P; every run of k + w - 1 lexemes that is shared has one in both."""
    return winnow_grams(renamed_gram_hashes(text, lexemes, language, k=k), w=w)


def renamed_gram_hashes(
    text: bytes, lexemes: Lexemes, language: str, *, k: int = P_K
) -> NDArray[np.uint64]:
    """The hash of each of the `len(lexemes) - k + 1` k-grams without its names."""
    n_grams = len(lexemes) - k + 1
    if n_grams <= 0:
        return np.empty(0, dtype=np.uint64)
    shapes, is_name = plain_shapes(text, lexemes, language)
    distances = name_distances(lexemes.hashes, is_name, below=k)
    polynomials = shapes[:n_grams].copy()
    for shift in range(1, k):
        # At this place of its k-gram a name is known if it occurred `shift` lexemes ago or later.
        shapes[distances == shift] = _STANDS_FOR[shift]
        polynomials *= _MULTIPLIER
        polynomials += shapes[shift : shift + n_grams]
    return mix(polynomials)


def name_distances(
    hashes: NDArray[np.uint64], is_name: NDArray[np.bool_], *, below: int
) -> NDArray[np.uint8]:
    """How many lexemes ago each name occurred last; 0 if not within `below`, or if it is none."""
    nearness = np.zeros(len(hashes), dtype=np.uint8)
    for distance in range(1, min(below, len(hashes))):
        is_same = hashes[distance:] == hashes[:-distance]
        later = nearness[distance:]
        np.maximum(later, is_same * np.uint8(below - distance), out=later)
    nearness *= is_name
    return np.where(nearness > 0, np.uint8(below) - nearness, np.uint8(0))


@lru_cache(maxsize=64)
def _keyword_hashes(language: str) -> HashSet:
    words = keywords_of(language)
    ends = np.cumsum([len(word) for word in words])
    starts = ends - [len(word) for word in words]
    return HashSet(hash_spans(np.frombuffer(b"".join(words), dtype=np.uint8), starts, ends))
