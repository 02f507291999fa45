"""Winnowing against brute force, and the guarantee it is chosen for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.text.winnow import K, W, gram_hashes, winnow

# Few distinct lexemes give repeated k-grams, so that windows have ties.
SEQUENCES = st.lists(st.integers(0, 3) | st.integers(0, 2**64 - 1), max_size=80)
RUNS = st.lists(st.integers(0, 3) | st.integers(0, 2**64 - 1), min_size=K + W - 1, max_size=60)
SMALL = st.integers(1, 6)


def hashes(values: list[int]) -> NDArray[np.uint64]:
    return np.array(values, dtype=np.uint64)


@given(SEQUENCES, SMALL, SMALL)
def test_fingerprints_are_those_of_brute_force(values: list[int], k: int, w: int) -> None:
    """Of every window the rightmost k-gram whose low half is smallest, each position once."""
    grams = [
        int(gram_hashes(hashes(values[i : i + k]), k=k)[0]) for i in range(len(values) - k + 1)
    ]
    width = min(w, len(grams))
    expected: list[int] = []
    for start in range(len(grams) - width + 1 if grams else 0):
        window = range(start, start + width)
        chosen = min(window, key=lambda i: (grams[i] & 0xFFFFFFFF, -i))
        expected += [] if expected[-1:] == [chosen] else [chosen]
    found = winnow(hashes(values), k=k, w=w)

    assert found.positions.tolist() == expected
    assert found.values.tolist() == [grams[i] >> 32 for i in expected]


@given(before=SEQUENCES, shared=RUNS, after=SEQUENCES)
def test_a_shared_run_of_17_lexemes_shares_a_fingerprint(
    before: list[int], shared: list[int], after: list[int]
) -> None:
    """Whatever stands around it, a run of k + w - 1 lexemes has a fingerprint of its own."""
    document = winnow(hashes(before + shared + after))
    query = winnow(hashes(shared[: K + W - 1]))
    inside = (document.positions >= len(before)) & (
        document.positions + K <= len(before) + len(shared)
    )

    assert len(query) >= 1
    assert set(query.values.tolist()) & set(document.values[inside].tolist())


@given(st.lists(st.integers(0, 2**64 - 1), max_size=K + W - 2))
def test_a_short_text_has_one_fingerprint_from_k_lexemes_on(values: list[int]) -> None:
    """Less than a window still gives the minimum of what there is; less than a k-gram nothing."""
    assert len(winnow(hashes(values))) == (1 if len(values) >= K else 0)


def test_kept_values_are_uniform() -> None:
    """Choosing minima does not make the kept values small: all 32 bits tell texts apart."""
    values = winnow(np.random.default_rng(7).integers(0, 2**63, 100_000).astype(np.uint64)).values
    counts = np.bincount(values >> np.uint32(28), minlength=16)

    assert counts.min() > 0.9 * len(values) / 16
    assert counts.max() < 1.1 * len(values) / 16
