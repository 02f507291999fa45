"""A 5-gram model with modified Kneser-Ney smoothing, the baseline that a model has to pass.

Interpolated, with three discounts an order estimated from counts of counts (Chen and Goodman,
"An Empirical Study of Smoothing Techniques for Language Modeling", TR-10-98, section 4.3.2):

    p_n(w|h) = max(c(hw) - D(c(hw)), 0) / c(h·)  +  g(h) p_{n-1}(w|h')
    g(h)     = (D1 N1(h·) + D2 N2(h·) + D3+ N3+(h·)) / c(h·)

where c counts occurrences in the longest order and distinct left neighbours in the others; below
the unigrams lies the uniform distribution. The n-grams of each order are a sorted array of
(node of the first n-1 tokens, last token), so that a look-up is a bisection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from training.evaluate.decode import Vector

if TYPE_CHECKING:
    from training.evaluate.text_tokens import TextTokens

ORDER = 5
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """All n-grams of one order, by node: their place in `keys`."""

    keys: Ints  # node of the context · V + token, ascending
    counts: Ints
    discounts: Vector  # of a count of 0, 1, 2 and 3 or more
    totals: Ints  # c(h·) of each context
    gammas: Vector  # g(h) of each context


class NGram:
    """A `TokenModel` and a `Scorer`.

    Args:
        tokens: the tokenizer that it counts in; the model beside it should have the same.
        texts: what it learns from.
    """

    n_context = 256  # it looks at the last few tokens only, so this costs nothing

    def __init__(self, tokens: TextTokens, texts: Iterable[str], order: int = ORDER) -> None:
        self._tokens, self.vocabulary = tokens, tokens.vocabulary
        self.name = f"{order}-gram Kneser-Ney"
        self._n_vocab = len(tokens.vocabulary.tokens)
        start = list(tokens.vocabulary.start) or [0]
        stream = [np.asarray([*start, *tokens.encode(text)], dtype=np.int64) for text in texts]
        data = np.concatenate([*stream, np.asarray(start, dtype=np.int64)])
        self.n_tokens = len(data)
        self._levels = _count(data, self._n_vocab, order)

    def encode(self, text: str) -> list[int]:
        """The ids of a text."""
        return self._tokens.encode(text)

    def begin(self, ids: Sequence[int]) -> tuple[Vector, tuple[int, ...]]:
        """The ln p of the token after `ids`."""
        context = tuple(ids[len(ids) - min(len(ids), len(self._levels) - 1) :])
        return np.log(self.distribution(context)), context

    def step(self, token: int, state: tuple[int, ...]) -> tuple[Vector, tuple[int, ...]]:
        """The ln p of the token after one more."""
        return self.begin([*state, token])

    def distribution(self, context: Sequence[int]) -> Vector:
        """The chances p(·|context), (V,): positive everywhere, sum 1."""
        chances = np.full(self._n_vocab, 1 / self._n_vocab)
        for n, level in enumerate(self._levels):
            node = self._node(context[len(context) - n :]) if n <= len(context) else -1
            if node < 0 or not level.totals[node]:
                break
            ends = np.searchsorted(level.keys, [node * self._n_vocab, (node + 1) * self._n_vocab])
            counts = level.counts[ends[0] : ends[1]]
            tokens = level.keys[ends[0] : ends[1]] - node * self._n_vocab
            chances *= level.gammas[node]
            chances[tokens] += (counts - level.discounts[np.minimum(counts, 3)]) / level.totals[
                node
            ]
        return chances

    def nats(self, text: str) -> float:
        """The text's -ln p."""
        start = list(self.vocabulary.start)
        ids = np.asarray([*start, *self.encode(text)], dtype=np.int64)
        return float(-np.log(self.chances(ids)[len(start) :]).sum())

    def chances(self, ids: Ints) -> Vector:
        """The chance of each of `ids` (T,) after those before it, (T,)."""
        chances = np.full(len(ids), 1 / self._n_vocab)
        nodes = np.zeros(len(ids) + 1, dtype=np.int64)  # of the n-1 tokens from each place on
        for n, level in enumerate(self._levels, 1):
            n_places = len(ids) - n + 1
            if n_places <= 0 or not len(level.keys):  # a text shorter than the order
                break
            contexts = nodes[:n_places]
            found = _find(level.keys, contexts, ids[n - 1 :], self._n_vocab)
            totals = np.where(contexts >= 0, level.totals[contexts], 0)
            counts = np.where(found >= 0, level.counts[found], 0)
            own = (counts - level.discounts[np.minimum(counts, 3)]) / np.maximum(totals, 1)
            lower = chances[n - 1 :]
            chances[n - 1 :] = np.where(totals > 0, own + level.gammas[contexts] * lower, lower)
            nodes = found
        return chances

    def _node(self, ids: Sequence[int]) -> int:
        node = 0
        for level, token in zip(self._levels, ids, strict=False):
            key = node * self._n_vocab + token
            node = int(np.searchsorted(level.keys, key))
            if node == len(level.keys) or level.keys[node] != key:
                return -1
        return node


def _find(keys: Ints, contexts: Ints, tokens: Ints, n_vocab: int) -> Ints:
    wanted = np.where(contexts >= 0, contexts * n_vocab + tokens, -1)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)


def _count(data: Ints, n_vocab: int, order: int) -> list[Level]:
    keys_of: list[Ints] = []
    counts_of: list[Ints] = []
    nodes = np.zeros(len(data) + 1, dtype=np.int64)
    for n in range(1, order + 1):
        n_places = len(data) - n + 1
        keys, inverse, counts = np.unique(
            nodes[:n_places] * n_vocab + data[n - 1 :], return_inverse=True, return_counts=True
        )
        if n > 1:  # what stands to the left of the shorter n-gram, each once
            suffix = np.empty(len(keys), dtype=np.int64)
            suffix[inverse] = nodes[1 : n_places + 1]
            counts_of[-1] = np.bincount(suffix, minlength=len(keys_of[-1]))
        keys_of.append(keys)
        counts_of.append(counts)
        nodes = inverse.astype(np.int64)
    contexts = [1, *(len(keys) for keys in keys_of[:-1])]
    return [
        _level(keys, counts.astype(np.int64), n_contexts, n_vocab)
        for keys, counts, n_contexts in zip(keys_of, counts_of, contexts, strict=True)
    ]


def _level(keys: Ints, counts: Ints, n_contexts: int, n_vocab: int) -> Level:
    discounts = _discounts(counts)
    parents = keys // n_vocab
    totals = np.bincount(parents, weights=counts, minlength=n_contexts)
    taken = np.bincount(parents, discounts[np.minimum(counts, 3)], minlength=n_contexts)
    gammas = taken / np.maximum(totals, 1)
    return Level(keys, counts, discounts, totals.astype(np.int64), gammas)


def _discounts(counts: Ints) -> Vector:
    """D1, D2, D3+ of equation 26; where there is too little to estimate them, a half of each."""
    n = np.bincount(np.minimum(counts, 5), minlength=6).astype(np.float64)
    if not n[1:5].all():
        return np.asarray([0.0, 0.5, 1.0, 1.5])
    y = n[1] / (n[1] + 2 * n[2])
    estimated = [0.0, *(k - (k + 1) * y * n[k + 1] / n[k] for k in (1, 2, 3))]
    bounded: Vector = np.minimum(np.maximum(np.asarray(estimated), 0.0), np.arange(4.0))
    return bounded
