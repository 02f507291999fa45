"""Text from a model of tokens: prompts, token healing, greedy and random decoding.

A `TokenModel` gives the logarithm of the next token's probabilities; everything else is the same
for a decoder of ours, a released model and an n-gram model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Layout = Literal["prefix", "psm", "spm"]
Vector = NDArray[np.float64]
TOP_P = 0.95  # as the HumanEval paper samples
_CHARS_PER_TOKEN = 12  # more than any code has on average: what is cut before it is encoded
_N_SENTINELS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What ids stand for."""

    tokens: tuple[bytes, ...]  # of each id; of a control token, nothing
    ends: frozenset[int]  # control tokens: text ends there
    start: tuple[int, ...]  # what stands before a document
    fim: tuple[int, int, int] | None  # prefix, suffix, middle


class TokenModel(Protocol):
    """The next token's log-probabilities, one step at a time."""

    name: str
    vocabulary: Vocabulary
    n_context: int  # tokens that it can look at, the next one included

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without control tokens."""

    def begin(self, ids: Sequence[int]) -> tuple[Vector, Any]:
        """The ln p of the token after `ids`, (V,), and a state to go on from."""

    def step(self, token: int, state: Any) -> tuple[Vector, Any]:
        """The same after one token more; the state that went in must not be used again."""


class Filler:
    """Answers with a model of tokens.

    Args:
        layout: "prefix" reads only what stands before the cursor.
        heal: cut the last token off the prompt and force its text back, since a cursor inside a
            token leaves a prompt such as was never seen in training.
    """

    def __init__(
        self, model: TokenModel, layout: Layout, *, heal: bool, max_tokens: int = 48
    ) -> None:
        self._model, self._layout, self._heal = model, layout, heal
        self._max_tokens = min(max_tokens, model.n_context // 2)
        self.name = f"{model.name} ({layout}{', healed' if heal else ''})"

    def complete(self, prefix: str, suffix: str, *, one_line: bool) -> str:
        """The text at the cursor, greedily."""
        return self.answer(prefix, suffix, one_line=one_line)[0]

    def answer(self, prefix: str, suffix: str, *, one_line: bool) -> tuple[str, float]:
        """The text at the cursor, and ln p of its tokens together (the healed one aside)."""
        ids, forced = self._prompt(prefix, suffix)
        n_forced = len(forced)
        masks = Masks(self._model.vocabulary)
        scores, state = self._model.begin(ids)
        written, ln_p = b"", 0.0
        for _ in range(self._max_tokens):
            token = int(np.argmax(scores + masks.allowing(forced)))
            ln_p += 0.0 if forced else float(scores[token])
            if token in self._model.vocabulary.ends:
                break
            piece = self._model.vocabulary.tokens[token]
            written, forced = written + piece, forced[len(piece) :]
            if one_line and b"\n" in written[n_forced:]:
                break
            scores, state = self._model.step(token, state)
        text = written[n_forced:].decode("utf-8", "ignore")
        return (text.split("\n", 1)[0] if one_line else text), ln_p

    def _prompt(self, prefix: str, suffix: str) -> tuple[list[int], bytes]:
        """The prompt's ids within the context, and the bytes that must come first."""
        vocabulary = self._model.vocabulary
        room = self._model.n_context - self._max_tokens - _N_SENTINELS
        before = self._model.encode(prefix[-room * _CHARS_PER_TOKEN :])
        forced = b""
        if self._heal and before:
            forced = vocabulary.tokens[before.pop()]
        if self._layout == "prefix" or vocabulary.fim is None:
            is_whole = len(before) < room and len(prefix) <= room * _CHARS_PER_TOKEN
            start = vocabulary.start if is_whole or not before else ()
            return [*start, *before[-room:]], forced
        after = self._model.encode(suffix[: room * _CHARS_PER_TOKEN])
        n_after = min(len(after), max(room // 3, room - len(before)))
        after, before = after[:n_after], before[len(before) - min(len(before), room - n_after) :]
        begin, then, middle = vocabulary.fim
        if self._layout == "spm":
            return [begin, then, *after, middle, *before], forced
        return [begin, *before, then, *after, middle], forced


class Drawer:
    """Draws continuations of a prompt from a model of tokens."""

    def __init__(self, model: TokenModel) -> None:
        self._model = model
        self.name = model.name

    def sample(
        self, prompt: str, *, temperature: float, max_tokens: int, stop: Sequence[str], seed: int
    ) -> str:
        """One continuation, by nucleus sampling with p = 0.95; greedy at temperature 0."""
        vocabulary = self._model.vocabulary
        rng = np.random.default_rng(seed)
        max_tokens = min(max_tokens, self._model.n_context // 2)
        room = self._model.n_context - max_tokens - 1
        ids = self._model.encode(prompt[-room * _CHARS_PER_TOKEN :])
        start = vocabulary.start if len(ids) < room else ()
        scores, state = self._model.begin([*start, *ids[-room:]])
        written = b""
        for _ in range(max_tokens):
            token = _drawn(scores, temperature, rng)
            if token in vocabulary.ends:
                break
            written += vocabulary.tokens[token]
            if any(one.encode() in written for one in stop):
                break
            scores, state = self._model.step(token, state)
        text = written.decode("utf-8", "ignore")
        return text[: min((at for one in stop if (at := text.find(one)) >= 0), default=len(text))]


class Masks:
    """Which tokens may come next while bytes are forced: (V,) of 0 and -inf."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def allowing(self, forced: bytes) -> Vector | float:
        """For tokens that begin with the forced bytes or that the forced bytes begin with."""
        return _mask(self._vocabulary, forced) if forced else 0.0


@lru_cache(maxsize=4096)
def _mask(vocabulary: Vocabulary, forced: bytes) -> Vector:
    allowed = [
        bool(token) and (token.startswith(forced) or forced.startswith(token))
        for token in vocabulary.tokens
    ]
    if not any(allowed):  # a vocabulary that cannot spell these bytes
        return np.zeros(len(allowed))
    return np.where(allowed, 0.0, -np.inf)


def _drawn(scores: Vector, temperature: float, rng: np.random.Generator) -> int:
    if temperature == 0:
        return int(np.argmax(scores))
    scaled = scores / temperature
    chances = np.exp(scaled - scaled.max())
    chances /= chances.sum()
    order = np.argsort(-chances, kind="stable")
    kept = order[: int(np.searchsorted(np.cumsum(chances[order]), TOP_P)) + 1]
    return int(rng.choice(kept, p=chances[kept] / chances[kept].sum()))
