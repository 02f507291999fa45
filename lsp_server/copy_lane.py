"""The copy lane: what followed the last time the user wrote what stands before the cursor.

The longest suffix of the text before the cursor that occurs elsewhere is found by bisection on
its length (if a suffix occurs elsewhere, so do all shorter ones), each probe one `str.rfind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MIN_CHARS = 3
MAX_CHARS = 256  # matches of more characters are no better evidence, and each probe costs time
MAX_CONTINUATION_CHARS = 2000


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A continuation with the number of characters before the cursor that led to it."""

    text: str  # what follows there; may run over several lines
    n_matched: int


def find_copy(text: str, offset: int, related: Sequence[str] = ()) -> Copy | None:
    """Find what followed the longest suffix of `text[:offset]` that also occurs elsewhere.

    Looks above the cursor (nearest first), then below it, then in `related`; a later place wins
    only with a longer match. Returns None where fewer than three characters match.
    """
    tail = text[max(0, offset - MAX_CHARS) : offset]
    n_best = _longest(text, tail, offset, least=MIN_CHARS - 1)
    found = text, _place(text, tail[len(tail) - n_best :], offset) if n_best >= MIN_CHARS else -1
    for other in related:
        n_other = _longest(other, tail, None, least=n_best)
        if n_other > n_best:
            n_best, found = n_other, (other, other.rfind(tail[len(tail) - n_other :]))
    if n_best < MIN_CHARS:
        return None
    place = found[1] + n_best
    return Copy(text=found[0][place : place + MAX_CONTINUATION_CHARS], n_matched=n_best)


def _longest(text: str, tail: str, offset: int | None, *, least: int) -> int:
    """The most characters of `tail`'s end that occur elsewhere in `text`, if above `least`."""
    low, high = least, len(tail)
    if high <= low or _place(text, tail[high - low - 1 :], offset) < 0:
        return least
    while low < high:
        middle = (low + high + 1) // 2
        if _place(text, tail[len(tail) - middle :], offset) >= 0:
            low = middle
        else:
            high = middle - 1
    return low


def _place(text: str, pattern: str, offset: int | None) -> int:
    """Where `pattern` starts elsewhere: the nearest above the cursor, else the first below."""
    if offset is None:
        return text.rfind(pattern)
    above = text.rfind(pattern, 0, max(0, offset - 1))
    return above if above >= 0 else text.find(pattern, offset - len(pattern) + 1)
