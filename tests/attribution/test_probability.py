"""The probability of a copy: bounded, monotone where evidence grows, and honest about its data."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.probability import FEATURES, features_of, interpolated, probability_of
from attribution.types import Evidence, Tier

STRONG = Evidence(n_lexemes=200, coverage=1.0, bits=300.0, n_rare_words=6, n_comment_words=9)
WEAK = Evidence(n_lexemes=17, coverage=0.5, bits=12.0, n_rare_words=0, n_comment_words=0)
tiers = st.sampled_from([Tier.E0, Tier.E1, Tier.E2, Tier.E3, Tier.E4])


@pytest.fixture(scope="module")
def model() -> dict[str, object]:
    text = resources.files("attribution").joinpath("probability.json").read_text(encoding="utf-8")
    loaded: dict[str, object] = json.loads(text)
    return loaded


def test_strong_evidence_is_nearly_certain_and_weak_evidence_is_not() -> None:
    """A long run in rare words, and a short one that says nothing."""
    assert probability_of(STRONG, Tier.E1) > 0.9
    assert probability_of(WEAK, Tier.E3) < probability_of(WEAK, Tier.E1) < 0.9


@given(
    n_lexemes=st.integers(5, 10_000),
    coverage=st.floats(0, 1),
    bits=st.floats(0, 5_000),
    tier=tiers,
)
def test_more_of_the_query_is_never_less_probable(
    n_lexemes: int, coverage: float, bits: float, tier: Tier
) -> None:
    """A probability, which grows with the covered part of the query."""
    evidence = replace(WEAK, n_lexemes=n_lexemes, coverage=coverage, bits=bits)
    whole = replace(evidence, coverage=1.0)

    assert 0 < probability_of(evidence, tier) <= probability_of(whole, tier) < 1


def test_the_model_says_what_it_was_fitted_on(model: dict[str, object]) -> None:
    """Every feature has a weight, and the calibration error on unseen files meets the target."""
    scored = model["scored_on"]

    assert set(model["weights"]) == set(FEATURES)  # type: ignore[call-overload]
    assert len(features_of(WEAK, Tier.E1)) == len(FEATURES)
    assert isinstance(scored, dict)
    assert scored["n"] >= 500
    assert scored["ece"] <= 0.03


@given(score=st.floats(-20, 20))
def test_the_map_is_linear_between_knots(score: float) -> None:
    """And level outside of them."""
    knots = [(-1.0, 0.2), (1.0, 0.6), (3.0, 0.9)]
    expected = (
        0.2
        if score <= -1
        else 0.2 + 0.2 * (score + 1)
        if score <= 1
        else 0.6 + 0.15 * (score - 1)
        if score <= 3
        else 0.9
    )

    assert interpolated(score, knots) == pytest.approx(expected)
