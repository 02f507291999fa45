"""Equal comment lines round a run of equal lexemes, whatever their indentation.

Comments are no lexemes, so only the raw text can say that they were copied, too. Round verbatim
code they must be verbatim (`align.widened_extent`); round code that was laid out anew, renamed or
edited, a line counts if it is the same but for blanks at its ends, blank lines do not count, and a
line or two may have been put in or taken out.
"""

from __future__ import annotations

from attribution.align import Extent, Lexed, Run

_MAX_GAP_BYTES = 4096  # looked at on either side of a run
_REACH = 3  # lines within which the next equal one must stand, on either side


def with_comment_lines(query: Lexed, document: Lexed, run: Run, core: Extent) -> Extent:
    """The extent of a run with the equal comment lines before and behind it."""
    before = _n_equal_before(
        query.data[_end_before(query, run.query, core.query_start) : core.query_start],
        document.data[
            _end_before(document, run.document, core.document_start) : core.document_start
        ],
    )
    after = _n_equal_after(
        query.data[core.query_end : _start_after(query, run.query + run.length, core.query_end)],
        document.data[
            core.document_end : _start_after(document, run.document + run.length, core.document_end)
        ],
    )
    return Extent(
        core.query_start - before[0],
        core.query_end + after[0],
        core.document_start - before[1],
        core.document_end + after[1],
    )


def _n_equal_after(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes at the beginning of two gaps are lines that are the same, edits aside."""
    mine, yours = _ends_of_lines(one), _ends_of_lines(other)
    at = _last_equal([line[1] for line in mine], [line[1] for line in yours])
    return (mine[at[0]][0], yours[at[1]][0]) if at else (0, 0)


def _n_equal_before(one: bytes, other: bytes) -> tuple[int, int]:
    """The same of the ends of two gaps."""
    mine, yours = _starts_of_lines(one)[::-1], _starts_of_lines(other)[::-1]
    at = _last_equal([line[1] for line in mine], [line[1] for line in yours])
    return (len(one) - mine[at[0]][0], len(other) - yours[at[1]][0]) if at else (0, 0)


def _last_equal(mine: list[bytes], yours: list[bytes]) -> tuple[int, int] | None:
    """The last pair of equal lines that is reached with few lines left out between two pairs."""
    found = None
    one = other = 0
    while step := _next_equal(mine[one : one + _REACH], yours[other : other + _REACH]):
        found = one + step[0], other + step[1]
        one, other = found[0] + 1, found[1] + 1
    return found


def _next_equal(mine: list[bytes], yours: list[bytes]) -> tuple[int, int] | None:
    pairs = [(a, b) for a in range(len(mine)) for b in range(len(yours)) if mine[a] == yours[b]]
    return min(pairs, key=sum, default=None)


def _starts_of_lines(gap: bytes) -> list[tuple[int, bytes]]:
    """Where each line begins that is not blank, and what it says."""
    lines, at = [], 0
    for line in gap.splitlines(keepends=True):
        if said := line.strip():
            lines.append((at, said))
        at += len(line)
    return lines


def _ends_of_lines(gap: bytes) -> list[tuple[int, bytes]]:
    """Where each line ends that is not blank, and what it says."""
    lines, at = [], 0
    for line in gap.splitlines(keepends=True):
        at += len(line)
        if said := line.strip():
            lines.append((at, said))
    return lines


def _end_before(text: Lexed, lexeme: int, start: int) -> int:
    end = int(text.lexemes.ends[lexeme - 1]) if lexeme > 0 else 0
    return max(end, start - _MAX_GAP_BYTES)


def _start_after(text: Lexed, lexeme: int, end: int) -> int:
    is_inside = lexeme < len(text.lexemes.starts)
    start = int(text.lexemes.starts[lexeme]) if is_inside else len(text.data)
    return min(start, end + _MAX_GAP_BYTES)
