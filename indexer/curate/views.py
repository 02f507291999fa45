"""Three views of a text in which copies are recognised, each as a sequence of k-gram hashes.

`words` sees prose, wherever it stands: lower-case words, comments included, nothing else.
`exact` sees code: lexemes without comments, whitespace, and what formatters add, remove or change
(quotes, parentheses, commas, semicolons), so re-indenting and re-formatting change nothing.
`renamed` sees code whose names were changed: each identifier counts as the distance to its last
occurrence within the k-gram (Baker, "Parameterized Pattern Matching", 1996), so that names do not
matter, but which of them are equal does. Keywords, built-in names, attributes and numbers stay.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.text.hash_set import HashSet
from indexer.text.lex import Lexemes, hash_spans, lex, mix, word_spans
from indexer.text.rename import name_distances
from indexer.text.winnow import gram_hashes

_MULTIPLIER = np.uint64(0xD1342543DE82EF95)
_IS_NAME_START = np.zeros(256, dtype=bool)
_IS_NAME_START[list(b"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = True
_IS_NAME_START[0x80:] = True
_IS_FORMATTING = np.zeros(256, dtype=bool)
_IS_FORMATTING[list(b"\"'(),;\\")] = True


@dataclass(frozen=True, slots=True)
class View:
    """The units of a text in order, and the hash of each run of `k` of them."""

    grams: NDArray[np.uint64]  # (N - k + 1,)
    starts: NDArray[np.int64]  # (N,) byte offsets
    ends: NDArray[np.int64]  # (N,)
    k: int


def code_lexemes(data: bytes, language: str) -> Lexemes:
    """The lexemes of a text but for those that a formatter chooses."""
    lexemes = lex(data, language)
    stays = ~_IS_FORMATTING.take(np.frombuffer(data, dtype=np.uint8).take(lexemes.starts))
    return Lexemes(lexemes.hashes[stays], lexemes.starts[stays], lexemes.ends[stays])


def words_view(data: bytes, _: Lexemes, k: int) -> View:
    """Lower-case words of `[A-Za-z_0-9]`, of code, comments and strings with escapes alike."""
    spaced = data.lower().replace(b"\\n", b"  ").replace(b"\\t", b"  ")
    starts, ends = word_spans(spaced)
    words = hash_spans(np.frombuffer(spaced, dtype=np.uint8), starts, ends)
    return View(gram_hashes(words, k=k), starts, ends, k)


def exact_view(_: bytes, lexemes: Lexemes, k: int) -> View:
    """Lexemes as they are."""
    return View(gram_hashes(lexemes.hashes, k=k), lexemes.starts, lexemes.ends, k)


def renamed_view(data: bytes, lexemes: Lexemes, k: int) -> View:
    """Lexemes without the names that a copyist can choose."""
    return View(_parameterised(data, lexemes, k), lexemes.starts, lexemes.ends, k)


MakeView = Callable[[bytes, Lexemes, int], View]


def _parameterised(data: bytes, lexemes: Lexemes, k: int) -> NDArray[np.uint64]:
    n_grams = len(lexemes) - k + 1
    if n_grams <= 0:
        return np.empty(0, dtype=np.uint64)
    is_name = _is_name(data, lexemes)
    distances = name_distances(lexemes.hashes, is_name, below=k)
    # A name that was not met before in this k-gram is new, whatever stands before the k-gram.
    codes = np.where(is_name, np.uint64(0), lexemes.hashes)
    polynomials = codes[:n_grams].copy()
    for place in range(1, k):
        codes[distances == place] = place  # known from this place of its k-gram on
        polynomials *= _MULTIPLIER
        polynomials += codes[place : place + n_grams]
    return mix(polynomials)


def _is_name(data: bytes, lexemes: Lexemes) -> NDArray[np.bool_]:
    firsts = np.frombuffer(data, dtype=np.uint8).take(lexemes.starts)
    is_name: NDArray[np.bool_] = _IS_NAME_START.take(firsts)
    is_name &= ~_FIXED.holds(lexemes.hashes)
    is_name[1:] &= firsts[:-1] != ord(".")  # attributes and methods belong to others
    return is_name


_FIXED = HashSet(lex(" ".join([*keyword.kwlist, *dir(builtins)]).encode(), "python").hashes)
