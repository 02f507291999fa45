"""Membership in a few hashes, against a Python set."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.text.hash_set import HashSet

# Few low bits, so that the sieve lets strangers pass.
HASHES = st.integers(0, 2**64 - 1) | st.integers(0, 3).map(lambda high: high << 60 | 7)


@given(members=st.lists(HASHES, max_size=20), asked=st.lists(HASHES, max_size=40))
def test_it_holds_what_it_was_given_and_nothing_else(members: list[int], asked: list[int]) -> None:
    """The answer for each hash is that of a set."""
    found = HashSet(np.array(members, dtype=np.uint64)).holds(np.array(asked, dtype=np.uint64))

    assert found.tolist() == [one in set(members) for one in asked]


@given(members=st.lists(HASHES, min_size=1, max_size=20))
def test_every_member_is_held(members: list[int]) -> None:
    """No member is missed, however alike the low bits are."""
    hashes = np.array(members, dtype=np.uint64)

    assert HashSet(hashes).holds(hashes).all()
