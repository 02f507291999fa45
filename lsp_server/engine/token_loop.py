"""From a prompt to text by any model that reads tokens: cached prefixes, healing, stopping.

A model is a `Reader` a slot. The reader keeps what it has read, so a prompt costs only what differs
at its end; a healed token is chosen among those of the vocabulary that spell the cut text.

Drafts from the copy lane are not verified in batches: of the 13 ms that a line takes the shipped
model on one core they would save one (165 held-out cursors; four tokens cost 1.4 times one).
"""

from __future__ import annotations

import codecs
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.loop import Step
from lsp_server.engine.sampling import Pick, greedy, pick_of
from lsp_server.errors import WorkerError

BATCH_TOKENS = 64  # of the prompt between two looks at the stop event
# A window that is too long moves in hops, so that the cache fits again for as many tokens.
HOP_TOKENS = 128
_MIDDLES = ("<fim_middle>", "<fim-middle>", "<|fim_middle|>")
_LATIN1 = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
Logits = NDArray[np.float32]


class Reader(Protocol):
    """A model and what it has read of one document."""

    ids: list[int]

    def keep(self, n_tokens: int) -> None:
        """Forget what was read after the first `n_tokens`."""

    def feed(self, ids: list[int]) -> Logits:
        """Read tokens; logits (vocab_size,) after the last one."""


class TokenLoop:
    """A `ModelLoop` over readers, one a slot.

    Raises:
        WorkerError: the tokenizer is not byte-level.
    """

    def __init__(self, tokenizer: Tokenizer, n_positions: int, readers: Sequence[Reader]) -> None:
        self._tokenizer, self._n_positions, self._readers = tokenizer, n_positions, readers
        self._vocabulary = Vocabulary(tokenizer)
        self.n_slots = len(readers)

    def run(self, request: GenerateRequest, slot: int, step: Step) -> None:
        """Generate from the prompt; see `ModelLoop.run`."""
        reader = self._readers[slot]
        ids = self._fitted(self.encode(request.prompt), request.max_tokens)
        logits = _read(reader, ids, step)
        if logits is None or not request.max_tokens:
            return
        writer, pick = _Writer(request, step), pick_of(request)
        forced = request.forced.encode()
        for _ in range(request.max_tokens + len(forced)):
            token = self._vocabulary.choose(logits, forced, pick)
            piece = self._vocabulary.pieces[token]
            if not piece or len(reader.ids) >= self._n_positions:
                return
            forced = forced[len(piece) :]
            if not writer.write(piece):
                return
            logits = reader.feed([token])

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; a literal sentinel in it becomes a control token."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def _fitted(self, ids: list[int], n_new: int) -> list[int]:
        """The prompt, cut in hops where it begins (behind its last sentinel) to leave room."""
        middles = {self._tokenizer.token_to_id(text) for text in _MIDDLES}
        places = (n for n in range(len(ids), 0, -1) if ids[n - 1] in middles)
        n_head = next(places, 0)
        # at most a third of the room for what stands before: the suffix, in SPM
        head = ids[:n_head] if n_head <= self._n_positions // 3 else []
        body = ids[n_head:]
        excess = len(head) + len(body) + n_new - self._n_positions
        n_cut = -(-excess // HOP_TOKENS) * HOP_TOKENS if excess > 0 else 0
        return [*head, *body[min(n_cut, max(0, len(body) - 1)) :]] or [0]


def _read(reader: Reader, ids: list[int], step: Step) -> Logits | None:
    """Logits after the prompt; None where it was stopped while being read."""
    n_same = _n_common(reader.ids, ids[:-1])  # the last token is read anew, for its logits
    reader.keep(n_same)
    logits = None
    for start in range(n_same, len(ids), BATCH_TOKENS):
        logits = reader.feed(ids[start : start + BATCH_TOKENS])
        if not step(""):
            return None
    return logits


class Vocabulary:
    """The bytes of each token, and which tokens go with a text that is forced."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        special = {number for number, one in tokenizer.get_added_tokens_decoder().items() if one}
        self.pieces = [b""] * tokenizer.get_vocab_size()  # b"": a control token, which ends
        for token, number in tokenizer.get_vocab().items():
            if number not in special:
                self.pieces[number] = _bytes_of(token)
        self._sorted = sorted((piece, n) for n, piece in enumerate(self.pieces) if piece)

    def choose(self, logits: NDArray[np.float32], forced: bytes, pick: Pick = greedy) -> int:
        """A token, where `forced` is not empty one that begins with it or that it begins with."""
        if not forced:
            return pick(logits[: len(self.pieces)])
        allowed = np.fromiter(self._going_with(forced), dtype=np.int64)
        return int(allowed[pick(logits[allowed])])

    def _going_with(self, forced: bytes) -> Iterator[int]:
        for length in range(1, len(forced)):
            place = bisect_left(self._sorted, (forced[:length], -1))
            if place < len(self._sorted) and self._sorted[place][0] == forced[:length]:
                yield self._sorted[place][1]
        for piece, number in self._sorted[bisect_left(self._sorted, (forced, -1)) :]:
            if not piece.startswith(forced):
                break
            yield number


class _Writer:
    """Passes on what comes after the forced text, in whole characters, up to the line's end."""

    def __init__(self, request: GenerateRequest, step: Step) -> None:
        self._n_forced, self._request, self._step = len(request.forced.encode()), request, step
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, piece: bytes) -> bool:
        """Whether the model is to go on."""
        n_skipped = min(self._n_forced, len(piece))
        self._n_forced -= n_skipped
        text = self._decoder.decode(piece[n_skipped:])
        line, newline, _ = text.partition("\n")
        ends = bool(newline) and not self._request.multiline
        return self._step(line + newline if ends else text) and not ends


def _byte_alphabet() -> dict[str, int]:
    """Which byte a character of a byte-level vocabulary stands for (GPT-2's `bytes_to_unicode`)."""
    alphabet = {chr(byte): byte for byte in _LATIN1}
    others = (byte for byte in range(256) if byte not in set(_LATIN1))
    return alphabet | {chr(256 + place): byte for place, byte in enumerate(others)}


_BYTE_OF = _byte_alphabet()


def _bytes_of(token: str) -> bytes:
    try:
        return bytes(_BYTE_OF[char] for char in token)
    except KeyError as error:
        raise WorkerError(
            f"the tokenizer is not byte-level: its token {token!r} holds {error}; use a model of "
            "the StarCoder family or another with a byte-level tokenizer"
        ) from error


def _n_common(one: list[int], other: list[int]) -> int:
    n = min(len(one), len(other))
    return next((place for place in range(n) if one[place] != other[place]), n)
