"""How probable it is that a match is a copy: a logistic model of its evidence.

`probability.json` holds the coefficients with the data they were fitted on and what they scored on
other data; `tests/bench/fit_probability.py` writes it.
"""

from __future__ import annotations

import json
import math
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
    values = zip(_weights(), features_of(evidence, tier), strict=True)
    score = sum(weight * value for weight, value in values)
    return round(1 / (1 + math.exp(-max(-50.0, min(50.0, score)))), 4)


@cache
def _weights() -> tuple[float, ...]:
    text = resources.files("attribution").joinpath("probability.json").read_text(encoding="utf-8")
    weights = json.loads(text)["weights"]
    return tuple(float(weights[name]) for name in FEATURES)
