"""A StarCoder-type model of our own in this process, through ONNX Runtime.

Reads a folder that `starcite train export` has written: a graph with an explicit cache (its inputs
and outputs are described in `training/onnx_graph.py`), a tokenizer and a shape. Each slot keeps the
tokens that it has read and their cache, and a prompt costs only what differs at its end.
"""

from __future__ import annotations

import codecs
import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.loop import Step
from lsp_server.engine.xllama import n_threads
from lsp_server.errors import WorkerError

N_SLOTS = 8  # documents whose prefix stays in memory: 3 MB each at 1,024 tokens of the tiny model
BATCH_TOKENS = 64  # of the prompt between two looks at the stop event
# A window that is too long moves in hops, so that the cache fits again for as many tokens.
HOP_TOKENS = 128
_MIDDLE = "<fim_middle>"
_LATIN1 = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]


@dataclass
class _Slot:
    """What a slot has read."""

    cache: NDArray[np.float32]  # (n_layer, P, 2 D)
    ids: list[int] = field(default_factory=list)


class OnnxLoop:
    """An exported model in memory.

    Raises:
        WorkerError: a file of the folder is missing or damaged.
    """

    n_slots = N_SLOTS

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads()
        # a thread that waits in a loop takes the core that the editor needs
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            shape = json.loads((path.parent / "config.json").read_bytes())
            self._n_positions = int(shape["n_positions"])
            width = 2 * int(shape["n_embd"]) // int(shape["n_head"])
            self._empty = np.zeros((int(shape["n_layer"]), 0, width), dtype=np.float32)
            self._tokenizer = Tokenizer.from_file(str(path.parent / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise WorkerError(f"{path.parent} holds no whole exported model: {error}") from error
        self._vocabulary = Vocabulary(self._tokenizer)
        self._slots = [_Slot(self._empty) for _ in range(N_SLOTS)]

    def run(self, request: GenerateRequest, slot: int, step: Step) -> None:
        """Generate greedily from the prompt; see `ModelLoop.run`."""
        ids = self._fitted(self.encode(request.prompt), request.max_tokens)
        logits = self._read(self._slots[slot], ids, step)
        if logits is None or not request.max_tokens:
            return
        writer = _Writer(request, step)
        forced = request.forced.encode()
        for _ in range(request.max_tokens + len(forced)):
            token = self._vocabulary.best(logits, forced)
            piece = self._vocabulary.pieces[token]
            if not piece or len(self._slots[slot].ids) >= self._n_positions:
                return
            forced = forced[len(piece) :]
            if not writer.write(piece):
                return
            logits = self._feed(self._slots[slot], [token])

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; a literal sentinel in it becomes a control token."""
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids

    def _read(self, slot: _Slot, ids: list[int], step: Step) -> NDArray[np.float32] | None:
        """Logits after the prompt; None where it was stopped while being read."""
        n_same = _n_common(slot.ids, ids[:-1])  # the last token is read anew, for its logits
        slot.ids, slot.cache = slot.ids[:n_same], slot.cache[:, :n_same]
        logits = None
        for start in range(n_same, len(ids), BATCH_TOKENS):
            logits = self._feed(slot, ids[start : start + BATCH_TOKENS])
            if not step(""):
                return None
        return logits

    def _feed(self, slot: _Slot, ids: list[int]) -> NDArray[np.float32]:
        """Let the model read tokens; logits (vocab_size,) after the last one."""
        feeds = {
            "ids": np.asarray(ids, dtype=np.int64),
            "past": slot.cache,
            "rows": np.array([len(ids) - 1], dtype=np.int64),
        }
        logits, slot.cache = self._session.run(["logits", "present"], feeds)
        slot.ids = [*slot.ids, *ids]
        row: NDArray[np.float32] = logits[0]
        return row

    def _fitted(self, ids: list[int], n_new: int) -> list[int]:
        """The prompt, cut in hops where it begins (behind its last sentinel) to leave room."""
        middle = self._tokenizer.token_to_id(_MIDDLE)
        n_head = len(ids) - ids[::-1].index(middle) if middle in ids else 0
        # at most a third of the room for what stands before: the suffix, in SPM
        head = ids[:n_head] if n_head <= self._n_positions // 3 else []
        body = ids[n_head:]
        excess = len(head) + len(body) + n_new - self._n_positions
        n_cut = -(-excess // HOP_TOKENS) * HOP_TOKENS if excess > 0 else 0
        return [*head, *body[min(n_cut, max(0, len(body) - 1)) :]] or [0]


class Vocabulary:
    """The bytes of each token, and which tokens go with a text that is forced."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        special = {number for number, one in tokenizer.get_added_tokens_decoder().items() if one}
        self.pieces = [b""] * tokenizer.get_vocab_size()  # b"": a control token, which ends
        for token, number in tokenizer.get_vocab().items():
            if number not in special:
                self.pieces[number] = bytes(_BYTE_OF[char] for char in token)
        self._sorted = sorted((piece, n) for n, piece in enumerate(self.pieces) if piece)

    def best(self, logits: NDArray[np.float32], forced: bytes) -> int:
        """The likeliest token among those that begin with `forced` or that it begins with."""
        if not forced:
            return int(logits[: len(self.pieces)].argmax())
        allowed = np.fromiter(self._going_with(forced), dtype=np.int64)
        return int(allowed[logits[allowed].argmax()])

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


def _n_common(one: list[int], other: list[int]) -> int:
    n = min(len(one), len(other))
    return next((place for place in range(n) if one[place] != other[place]), n)
