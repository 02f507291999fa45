"""Texts with labelled personal data: what a tagger learns from.

One reader for ours and for the gated set that StarPII was trained on (`bigcode-pii-dataset`), as
JSON lines or Parquet: a row has the text as `content` or `text`, and `fragments`, each with a
`category` and a `position` of start and end in code points.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stareencoder.tagger import OUTSIDE
from stareencoder.tokens import SpecialIds
from training.errors import SamplesError

# StarPII's classes (bigcode-dataset, pii/ner); other categories of the set, as AMBIGUOUS, are not
# learnt.
CLASSES = ("NAME", "EMAIL", "EMAIL_EXAMPLE", "USERNAME", "KEY", "IP_ADDRESS", "PASSWORD")
LABELS = (OUTSIDE, *(f"{begins}-{name}" for name in CLASSES for begins in "BI"))

Ids = NDArray[np.int64]


class TaggedText(NamedTuple):
    """A text and where what stands in it."""

    text: str
    spans: tuple[tuple[int, int, str], ...]  # start, end, class; without overlap


def read_samples(path: Path) -> list[TaggedText]:
    """The samples of a file, JSON lines or Parquet.

    Raises:
        SamplesError: it cannot be read, or a row is none; the message names the row.
    """
    samples = []
    for number, row in enumerate(_rows(path), start=1):
        try:
            samples.append(_sample(row))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SamplesError(
                f"row {number} of {path} is no labelled text: {error!r}; a row has content and "
                'fragments of {"category": …, "position": [start, end]}'
            ) from error
    if not samples:
        raise SamplesError(f"{path} holds no samples; give a file of labelled texts")
    return samples


def token_rows(
    samples: Sequence[TaggedText], tokenizer: Tokenizer, special: SpecialIds, most: int
) -> list[tuple[Ids, Ids]]:
    """Ids (T,) of `<cls> part <sep>` and the label of each, -100 at the ends; T at most `most`."""
    rows = []
    encoded = tokenizer.encode_batch([one.text for one in samples], add_special_tokens=False)
    for sample, one in zip(samples, encoded, strict=True):
        labels = _labels(sample.spans, one.offsets)
        for first in range(0, len(one.ids), most - 2):
            part = slice(first, first + most - 2)
            ids = np.array([special.cls, *one.ids[part], special.sep])
            rows.append((ids, np.array([-100, *labels[part], -100])))
    return rows


def _labels(spans: Sequence[tuple[int, int, str]], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The label of each token; one that reaches into a span belongs to it."""
    labels, before = [], -1
    for start, end in offsets:
        place = next((n for n, one in enumerate(spans) if start < one[1] and one[0] < end), -1)
        if place < 0:
            labels.append(0)
        else:
            begins = "I" if place == before else "B"
            labels.append(LABELS.index(f"{begins}-{spans[place][2]}"))
        before = place
    return labels


def _rows(path: Path) -> Iterator[Any]:
    try:
        if path.suffix == ".parquet":
            from pyarrow import parquet  # type: ignore[import-untyped]  # noqa: PLC0415

            yield from parquet.read_table(path).to_pylist()
            return
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())
    except (OSError, ValueError, RecursionError, ImportError) as error:
        raise SamplesError(f"cannot read {path}: {error}; give JSON lines or Parquet") from error


def _sample(row: Any) -> TaggedText:
    text = row["content"] if "content" in row else row["text"]
    spans: list[tuple[int, int, str]] = []
    if not isinstance(text, str):
        raise TypeError("its text is no text")
    for one in sorted(row["fragments"], key=lambda one: int(one["position"][0])):
        start, end = (int(place) for place in one["position"])
        if not 0 <= start < end <= len(text):
            raise ValueError(f"{start} to {end} is no range of its {len(text)} characters")
        if one["category"] in CLASSES and (not spans or start >= spans[-1][1]):
            spans.append((start, end, one["category"]))
    return TaggedText(text, tuple(spans))
