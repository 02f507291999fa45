"""Estimates against exact arithmetic and known values."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluate.intervals import mean, pass_at_k, ratio, wilson


@given(data=st.data(), n=st.integers(1, 250))
def test_pass_at_k_is_the_share_of_all_choices_of_k_samples(data: st.DataObject, n: int) -> None:
    """The product equals 1 - C(n-c, k) / C(n, k) in exact fractions, to 1e-12."""
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    expected = 1 - Fraction(comb(n - c, k), comb(n, k))

    assert abs(pass_at_k(n, c, k) - float(expected)) <= 1e-12


@pytest.mark.parametrize(("n", "c", "k"), [(5, 6, 1), (5, -1, 1), (5, 1, 0), (5, 1, 6)])
def test_pass_at_k_of_what_cannot_be_is_refused(n: int, c: int, k: int) -> None:
    """More passes than samples, or more samples asked for than drawn, are errors."""
    with pytest.raises(ValueError, match="draw at least"):
        pass_at_k(n, c, k)


def test_wilson_interval_of_a_textbook_case() -> None:
    """10 of 20: 0.299 to 0.701, as the closed form gives by hand."""
    estimate = wilson(10, 20)

    assert (round(estimate.low, 3), round(estimate.high, 3)) == (0.299, 0.701)
    assert wilson(0, 0).n == 0


@given(n=st.integers(1, 500), share=st.floats(0, 1))
def test_wilson_interval_holds_its_share(n: int, share: float) -> None:
    """The share lies in the interval, and the interval in [0, 1]."""
    estimate = wilson(round(n * share), n)

    assert 0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1


def test_a_bootstrap_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Of 100 samples of a known ratio, the interval holds it in 85 to 100."""
    rng = np.random.default_rng(0)
    n_held = 0
    for _ in range(100):
        bottoms = rng.integers(50, 500, 40).astype(float)
        tops = bottoms * rng.normal(2.0, 0.4, 40)
        estimate = ratio(tops.tolist(), bottoms.tolist())
        n_held += estimate.low <= 2.0 <= estimate.high

    assert 85 <= n_held <= 100


def test_the_same_items_give_the_same_interval() -> None:
    """Resampling is seeded; a mean of zeros and ones has Wilson's interval."""
    assert ratio([1.0, 2.0, 4.0], [1.0, 1.0, 1.0]) == ratio([1.0, 2.0, 4.0], [1.0, 1.0, 1.0])
    assert mean([1.0, 0.0, 1.0]) == wilson(2, 3)
    assert mean([0.5, 0.25]).value == 0.375
