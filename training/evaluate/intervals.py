"""Shares and means with 95 % intervals, and the unbiased estimate of pass@k."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

N_RESAMPLES = 2000
_Z = 1.959963984540054  # of 95 %


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure between the ends of its 95 % interval, from `n` items."""

    value: float
    low: float
    high: float
    n: int


def wilson(n_right: int, n: int) -> Estimate:
    """A share (Wilson 1927, eq. 4); of nothing, anything from 0 to 1."""
    if not n:
        return Estimate(0.0, 0.0, 1.0, 0)
    share = n_right / n
    middle = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n)) / (1 + _Z * _Z / n)
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half), n)


def ratio(tops: Sequence[float], bottoms: Sequence[float], seed: int = 0) -> Estimate:
    """Σ tops / Σ bottoms over items, with a percentile bootstrap over them (Efron 1979).

    One item tells nothing of the spread: the ends are NaN then.
    """
    n = len(tops)
    above, below = np.asarray(tops, dtype=np.float64), np.asarray(bottoms, dtype=np.float64)
    if not n or below.sum() == 0:
        return Estimate(math.nan, math.nan, math.nan, n)
    if n == 1:
        return Estimate(float(above[0] / below[0]), math.nan, math.nan, n)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(N_RESAMPLES):
        chosen = rng.integers(0, n, n)
        total = below[chosen].sum()
        drawn.append(above[chosen].sum() / total if total else math.nan)
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(float(above.sum() / below.sum()), float(low), float(high), n)


def mean(values: Sequence[float], seed: int = 0) -> Estimate:
    """The mean over items; Wilson's interval if each is 0 or 1, else a bootstrap's."""
    if all(value in {0, 1} for value in values):
        return wilson(int(sum(values)), len(values))
    return ratio(values, [1.0] * len(values), seed)


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that one of k samples passes, from n samples of which c passed.

    1 - C(n-c, k) / C(n, k), as the product 1 - Π (1 - k/i) for i = n-c+1 … n (Chen et al., arXiv
    2107.03374, eq. 1 and figure 3).

    Raises:
        ValueError: not 0 ≤ c ≤ n and 1 ≤ k ≤ n.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"pass@{k} of {n} samples of which {c} passed; draw at least k samples")
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))
