"""What no match explains of a text, in blocks of whole lines: each is looked up by itself.

A text that was put together from several sources, or a file in which one function is copied, has
stretches that say enough by themselves and too little beside all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from attribution.align import Lexed

Range = tuple[int, int]  # lexemes, half-open


def blocks_of(
    text: Lexed, is_covered: NDArray[np.bool_], *, shortest: int, longest: int
) -> list[Range]:
    """The stretches that nothing covers, cut into blocks of at most `longest` lexemes."""
    edges = np.flatnonzero(np.diff(is_covered.view(np.int8), prepend=1, append=1))
    columns = _columns(text)
    blocks = []
    for first, end in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
        start = first
        while end - start > longest:
            cut = _cut(columns, start + longest // 2, start + longest)
            blocks.append((start, cut))
            start = cut
        blocks.append((start, end))
    return [block for block in blocks if block[1] - block[0] >= shortest]


def bytes_of(text: Lexed, block: Range, taken: Iterable[Range]) -> Range:
    """The bytes of a block with the comments round it, but for those in ranges that are taken."""
    first, last = block
    lexemes = text.lexemes
    start = int(lexemes.ends[first - 1]) if first else 0
    end = int(lexemes.starts[last]) if last < len(lexemes) else len(text.data)
    inside = int(lexemes.starts[first])
    for begin, stop in taken:
        if stop <= inside:
            start = max(start, stop)
        elif begin > inside:
            end = min(end, begin)
    return start, end


def _cut(columns: NDArray[np.int64], low: int, high: int) -> int:
    """The least indented beginning of a line between two lexemes, of equals the last one."""
    inside = columns[low:high]
    return low + len(inside) - 1 - int(np.argmin(inside[::-1]))


def _columns(text: Lexed) -> NDArray[np.int64]:
    """How far each lexeme that begins a line is indented; the others count as far beyond."""
    starts = text.lexemes.starts
    breaks = np.flatnonzero(np.frombuffer(text.data, dtype=np.uint8) == ord("\n"))
    line = np.searchsorted(breaks, starts)
    begins = np.concatenate(([0], breaks + 1))[line]
    is_first = np.diff(line, prepend=-1) > 0
    return np.where(is_first, starts - begins, len(text.data) + 1)
