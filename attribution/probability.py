"""How probable it is that a match is a copy: a logistic model of its evidence, made isotonic.

The model's score goes through a monotone piecewise linear map, since no logistic curve fits both
the weak and the strong matches (Zadrozny, Elkan, KDD 2002). `probability.json` holds both, with the
data they were fitted on and what they scored on other data; `tests/bench/fit_probability.py` writes
it.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib import resources

from attribution.types import Evidence, Tier

FEATURES = (
    "bias",
    "log2_lexemes",
    "coverage",
    "log2_bits",
    "rare_words",
    "comment_words",
    "is_renamed",
    "is_edited",
)


def features_of(evidence: Evidence, tier: Tier) -> tuple[float, ...]:
    """The model's features, in the order of FEATURES; counts are capped where more says no more."""
    return (
        1.0,
        math.log2(1 + evidence.n_lexemes),
        evidence.coverage,
        math.log2(1 + evidence.bits),
        min(evidence.n_rare_words, 4) / 4,
        min(evidence.n_comment_words, 8) / 8,
        float(tier is Tier.E3),
        float(tier is Tier.E4),
    )


def probability_of(evidence: Evidence, tier: Tier) -> float:
    """The probability, in [0, 1], that the code was copied from a source or its ancestor."""
    weights, knots = _model()
    values = zip(weights, features_of(evidence, tier), strict=True)
    return round(interpolated(sum(weight * value for weight, value in values), knots), 4)


def interpolated(score: float, knots: Sequence[tuple[float, float]]) -> float:
    """The value at a score, linear between knots (score, value) in order, and level outside."""
    after = bisect_right(knots, (score, math.inf))
    if after == 0:
        return knots[0][1]
    if after == len(knots):
        return knots[-1][1]
    (left, low), (right, high) = knots[after - 1], knots[after]
    return low + (high - low) * (score - left) / (right - left)


@cache
def _model() -> tuple[tuple[float, ...], tuple[tuple[float, float], ...]]:
    text = resources.files("attribution").joinpath("probability.json").read_text(encoding="utf-8")
    model = json.loads(text)
    weights = tuple(float(model["weights"][name]) for name in FEATURES)
    return weights, tuple((float(score), float(value)) for score, value in model["knots"])
