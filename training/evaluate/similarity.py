"""How near a written text is to the expected one."""

from __future__ import annotations


def edit_similarity(written: str, expected: str) -> float:
    """1 - Levenshtein distance / length of the longer text, in [0, 1]; 1 for two empty ones."""
    longest = max(len(written), len(expected))
    return 1.0 - _distance(written, expected) / longest if longest else 1.0


def compare(written: str, expected: str) -> dict[str, float]:
    """The three figures of a completion.

    `exact` compares all that was written (whitespace at both ends aside, as SantaCoder's FIM
    benchmark does), `first_line` its first line only, and `similarity` is of the first line, too.
    """
    first = written.strip().split("\n", 1)[0].strip()
    wanted = expected.strip()
    return {
        "exact": float(written.strip() == wanted),
        "first_line": float(first == wanted),
        "similarity": edit_similarity(first, wanted),
    }


def _distance(a: str, b: str) -> int:
    """Insertions, deletions and substitutions (Wagner and Fischer 1974), in two rows."""
    before = list(range(len(b) + 1))
    for row, one in enumerate(a, 1):
        now = [row]
        for column, other in enumerate(b, 1):
            swapped = before[column - 1] + (one != other)
            now.append(min(before[column] + 1, now[-1] + 1, swapped))
        before = now
    return before[-1]
