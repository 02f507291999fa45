"""Labels of a text's tokens as spans of characters, through ONNX Runtime: StarPII's task; no torch.

A served folder is an encoder's (`stareencoder.encoder`), but for two things: the graph gives logits
of every token, and `config.json` names their labels (`O`, and `B-` and `I-` of each class). A long
text is read in windows that overlap by half; a token is judged in the window in which it stands
furthest from an edge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stareencoder.config import labels_of
from stareencoder.encoder import batches, open_served, padded_rows
from stareencoder.errors import EncoderFolderError
from stareencoder.shipped import CONFIG

TaggedSpan = tuple[int, int, str]  # start and end in code points, and the class
OUTSIDE = "O"


class _Window(NamedTuple):
    """Some tokens of one text."""

    text: int
    first: int  # of the text's tokens
    ids: list[int]


class Tagger:
    """A tagger in memory, on one thread.

    Raises:
        EncoderFolderError: a file of the folder is missing or damaged, or it holds no tagger.
    """

    def __init__(self, folder: Path) -> None:
        self._served = open_served(folder, threads=1)
        self._labels = labels_of(
            json.loads((folder / CONFIG).read_bytes()), where=str(folder / CONFIG)
        )
        outputs = self._served.session.get_outputs()
        self.digest: str = str(self._served.manifest.get("sha256", ""))
        is_tagger = outputs[0].name == "logits" and outputs[0].shape[-1] == len(self._labels)
        if not is_tagger or not self.digest:
            raise EncoderFolderError(f"{folder} holds no whole tagger; use the folder of one")

    def tag(self, texts: Sequence[str], /) -> list[list[TaggedSpan]]:
        """For each text its spans by their start, without overlap; blanks at their ends are off."""
        whole = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        encoded = self._served.tokenizer.encode_batch(whole, add_special_tokens=False)
        labels = self._judged([list(one.ids) for one in encoded])
        return [
            list(spans_of(text, one.offsets, [self._labels[label] for label in of_text]))
            for text, one, of_text in zip(whole, encoded, labels, strict=True)
        ]

    def _judged(self, rows: list[list[int]]) -> list[NDArray[np.int64]]:
        """The label of every token of every text."""
        special, room = self._served.special, self._served.max_tokens - 2
        windows = [one for number, row in enumerate(rows) for one in _windows(number, row, room)]
        labels = [np.zeros(len(row), dtype=np.int64) for row in rows]
        margins = [np.full(len(row), -1) for row in rows]
        for numbers in batches([len(one.ids) + 2 for one in windows]):
            fed = [[special.cls, *windows[number].ids, special.sep] for number in numbers]
            logits = self._served.session.run(["logits"], {"ids": padded_rows(fed, special.pad)})[0]
            for number, of_window in zip(numbers, logits, strict=True):
                one = windows[number]
                n, place = len(one.ids), slice(one.first, one.first + len(one.ids))
                is_end = one.first + n == len(rows[one.text])
                margin = _margins(n, is_start=not one.first, is_end=is_end)
                better = margin > margins[one.text][place]
                found = of_window[1 : n + 1].argmax(axis=-1)
                labels[one.text][place] = np.where(better, found, labels[one.text][place])
                margins[one.text][place] = np.maximum(margin, margins[one.text][place])
        return labels


def open_tagger(folder: Path) -> Tagger:
    """The tagger of a folder that `starcite train tagger` has written.

    Raises:
        EncoderFolderError: a file of the folder is missing or damaged, or it holds no tagger.
    """
    return Tagger(folder)


def spans_of(
    text: str, offsets: Sequence[tuple[int, int]], labels: Sequence[str]
) -> Iterator[TaggedSpan]:
    """Runs of tokens of one class; a run that begins inside (`I-` without `B-`) counts, too."""
    start, end, kind = (
        0,
        0,
        "",
    )  # `end` is also where the last span ended: tokens can share a letter
    for (first, last), label in [*zip(offsets, labels, strict=True), ((0, 0), OUTSIDE)]:
        begins, _, of_token = label.partition("-")
        if kind and (of_token != kind or begins == "B"):
            body = text[start:end]
            if body.strip():
                trimmed = start + len(body) - len(body.lstrip())
                yield trimmed, trimmed + len(body.strip()), kind
            kind = ""
        if of_token:
            start, kind = (start if kind else max(first, end)), of_token
            end = max(last, end)


def _windows(number: int, row: list[int], room: int) -> Iterator[_Window]:
    step = max(1, room // 2)
    for first in range(0, max(1, len(row) - room + step), step):
        yield _Window(number, first, row[first : first + room])


def _margins(n: int, *, is_start: bool, is_end: bool) -> NDArray[np.int64]:
    """How far each of n tokens is from an edge at which the text goes on."""
    places = np.arange(n)
    left = np.full(n, n) if is_start else places
    right = np.full(n, n) if is_end else n - 1 - places
    nearest: NDArray[np.int64] = np.minimum(left, right)
    return nearest
