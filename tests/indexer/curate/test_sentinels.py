"""Sentinels have the ids of the StarCoder family, and literal ones are defused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.sentinels import SENTINEL_ID, SENTINELS, neutralise

_PIECES = st.lists(
    st.sampled_from([*SENTINELS, "<", ">", "|", " ", "fim_middle>", "<fim_", "é", "< "])
).map("".join)


def test_ids() -> None:
    """The ids are those of the published tokenizer."""
    assert len(SENTINELS) == 19
    assert SENTINEL_ID == {
        "<|endoftext|>": 0,
        "<fim_prefix>": 1,
        "<fim_middle>": 2,
        "<fim_suffix>": 3,
        "<fim_pad>": 4,
        "<filename>": 5,
        "<gh_stars>": 6,
        "<issue_start>": 7,
        "<issue_comment>": 8,
        "<issue_closed>": 9,
        "<jupyter_start>": 10,
        "<jupyter_text>": 11,
        "<jupyter_code>": 12,
        "<jupyter_output>": 13,
        "<empty_output>": 14,
        "<commit_before>": 15,
        "<commit_msg>": 16,
        "<commit_after>": 17,
        "<reponame>": 18,
    }


@given(text=_PIECES)
def test_no_sentinel_is_left(text: str) -> None:
    """No sentinel is left, a second run changes nothing, and nothing but spaces is added."""
    plain = neutralise(text)

    assert [sentinel for sentinel in SENTINELS if sentinel in plain] == []
    assert plain == neutralise(plain)
    assert plain.replace(" ", "") == text.replace(" ", "")


def test_other_text_stays() -> None:
    """Tags and comparisons that are no sentinels are left alone."""
    text = "if a <b> c: <filenames> <FILENAME> <fim_middle"

    assert text == neutralise(text)
