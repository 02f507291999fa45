"""UTF-16 columns against Python's own encoder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.positions import code_points_of, utf16_length, utf16_of

LINES = st.text(st.sampled_from("ab é你😀\U0010ffff\u0301"), max_size=20)


@given(LINES)
def test_the_length_is_that_of_the_encoding(line: str) -> None:
    """A text has as many units as its UTF-16 encoding has pairs of bytes."""
    assert utf16_length(line) == len(line.encode("utf-16-le")) // 2


@given(LINES)
def test_every_column_leads_there_and_back(line: str) -> None:
    """Each code point's UTF-16 column leads back to it."""
    columns = list(range(len(line) + 1))

    assert [code_points_of(line, utf16_of(line, column)) for column in columns] == columns


def test_a_column_inside_a_pair_is_the_start_of_its_character() -> None:
    """No edit tears a character apart."""
    assert code_points_of("😀x", 1) == 0


def test_columns_are_clamped_to_the_line() -> None:
    """Columns before the start and past the end are the start and the end."""
    assert [code_points_of("ab", -1), code_points_of("ab", 9)] == [0, 2]
    assert [code_points_of("é😀", -1), code_points_of("é😀", 9)] == [0, 2]
