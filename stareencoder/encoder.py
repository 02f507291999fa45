"""Texts to unit vectors, through ONNX Runtime: what an index and a query use; no torch.

A served folder, as `starcite train export` writes it:

    model.onnx       ids (B, T) to vectors (B, C), as `training/encoder_graph.py` describes it
    tokenizer.json   with the encoder's own special tokens
    config.json      the shape
    manifest.json    digests of the files, what it was trained on, how much of a text it reads
    README.md        the model card
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stareencoder.config import config_from_hf
from stareencoder.errors import EncoderFolderError
from stareencoder.shipped import CONFIG, GRAPH, MANIFEST, SHIPPED, TOKENIZER
from stareencoder.tokens import SpecialIds, special_ids

_BATCH_TOKENS = 1024  # more leave the caches of a core and are slower
_ROUND_TO = 16  # lengths, so that few shapes occur
Vectors = NDArray[np.float32]


class Served(NamedTuple):
    """A session with what it takes to feed it."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer
    special: SpecialIds
    max_tokens: int  # of a text with `<cls>` and `<sep>`
    manifest: dict[str, Any]


class Encoder:
    """An encoder in memory, on one thread unless more are given; the shipped one by default.

    Raises:
        EncoderFolderError: a file of the folder is missing or damaged.
    """

    def __init__(self, folder: Path = SHIPPED, *, threads: int = 1) -> None:
        self._served = open_served(folder, threads=threads)
        self.name: str = folder.name
        self.digest: str = str(self._served.manifest.get("sha256", ""))
        self.width: int = self._served.session.get_outputs()[0].shape[-1]

    def encode(
        self, texts: Sequence[str], on_progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Vectors (N, C) float32 of unit length, one a text; a long text is cut at `max_tokens`.

        The same texts give the same bits. Texts are read in batches of equal padded length, so
        that what stands beside a text changes its vector by rounding alone.

        Args:
            texts: N of them, empty ones too.
            on_progress: told how many are done.
        """
        served = self._served
        rows = token_rows(served, texts)
        vectors = np.empty((len(rows), self.width), dtype=np.float32)
        done = 0
        for numbers in batches([len(row) for row in rows]):
            ids = padded_rows([rows[number] for number in numbers], served.special.pad)
            vectors[numbers] = served.session.run(["vectors"], {"ids": ids})[0]
            done += len(numbers)
            if on_progress:
                on_progress(done)
        return vectors

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that are read, `<cls>` and `<sep>` included."""
        return self._served.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> int:
        """How many tokens `encode` reads of these texts."""
        return sum(map(len, token_rows(self._served, texts)))


def open_served(folder: Path, *, threads: int = 1) -> Served:
    """Load a served folder.

    Raises:
        EncoderFolderError: a file of it is missing or damaged.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that waits in a loop takes the core that an editor needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        manifest = dict(json.loads((folder / MANIFEST).read_bytes()))
        table = json.loads((folder / CONFIG).read_bytes())
        config = config_from_hf(table, where=str(folder / CONFIG))
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        tokenizer.encode_special_tokens = True  # text that spells one stays text
        session = onnxruntime.InferenceSession(
            str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
        )
        max_tokens = min(config.n_positions, int(manifest.get("max_tokens", config.n_positions)))
    except EncoderFolderError:
        raise
    except Exception as error:  # the libraries' own kinds are many
        raise EncoderFolderError(f"{folder} holds no whole encoder: {error}") from error
    return Served(session, tokenizer, special_ids(config.vocab_size), max_tokens, manifest)


def token_rows(served: Served, texts: Sequence[str]) -> list[list[int]]:
    """Ids of `<cls> text <sep>` for each text, cut at `max_tokens`."""
    whole = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
    special, room = served.special, served.max_tokens - 2
    encoded = served.tokenizer.encode_batch_fast(whole, add_special_tokens=False)
    return [[special.cls, *one.ids[:room], special.sep] for one in encoded]


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of the texts of each batch, by rising length; each has one padded length."""
    batch: list[int] = []
    order = sorted(range(len(lengths)), key=lambda number: (_width(lengths[number]), number))
    for number in order:
        width = _width(lengths[number])
        is_full = (len(batch) + 1) * width > _BATCH_TOKENS
        if batch and (is_full or _width(lengths[batch[0]]) != width):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def padded_rows(rows: Sequence[Sequence[int]], pad: int) -> NDArray[np.int64]:
    """Ids (B, T) of rows of one padded length."""
    ids = np.full((len(rows), _width(max(map(len, rows)))), pad, dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    return ids


def _width(length: int) -> int:
    return -(-length // _ROUND_TO) * _ROUND_TO
