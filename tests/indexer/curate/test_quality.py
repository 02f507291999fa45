from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.characters import count_alphabetic, count_alphanumeric
from indexer.curate.config import CurateConfig
from indexer.curate.pipeline import Drop
from indexer.curate.quality import check_quality

CONFIG = CurateConfig()


@given(st.text())
def test_characters_are_counted_as_str_counts_them(text: str) -> None:
    """The array operations agree with a loop over `str.isalnum` and `str.isalpha`."""
    assert count_alphanumeric(text) == sum(map(str.isalnum, text))
    assert count_alphabetic(text) == sum(map(str.isalpha, text))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_longest_line_may_have_1000_characters(make_record, newline: str) -> None:
    """A line of 1,001 characters drops the file, one of 1,000 does not, newlines not counted."""
    short = newline.join(["x = 1"] * 50)

    kept = check_quality(make_record(f"{short}{newline}{'a' * 1000}{newline}"), config=CONFIG)
    dropped = check_quality(make_record(f"{short}{newline}{'a' * 1001}{newline}"), config=CONFIG)

    assert not isinstance(kept, Drop)
    assert dropped == Drop("line too long", "1001 characters")


def test_the_mean_line_may_have_100_characters(make_record) -> None:
    """Lines of 101 characters on average drop the file, lines of 100 do not."""
    kept = check_quality(make_record("\n".join(["a" * 100] * 5)), config=CONFIG)
    dropped = check_quality(make_record("\n".join(["a" * 101] * 5)), config=CONFIG)

    assert not isinstance(kept, Drop)
    assert dropped == Drop("lines too long on average", "101 characters")


def test_a_quarter_of_the_characters_are_letters_or_digits(make_record) -> None:
    """Exactly a quarter stays; a little less goes."""
    kept = check_quality(make_record("ab" + "." * 6), config=CONFIG)
    dropped = check_quality(make_record("ab" + "." * 7), config=CONFIG)

    assert not isinstance(kept, Drop)
    assert dropped == Drop("few letters and digits", "0.222")


def test_prose_may_have_long_lines(make_record) -> None:
    """A paragraph of Markdown is one line; the same text as Python goes."""
    text = "many words in a paragraph " * 60

    prose = check_quality(make_record(text, "README.MD", language="markdown"), config=CONFIG)

    assert not isinstance(prose, Drop)
    assert isinstance(check_quality(make_record(text), config=CONFIG), Drop)


def test_blank_files_go_and_issues_stay(make_record) -> None:
    """Nothing but whitespace is no text; an issue is not measured in lines of code."""
    assert check_quality(make_record(" \n\t"), config=CONFIG) == Drop("blank")
    issue = make_record("x" * 3000, kind="issue")
    assert check_quality(issue, config=CONFIG) is issue
