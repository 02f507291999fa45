"""Shared runs of two lexed texts: equal lexemes first, then equal raw bytes at both ends.

Everything here counts bytes of the UTF-8 text; `positions.py` makes code points and lines of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.text.lex import Lexemes

_LINE_BREAKS = b"\r\n"
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: odd, bits well mixed
_MAX_RAGGED = 5  # lexemes of a line that a run merely reaches into; more of them mean something
_MAX_OCCURRENCES = 16  # of a k-gram in a document; one that repeats more often says too little


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Lexed:
    """A text and its lexemes; offsets are bytes."""

    data: bytes
    lexemes: Lexemes


class Run(NamedTuple):
    """Equal lexemes: `length` of them from these lexeme indices on."""

    query: int
    document: int
    length: int


class Extent(NamedTuple):
    """The same run as byte ranges, half-open, and widened over equal comments and blank lines."""

    query_start: int
    query_end: int
    document_start: int
    document_end: int


def shared_runs(
    query: NDArray[np.uint64],
    document: NDArray[np.uint64],
    diagonals: NDArray[np.int64],
    *,
    min_length: int,
) -> list[Run]:
    """All maximal runs of equal lexemes on these diagonals (document index minus query index)."""
    runs = []
    for diagonal in diagonals.tolist():
        low, high = max(0, -diagonal), min(len(query), len(document) - diagonal)
        if high - low < min_length:
            continue
        equal = query[low:high] == document[low + diagonal : high + diagonal]
        edges = np.flatnonzero(np.diff(equal.view(np.int8), prepend=0, append=0)) + low
        starts, ends = edges[0::2], edges[1::2]
        for index in np.flatnonzero(ends - starts >= min_length).tolist():
            start, length = int(starts[index]), int(ends[index] - starts[index])
            runs.append(Run(start, start + diagonal, length))
    return runs


def without_ragged_ends(query: Lexed, run: Run, *, min_length: int) -> Run:
    """The run without the few lexemes with which it reaches into a line that goes on differently.

    Such an end is chance: the `def` of whatever function comes next. What would be left shorter
    than `min_length` stays as it is.
    """
    first, last = run.query, run.query + run.length - 1
    n_head = n_tail = 0
    if first > 0 and not _breaks_before(query, first):
        ahead = range(1, min(_MAX_RAGGED, run.length - 1) + 1)
        n_head = next((n for n in ahead if _breaks_before(query, first + n)), 0)
    if last + 1 < len(query.lexemes) and not _breaks_before(query, last + 1):
        back = range(1, min(_MAX_RAGGED, run.length - 1) + 1)
        n_tail = next((n for n in back if _breaks_before(query, last + 1 - n)), 0)
    if run.length - n_head - n_tail < min_length:
        return run
    return Run(first + n_head, run.document + n_head, run.length - n_head - n_tail)


def _breaks_before(text: Lexed, lexeme: int) -> bool:
    gap = text.data[_end_of(text, lexeme - 1) : int(text.lexemes.starts[lexeme])]
    return b"\n" in gap or b"\r" in gap


def best_diagonals(diagonals: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """The distinct diagonals with the most seeds, best first, at most `limit`."""
    values, counts = np.unique(diagonals, return_counts=True)
    by_support = np.argsort(-counts, kind="stable")
    return np.asarray(values[by_support[:limit]], dtype=np.int64)


def seed_diagonals(
    query: NDArray[np.uint64], document: NDArray[np.uint64], *, k: int
) -> NDArray[np.int64]:
    """A diagonal for every pair of equal k-grams; for documents that fingerprints did not bring.

    A k-gram that repeats often in the document (a ruler, a table) is left out: its many diagonals
    would hide the few that mean something.
    """
    wanted, held = _k_grams(query, k), _k_grams(document, k)
    if len(wanted) == 0 or len(held) == 0:
        return np.empty(0, dtype=np.int64)
    # The query is the short one: sort it, and of the document only what occurs in the query.
    ascending = np.sort(wanted)
    nearest = np.minimum(np.searchsorted(ascending, held), len(ascending) - 1)
    places = np.flatnonzero(ascending[nearest] == held)
    order = places[np.argsort(held[places], kind="stable")]
    ranked = held[order]
    first = np.searchsorted(ranked, wanted, side="left")
    counts = np.searchsorted(ranked, wanted, side="right") - first
    counts[counts > _MAX_OCCURRENCES] = 0
    query_index = np.repeat(np.arange(len(wanted)), counts)
    nth = np.arange(len(query_index)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(order[np.repeat(first, counts) + nth] - query_index, dtype=np.int64)


def n_distinct_pairs(hashes: NDArray[np.uint64]) -> int:
    """How many different pairs of neighbours a run of lexemes has: little where it repeats."""
    return len(np.unique(_k_grams(hashes, 2)))


def _k_grams(hashes: NDArray[np.uint64], k: int) -> NDArray[np.uint64]:
    n_grams = max(0, len(hashes) - k + 1)
    grams = np.zeros(n_grams, dtype=np.uint64)
    for offset in range(k):
        grams = grams * _MULTIPLIER + hashes[offset : offset + n_grams]
    return grams


def core_extent(query: Lexed, document: Lexed, run: Run) -> Extent:
    """The bytes from the run's first to its last lexeme in both texts."""
    last = run.length - 1
    return Extent(
        int(query.lexemes.starts[run.query]),
        int(query.lexemes.ends[run.query + last]),
        int(document.lexemes.starts[run.document]),
        int(document.lexemes.ends[run.document + last]),
    )


