"""Which token comes next: the likeliest, or one that is drawn, the same with the same seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lsp_server.engine.base import GenerateRequest

Pick = Callable[[NDArray[np.float32]], int]  # from logits (N,) to a place in them


def greedy(logits: NDArray[np.float32]) -> int:
    """The place of the largest, the first of several."""
    return int(logits.argmax())


def pick_of(request: GenerateRequest) -> Pick:
    """How a request's tokens are chosen; what is returned serves one answer only."""
    return _nucleus(request) if request.temperature > 0 else greedy


def _nucleus(request: GenerateRequest) -> Pick:
    """From the fewest tokens that have `top_p` together (Holtzman et al., arXiv 1904.09751)."""
    rng = np.random.default_rng(request.seed)

    def pick(logits: NDArray[np.float32]) -> int:
        scaled = (logits.astype(np.float64) - logits.max()) / request.temperature
        chances = np.exp(scaled)
        chances /= chances.sum()
        order = np.argsort(-chances, kind="stable")
        n_kept = int(np.searchsorted(np.cumsum(chances[order]), request.top_p)) + 1
        kept = order[:n_kept]
        return int(rng.choice(kept, p=chances[kept] / chances[kept].sum()))

    return pick
