"""A text seen as one byte for each code point, so that numpy can look for candidates.

Every pattern of this package is tried only at places that a cheap test over the whole text has
named. That keeps the cost linear whatever the text is, and most of a text is never seen by a
regular expression.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
WORD = string.ascii_letters + string.digits


def byte_set(characters: str) -> NDArray[np.bool_]:
    """A table that is true at the codes of the given characters; shape (256,)."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(characters.encode("latin-1"))] = True
    return table


DIGITS = byte_set(string.digits)


class View:
    """The text, and its bytes in Latin-1; what that lacks becomes `?`, so that offsets stay."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("latin-1", "replace")
        self.codes: NDArray[np.uint8] = np.frombuffer(self.data, dtype=np.uint8)

    @cached_property
    def lower(self) -> bytes:
        """The bytes with the capitals of ASCII folded to small letters."""
        return self.data.lower()

    @cached_property
    def digits(self) -> Positions:
        """Where the digits of ASCII stand."""
        return np.flatnonzero(DIGITS[self.codes])

    def with_one_of(self, at: Positions, starts: Positions, ends: Positions) -> NDArray[np.bool_]:
        """Which of the ranges hold at least one of the (sorted) positions."""
        inside: NDArray[np.bool_] = np.searchsorted(at, starts) != np.searchsorted(at, ends)
        return inside

    def find_all(self, needle: bytes) -> Iterator[int]:
        """Where the needle stands in the bytes; overlapping finds are left out."""
        return _find_all(self.data, needle)

    def find_all_lower(self, needle: bytes) -> Iterator[int]:
        """Where the needle stands in the lower-case bytes."""
        return _find_all(self.lower, needle)

    def runs(self, table: NDArray[np.bool_], shortest: int) -> tuple[Positions, Positions]:
        """Starts and ends, (N,) each, of the longest runs of the table's characters."""
        breaks = np.flatnonzero(~table[self.codes])
        starts = np.concatenate(([0], breaks + 1))
        ends = np.append(breaks, self.codes.size)
        long_enough = ends - starts >= shortest
        return starts[long_enough], ends[long_enough]

    def between(
        self, character: str, before: NDArray[np.bool_], after: NDArray[np.bool_]
    ) -> Positions:
        """Where a character stands with one of `before` to its left and of `after` to its right."""
        at = np.flatnonzero(self.codes == ord(character))
        at = at[(at > 0) & (at < self.codes.size - 1)]
        return at[before[self.codes[at - 1]] & after[self.codes[at + 1]]]

    def line_before(self, position: int, limit: int) -> str:
        """The part of the line that ends at a position, at most `limit` characters of it."""
        lowest = max(0, position - limit)
        return self.text[max(lowest, self.text.rfind("\n", lowest, position) + 1) : position]

    def line_after(self, position: int, limit: int) -> str:
        """The part of the line that starts at a position, at most `limit` characters of it."""
        highest = min(len(self.text), position + limit)
        newline = self.text.find("\n", position, highest)
        return self.text[position : highest if newline < 0 else newline]


def _find_all(data: bytes, needle: bytes) -> Iterator[int]:
    at = data.find(needle)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle))
