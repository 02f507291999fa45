"""Fragments: runs of whole lines that are short enough to be read by an encoder at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAX_CHARS = 450  # about 126 tokens of the shipped encoder, which reads 128
_MIN_WORD_CHARS = 12  # letters and digits; brackets alone are like any others


class Fragment(NamedTuple):
    """Some lines of a text; 0-based, half-open."""

    start_line: int
    end_line: int
    text: str


def fragments_of(text: str) -> Iterator[Fragment]:
    """The fragments of a text from its first line on, without those that say next to nothing.

    A line that is too long by itself is a fragment of its own; an encoder reads its beginning.
    """
    lines = text.split("\n")
    start, n_chars = 0, 0
    for number, line in enumerate(lines):
        if number > start and n_chars + len(line) > MAX_CHARS:
            yield from _worth(lines, start, number)
            start, n_chars = number, 0
        n_chars += len(line) + 1
    yield from _worth(lines, start, len(lines))


def _worth(lines: list[str], start: int, end: int) -> Iterator[Fragment]:
    text = "\n".join(lines[start:end])
    if sum(map(str.isalnum, text)) >= _MIN_WORD_CHARS:
        yield Fragment(start, end, text)
