"""The window that the model sees."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context import (
    HOP_CHARS,
    MIN_CHARS,
    SUFFIX_CHARS,
    anchored_prefix,
    near_suffix,
    wants_block,
)

LINES = "".join(f"def f{i}(x):\n    return x + {i}\n\n\n" for i in range(400))


@given(offset=st.integers(0, len(LINES)))
def test_the_prefix_adjoins_the_cursor_within_its_bounds(offset: int) -> None:
    """The window ends at the cursor, starts at a line and is as long as promised."""
    window = anchored_prefix(LINES, offset)
    start = offset - len(window)

    assert LINES[start:offset] == window
    assert start == 0 or LINES[start - 1] == "\n"
    assert min(offset, MIN_CHARS * 3 // 4) <= len(window) <= MIN_CHARS + HOP_CHARS


def test_typing_rarely_moves_the_start() -> None:
    """While 3,600 characters are typed at the end, the window's start moves three times."""
    typed = "x = 1  # some more code that is typed here\n" * 90
    text = LINES[:5000] + typed
    starts = [offset - len(anchored_prefix(text[:offset], offset)) for offset in range(5000, 8600)]

    assert len(set(starts)) == 4
    assert starts == sorted(starts)


def test_one_long_line_still_fills_the_window() -> None:
    """A file without line ends gives a window all the same."""
    text = "a" * 100_000
    window = anchored_prefix(text, 90_000)

    assert MIN_CHARS <= len(window) <= MIN_CHARS + HOP_CHARS


def test_the_suffix_adjoins_the_cursor() -> None:
    """The suffix begins at the cursor and ends with a line."""
    suffix = near_suffix(LINES, 1000)

    assert LINES[1000:].startswith(suffix)
    assert suffix.endswith("\n")
    assert SUFFIX_CHARS // 2 < len(suffix) <= SUFFIX_CHARS


def test_a_block_is_wanted_on_a_blank_line_under_its_opener() -> None:
    """A blank line under `:`, `{` or the docstring of a block asks for one, all else for a line."""
    cases = {
        "def f():\n    │\n": True,
        "if (a) {\n  │\n}\n": True,
        'def f():\n    """What.\n\n    How.\n    """\n    │\n': True,
        'x = """a\nb"""\n│\n': False,
        "def f():\n    x│\n": False,
        "x = 1\n│\n": False,
        "def f():│\n": False,
    }
    actual = {text: wants_block(text.replace("│", ""), text.index("│")) for text in cases}

    assert cases == actual
