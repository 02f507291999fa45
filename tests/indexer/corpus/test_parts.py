"""Texts of several parts can be taken apart again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.corpus.parts import MARK, Part, has_parts, join_parts, split_parts

_PARTS = st.lists(
    st.builds(Part, st.sampled_from(["code", "output", "closed"]), st.text("ab\n\r\x1e ")),
    min_size=1,
)


@given(parts=_PARTS)
def test_round_trip(parts: list[Part]) -> None:
    """Every list of parts comes back as it was."""
    assert parts == split_parts(join_parts(parts))


@given(parts=_PARTS, foreign=st.text(f"a\n{MARK}", max_size=12))
def test_foreign_separators(parts: list[Part], foreign: str) -> None:
    """A separator inside of a text makes no further part."""
    joined = join_parts([*parts, Part("code", foreign)])

    assert [*parts, Part("code", foreign.replace(MARK, " "))] == split_parts(joined)


def test_text_without_parts() -> None:
    """A plain text has no parts."""
    assert not has_parts("x = 1\n")
    with pytest.raises(ValueError, match=r"U\+001F"):
        split_parts("x = 1\n")
