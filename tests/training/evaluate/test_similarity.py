"""Edit similarity against a plain recursion."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from training.evaluate.similarity import compare, edit_similarity

TEXTS = st.text(alphabet="ab (", max_size=8)


def distance_by_hand(a: str, b: str) -> int:
    @cache
    def rest(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        swapped = rest(i + 1, j + 1) + (a[i] != b[j])
        return min(swapped, rest(i + 1, j) + 1, rest(i, j + 1) + 1)

    return rest(0, 0)


@given(a=TEXTS, b=TEXTS)
def test_similarity_is_one_less_the_share_of_edits(a: str, b: str) -> None:
    """Equal to the recursion that tries every edit, and symmetric."""
    longest = max(len(a), len(b), 1)

    assert edit_similarity(a, b) == 1 - distance_by_hand(a, b) / longest
    assert edit_similarity(a, b) == edit_similarity(b, a)


def test_a_right_first_line_is_no_exact_match_if_more_was_written() -> None:
    """`exact` looks at everything, `first_line` at the first line only."""
    assert compare("  return x\n", "return x") == {
        "exact": 1.0,
        "first_line": 1.0,
        "similarity": 1.0,
    }
    assert compare("return x\nmore", "return x")["exact"] == 0.0
    assert compare("return x\nmore", "return x")["first_line"] == 1.0
    assert compare("", "return x") == {"exact": 0.0, "first_line": 0.0, "similarity": 0.0}