def widened_extent(query: Lexed, document: Lexed, run: Run) -> Extent:
    """The core widened over whole equal lines of comments and blanks, up to the next lexeme.

    Comments are no lexemes, so only the raw text can say that a run begins or ends with them.
    A widened end keeps its line break. A comment that differs half-way is left out whole.
    """
    core = core_extent(query, document, run)
    before = _equal_before(query, document, run, core)
    after = _equal_after(query, document, run, core)
    return Extent(
        core.query_start - before,
        core.query_end + after,
        core.document_start - before,
        core.document_end + after,
    )


def _equal_before(query: Lexed, document: Lexed, run: Run, core: Extent) -> int:
    gap_query = query.data[_end_of(query, run.query - 1) : core.query_start]
    gap_document = document.data[_end_of(document, run.document - 1) : core.document_start]
    n_equal = _common_prefix(gap_query[::-1], gap_document[::-1])
    if n_equal == core.query_start:  # the query is used up: nothing before it can differ
        return n_equal
    at_line_start = _is_line_start(query.data, core.query_start - n_equal) and _is_line_start(
        document.data, core.document_start - n_equal
    )
    if at_line_start:
        return n_equal
    equal = gap_query[len(gap_query) - n_equal :]
    return n_equal - _after_first_break(equal)


def _equal_after(query: Lexed, document: Lexed, run: Run, core: Extent) -> int:
    gap_query = query.data[core.query_end : _start_of(query, run.query + run.length)]
    gap_document = document.data[core.document_end : _start_of(document, run.document + run.length)]
    n_equal = _common_prefix(gap_query, gap_document)
    query_end, document_end = core.query_end + n_equal, core.document_end + n_equal
    if query_end == len(query.data):
        return n_equal
    if _is_line_end(query.data, query_end) and _is_line_end(document.data, document_end):
        return n_equal
    equal = gap_query[:n_equal]
    return max(equal.rfind(b"\n"), equal.rfind(b"\r")) + 1


def _end_of(text: Lexed, lexeme: int) -> int:
    return int(text.lexemes.ends[lexeme]) if lexeme >= 0 else 0


def _start_of(text: Lexed, lexeme: int) -> int:
    return int(text.lexemes.starts[lexeme]) if lexeme < len(text.lexemes.starts) else len(text.data)


def _is_line_start(data: bytes, offset: int) -> bool:
    return offset == 0 or data[offset - 1] in _LINE_BREAKS


def _is_line_end(data: bytes, offset: int) -> bool:
    return offset == len(data) or data[offset] in _LINE_BREAKS or _is_line_start(data, offset)


def _after_first_break(equal: bytes) -> int:
    """How much to give up so that what is left begins a line; all of it if no line begins."""
    breaks = [at for at in (equal.find(b"\n"), equal.find(b"\r")) if at >= 0]
    if not breaks:
        return len(equal)
    first = min(breaks)
    return first + (2 if equal[first : first + 2] == b"\r\n" else 1)


def _common_prefix(left: bytes, right: bytes) -> int:
    n_both = min(len(left), len(right))
    if left[:n_both] == right[:n_both]:
        return n_both
    one = np.frombuffer(left, dtype=np.uint8, count=n_both)
    other = np.frombuffer(right, dtype=np.uint8, count=n_both)
    return int(np.argmax(one != other))
