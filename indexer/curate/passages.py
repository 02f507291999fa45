"""Looks for passages in a text: most of a passage's k-grams, standing close together.

Neither a changed line nor what a view does not see (see `views`) hides a passage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.curate.views import MakeView, View, code_lexemes
from indexer.text.normalize import to_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One way to look for passages."""

    name: str
    make_view: MakeView
    k: int
    min_grams: int  # shorter passages say too little
    min_share: float  # of a passage's k-grams


@dataclass(frozen=True, slots=True)
class Passages:
    """All passages of one look, as a sorted table of k-grams."""

    look: Look
    grams: NDArray[np.uint64]  # (M,) ascending, once for each passage that has it
    owners: NDArray[np.int64]  # (M,) passage
    n_grams: NDArray[np.int64]  # (P,) distinct k-grams of a passage
    spans: NDArray[np.int64]  # (P,) units within which they must stand
    task_ids: tuple[str, ...]  # (P,)


@dataclass(frozen=True, slots=True)
class Found:
    """A problem in a text."""

    task_id: str
    look: str
    start: int  # byte offsets, half-open
    end: int


def view_of(make_view: MakeView, text: str, k: int) -> View:
    """A view of some Python."""
    data = to_bytes(text)
    return make_view(data, code_lexemes(data, "python"), k)


_SIEVE_BITS = 20


def gather(look: Look, texts: Iterable[tuple[str, str]]) -> Passages:
    """The table of some passages, each (task, text); those that say too little are left out."""
    grams: list[NDArray[np.uint64]] = []
    task_ids, spans = [], []
    for task_id, text in texts:
        view = view_of(look.make_view, text, look.k)
        distinct = np.unique(view.grams)
        if len(distinct) >= look.min_grams:
            grams.append(distinct)
            task_ids.append(task_id)
            spans.append(len(view.starts) + len(view.starts) // 2)
    n_grams = np.array([len(some) for some in grams], dtype=np.int64)
    flat = np.concatenate([np.empty(0, dtype=np.uint64), *grams])
    owners = np.repeat(np.arange(len(grams), dtype=np.int64), n_grams)
    order = np.argsort(flat, kind="stable")
    return Passages(
        look,
        flat[order],
        owners[order],
        n_grams,
        np.array(spans, dtype=np.int64),
        tuple(task_ids),
    )


def sieve_of(tables: Sequence[Passages]) -> NDArray[np.bool_]:
    """By the low bits of a k-gram, whether it may be in one of some tables of the same view."""
    sieve = np.zeros(1 << _SIEVE_BITS, dtype=bool)
    for passages in tables:
        sieve[_low_bits(passages.grams)] = True
    return sieve


def sift(view: View, sieve: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The places of the k-grams that may be in a table; most of a file's are in none."""
    return np.flatnonzero(sieve[_low_bits(view.grams)])


def _low_bits(grams: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (grams & np.uint64((1 << _SIEVE_BITS) - 1)).astype(np.int64)


def search(view: View, places: NDArray[np.int64], passages: Passages) -> Iterator[Found]:
    """The passages that a text holds, of which the places are given that passed the sieve."""
    look = passages.look
    if len(passages.grams) == 0 or len(places) == 0:
        return
    firsts = np.searchsorted(passages.grams, view.grams[places], side="left")
    counts = np.searchsorted(passages.grams, view.grams[places], side="right") - firsts
    if not counts.any():
        return
    # One row for each (place in the text, entry in the table) of equal k-grams.
    hit_places = np.repeat(places, counts)
    steps = np.arange(len(hit_places)) - np.repeat(np.cumsum(counts) - counts, counts)
    entries = np.repeat(firsts, counts) + steps
    owners = passages.owners[entries]
    needed = np.ceil(passages.n_grams * look.min_share).astype(np.int64)
    n_hits = np.bincount(owners, minlength=len(needed))
    for owner in np.flatnonzero(n_hits >= needed).tolist():
        mine = owners == owner
        window = _densest(hit_places[mine], entries[mine], int(passages.spans[owner]))
        if window and window[0] >= needed[owner]:
            start, end = view.starts[window[1]], view.ends[window[2] + look.k - 1]
            yield Found(passages.task_ids[owner], look.name, int(start), int(end))


def _densest(
    places: NDArray[np.int64], entries: NDArray[np.int64], span: int
) -> tuple[int, int, int] | None:
    """Most distinct entries in `span` places: their number, the first and the last place."""
    best: tuple[int, int, int] | None = None
    inside: dict[int, int] = {}
    low = 0
    hits = list(zip(places.tolist(), entries.tolist(), strict=True))
    for place, entry in hits:
        inside[entry] = inside.get(entry, 0) + 1
        while hits[low][0] <= place - span:
            gone = hits[low][1]
            inside[gone] -= 1
            if inside[gone] == 0:
                del inside[gone]
            low += 1
        if best is None or len(inside) > best[0]:
            best = len(inside), hits[low][0], place
    return best
