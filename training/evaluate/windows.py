"""A text that is longer than a model's context, scored in windows that overlap by a half."""

from __future__ import annotations

from collections.abc import Callable


def windowed_nats(
    ids: list[int], *, n_start: int, n_context: int, nats_of: Callable[[list[int], int], float]
) -> float:
    """-ln p of `ids` after their first `n_start`, which are given.

    Each token is predicted once, in the first window that holds it.

    Args:
        ids: of the whole text.
        n_start: how many of them are given, at least one.
        n_context: tokens of a window.
        nats_of: -ln p of a window's tokens after so many of its first ones.
    """
    total, n_done = 0.0, n_start
    for first in range(0, len(ids), max(1, n_context // 2)):
        window = ids[first : first + n_context]
        if first + len(window) > n_done:
            total += nats_of(window, n_done - first)
            n_done = first + len(window)
        if n_done == len(ids):
            break
    return total
