"""Texts of several parts (cells, comments, a file before and after) as one text and back.

Each part begins with a line of its own: the unit separator U+001F, which no source text needs,
and the part's role. The sentinels of a model's format are put in later, by `indexer.curate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MARK = "\x1f"


class Part(NamedTuple):
    """One part of a text."""

    role: str  # "markdown", "code", "output"; "title", "comment", "closed"; "before", …
    text: str


def join_parts(parts: Iterable[Part]) -> str:
    """One text; a separator inside of a part becomes a space."""
    return "\n".join(f"{MARK}{part.role}\n{part.text.replace(MARK, ' ')}" for part in parts)


def has_parts(text: str) -> bool:
    """Whether a text was made by `join_parts`."""
    return text.startswith(MARK)


def split_parts(text: str) -> list[Part]:
    """The parts that `join_parts` joined.

    Raises:
        ValueError: the text has no parts.
    """
    if not has_parts(text):
        raise ValueError("a text of parts begins with U+001F")
    # A separator stands at a line's start only: inside of parts there is none.
    blocks = text[1:].split(f"\n{MARK}")
    return [Part(*(block.split("\n", 1) if "\n" in block else (block, ""))) for block in blocks]
