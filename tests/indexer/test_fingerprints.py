"""Postings against a dictionary of lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import IndexDamagedError
from indexer.store.fingerprints import (
    MAX_POSTINGS,
    FingerprintReader,
    FingerprintWriter,
    values_name,
)

# Few distinct values, and those at the ends of the ranges that a sort may take.
U32 = st.sampled_from([0, 1, 2, 2**31 - 1, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1)
POSTINGS = st.lists(st.tuples(U32, U32), max_size=120)


def build(
    folder: Path, postings: list[tuple[int, int]], *, sort_rows: int = 1 << 24
) -> FingerprintReader:
    writer = FingerprintWriter(folder, sort_rows=sort_rows)
    for value, offset in postings:
        writer.add(np.array([value], dtype=np.uint32), np.array([offset], dtype=np.int64))
    writer.finish()
    return FingerprintReader(folder)


@given(postings=POSTINGS, others=st.lists(U32, max_size=5), sort_rows=st.integers(1, 200))
def test_a_lookup_finds_every_posting(
    tmp_path_factory: pytest.TempPathFactory,
    postings: list[tuple[int, int]],
    others: list[int],
    sort_rows: int,
) -> None:
    """As a dictionary of sorted lists, in as many ranges as the sort may take."""
    reader = build(tmp_path_factory.mktemp("postings"), postings, sort_rows=sort_rows)
    values = [value for value, _ in postings] + others
    indices, offsets = reader.lookup(np.array(values, dtype=np.uint32))
    ordered = sorted(postings)
    expected = [(i, at) for i, value in enumerate(values) for v, at in ordered if v == value]

    assert list(zip(indices.tolist(), offsets.tolist(), strict=True)) == expected


def test_a_very_frequent_value_gives_an_even_sample(tmp_path: Path) -> None:
    """Of many postings MAX_POSTINGS are taken, spread over all; its neighbours are untouched."""
    n = 10 * MAX_POSTINGS + 7
    reader = build(tmp_path, [(4, 1), (6, 2), *((5, 1000 + i) for i in range(n))])
    indices, offsets = reader.lookup(np.array([4, 5, 6], dtype=np.uint32))
    taken = offsets[indices == 1]

    assert np.bincount(indices).tolist() == [1, MAX_POSTINGS, 1]
    assert len(set(taken.tolist())) == MAX_POSTINGS
    assert set(np.diff(taken).tolist()) == {10, 11}


def test_arrays_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """Values of one index beside the positions of another are damage, named by file."""
    for name, n in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        build(tmp_path / name, [(1, 1)] * n)
    (tmp_path / "a" / values_name("e")).write_bytes(
        (tmp_path / "b" / values_name("e")).read_bytes()
    )

    with pytest.raises(IndexDamagedError, match=r"positions_e\.npy"):
        FingerprintReader(tmp_path / "a")
