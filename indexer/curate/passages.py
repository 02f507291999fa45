"""Looks for passages in a text: most of a passage's k-grams, standing close together.

Neither a changed line nor what a view does not see (see `views`) hides a passage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    """All passages that are looked for in one view, as a sorted table of k-grams."""

    grams: NDArray[np.uint64]  # (G,) distinct, ascending
    firsts: NDArray[np.int64]  # (G + 1,) where the owners of each begin
    owners: NDArray[np.int64]  # (M,) passages that have a k-gram; of each, every k-gram once
    needed: NDArray[np.int64]  # (P,) of a passage's k-grams
    spans: NDArray[np.int64]  # (P,) units within which they must stand
    names: tuple[tuple[str, str], ...]  # (P,) task and look
    k: int
    sieve: NDArray[np.bool_]  # by the low bits of a k-gram, whether it may be in the table


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


def gather(texts: Iterable[tuple[Look, str, str]]) -> Passages:
    """The table of some passages, each (look, task, text); those that say too little are left out.

    All looks are into the same view. Passages keep their order, by which the first is found.
    """
    grams: list[NDArray[np.uint64]] = []
    names, spans, needed, k = [], [], [], 1
    for look, task_id, text in texts:
        view = view_of(look.make_view, text, look.k)
        distinct = np.unique(view.grams)
        if len(distinct) >= look.min_grams:
            k = look.k
            grams.append(distinct)
            names.append((task_id, look.name))
            needed.append(int(np.ceil(len(distinct) * look.min_share)))
            spans.append(len(view.starts) + len(view.starts) // 2)
    flat = np.concatenate([np.empty(0, dtype=np.uint64), *grams])
    owners = np.repeat(np.arange(len(grams), dtype=np.int64), [len(some) for some in grams])
    order = np.argsort(flat, kind="stable")
    table, firsts = np.unique(flat[order], return_index=True)
    sieve = np.zeros(1 << _SIEVE_BITS, dtype=bool)
    sieve[_low_bits(table)] = True
    return Passages(
        table,
        np.append(firsts, len(flat)).astype(np.int64),
        owners[order],
        np.array(needed, dtype=np.int64),
        np.array(spans, dtype=np.int64),
        tuple(names),
        k,
        sieve,
    )


def _low_bits(grams: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (grams & np.uint64((1 << _SIEVE_BITS) - 1)).astype(np.int64)


def search(view: View, passages: Passages) -> Iterator[Found]:
    """The passages that a text holds."""
    places = np.flatnonzero(passages.sieve.take(_low_bits(view.grams)))  # of most files, a few
    rows = np.searchsorted(passages.grams, view.grams[places])
    rows[rows == len(passages.grams)] = 0
    if len(places):
        is_hit = passages.grams[rows] == view.grams[places]
        places, rows = places[is_hit], rows[is_hit]
    if len(places) == 0:
        return
    met = passages.owners[_entries(np.unique(rows), passages)[1]]
    is_likely = np.bincount(met, minlength=len(passages.needed)) >= passages.needed
    if not is_likely.any():
        return
    hits, entries = _entries(rows, passages)
    owners = passages.owners[entries]
    for owner in np.flatnonzero(is_likely).tolist():
        mine = owners == owner
        window = _densest(places[hits[mine]], entries[mine], int(passages.spans[owner]))
        if window and window[0] >= passages.needed[owner]:
            start, end = view.starts[window[1]], view.ends[window[2] + passages.k - 1]
            yield Found(*passages.names[owner], int(start), int(end))


def _entries(
    rows: NDArray[np.int64], passages: Passages
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One pair for each (row of the table, passage that has its k-gram): places in `rows`, owners'.

    The second are indices into `owners`.
    """
    firsts = passages.firsts[rows]
    counts = passages.firsts[rows + 1] - firsts
    hits = np.repeat(np.arange(len(rows)), counts)
    steps = np.arange(len(hits)) - np.repeat(np.cumsum(counts) - counts, counts)
    return hits, firsts[hits] + steps


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
