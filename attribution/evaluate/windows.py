"""Windows of whole lines out of indexed or held-out texts, drawn from a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text that windows are drawn from."""

    name: str  # "package/path", for a person
    owner: str
    document_id: int  # -1 for a text that is in no index
    n_bytes: int
    read: Callable[[], str]


@dataclass(frozen=True, kw_only=True)
class Window:
    """Some whole lines of a text."""

    source: Text
    lines: list[str]  # of the whole text, each with its line break
    start: int  # 0-based, half-open
    end: int

    @property
    def text(self) -> str:
        """The lines as they stand."""
        return "".join(self.lines[self.start : self.end])

    @cached_property
    def offsets(self) -> list[int]:
        """Where each line of the whole text begins, in code points, and where the text ends."""
        offsets = [0]
        for line in self.lines:
            offsets.append(offsets[-1] + len(line))
        return offsets


def cut(text: str) -> list[str]:
    """The lines of a text with their breaks."""
    return _LINE.findall(text)


def draw(texts: Sequence[Text], n_lines: int, rng: random.Random) -> Iterator[Window]:
    """Random windows without end: a text by its size, then a first line; none that is blank."""
    weights = [one.n_bytes for one in texts]
    while True:
        source = rng.choices(texts, weights)[0]
        lines = cut(source.read())
        if len(lines) < n_lines:
            continue
        start = rng.randrange(len(lines) - n_lines + 1)
        window = Window(source=source, lines=lines, start=start, end=start + n_lines)
        if window.text.strip():
            yield window


def seeded(*parts: object) -> random.Random:
    """A generator of its own for each part of a protocol, the same in every process."""
    return random.Random("\N{UNIT SEPARATOR}".join(map(str, parts)))  # noqa: S311 (no secret)
