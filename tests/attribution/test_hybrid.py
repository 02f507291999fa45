"""Words and vectors in one order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.hybrid import WEIGHT, hybrid
from indexer.store.lexical import Lead


def _lead(document_id: int, start: int, end: int, score: float) -> Lead:
    return Lead(document_id=document_id, start_line=start, end_line=end, score=score)


leads = st.lists(
    st.builds(
        _lead,
        st.integers(0, 3),
        st.integers(0, 20),
        st.integers(21, 60),
        st.floats(0.01, 40, allow_nan=False),
    ),
    max_size=8,
)


def test_a_chunk_counts_with_the_nearest_fragment_in_it() -> None:
    """Both views say the second chunk, so it comes before the one that words alone put first."""
    by_words = [_lead(1, 0, 50, 20.0), _lead(2, 0, 50, 16.0)]
    by_vectors = [_lead(2, 10, 22, 0.9), _lead(2, 30, 40, 0.5), _lead(3, 0, 12, 0.4)]
    found = hybrid(by_words, by_vectors, top_k=3)

    assert [one.document_id for one in found] == [2, 1, 3]
    assert [one.score for one in found] == pytest.approx([0.8 + WEIGHT * 0.9, 1.0, WEIGHT * 0.4])
    assert (found[2].start_line, found[2].end_line) == (0, 12)


@given(leads, leads, st.integers(1, 10))
def test_no_lead_is_made_up(by_words: list[Lead], by_vectors: list[Lead], top_k: int) -> None:
    """Every place came from one of the views; best first, at most so many."""
    found = hybrid(by_words, by_vectors, top_k=top_k)
    places = [(one.document_id, one.start_line, one.end_line) for one in (*by_words, *by_vectors)]

    assert len(found) <= top_k
    assert all((one.document_id, one.start_line, one.end_line) in places for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert bool(found) == bool(places)


def test_words_alone_keep_their_order() -> None:
    """Without vectors the order is that of the words."""
    by_words = [_lead(4, 0, 50, 9.0), _lead(1, 0, 50, 3.0), _lead(2, 40, 90, 1.0)]

    assert [one.document_id for one in hybrid(by_words, [], top_k=9)] == [4, 1, 2]
