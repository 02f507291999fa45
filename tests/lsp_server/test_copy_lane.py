"""The copy lane against the obvious search, and what it prefers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.copy_lane import MAX_CHARS, MIN_CHARS, find_copy

TEXT = st.text(alphabet="ab(\n ", max_size=60)


def at_cursor(text: str) -> tuple[str, int]:
    return text.replace("│", ""), text.index("│")


def longest_by_trying_all(text: str, offset: int, related: list[str]) -> int:
    for n_chars in range(min(offset, MAX_CHARS), MIN_CHARS - 1, -1):
        pattern = text[offset - n_chars : offset]
        starts = [at for at in range(len(text)) if text.startswith(pattern, at)]
        if starts != [offset - n_chars] or any(pattern in other for other in related):
            return n_chars
    return 0


@given(text=TEXT, data=st.data(), related=st.lists(TEXT, max_size=2))
def test_the_match_is_the_longest(text: str, data: st.DataObject, related: list[str]) -> None:
    """Bisection finds the same length as trying every suffix, and a text that follows it."""
    offset = data.draw(st.integers(0, len(text)))
    copy = find_copy(text, offset, related)

    assert longest_by_trying_all(text, offset, related) == (copy.n_matched if copy else 0)
    if copy:
        seen = text[offset - copy.n_matched : offset] + copy.text
        assert any(seen in place for place in (text, *related))


def test_the_nearest_place_above_wins() -> None:
    """Of equally long matches the one just above the cursor is continued."""
    text, offset = at_cursor("call(1)\ncall(2)\ncall(│\ncall(3)\n")
    copy = find_copy(text, offset)

    assert copy is not None
    assert copy.text.startswith("2)\n")


def test_below_the_cursor_counts_too() -> None:
    """What stands only below the cursor is found."""
    text, offset = at_cursor("return self.│\n\ndef f(self):\n    return self.value\n")
    copy = find_copy(text, offset)

    assert copy is not None
    assert copy.text == "value\n"


def test_a_related_text_needs_a_longer_match() -> None:
    """Another document wins only where more characters match there."""
    text, offset = at_cursor("x.open(here)\ny.open(│\n")
    short = find_copy(text, offset, ["z.open(there)\n"])
    long = find_copy(text, offset, ["y.open(there)\n"])

    assert short is not None
    assert long is not None
    assert (short.text.split("\n")[0], long.text.split("\n")[0]) == ("here)", "there)")


def test_too_short_a_match_is_none() -> None:
    """Fewer than three characters in common are no evidence."""
    text, offset = at_cursor("ab 1\nqb │\n")

    assert find_copy(text, offset) is None
