"""Runs that are equal once identifiers are renamed, each with the one renaming that does it.

On a diagonal two lexemes agree if they are the same punctuation, keyword or both numbers, or if
both are names. A run is kept only where its names pair off one to one: tier E3 is a claim about a
bijection, and the bijection is part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.align import Lexed, Run
from indexer.text.rename import NUMBER, plain_shapes

_FEW_NUMBERS = 3  # fewer say nothing of a copy


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shaped:
    """A lexed text with its names taken away; arrays of length N."""

    lexed: Lexed
    shapes: NDArray[np.uint64]  # equal for lexemes that may be each other under a renaming
    is_name: NDArray[np.bool_]


def shaped(text: Lexed, language: str) -> Shaped:
    """The shapes of a lexed text."""
    shapes, is_name = plain_shapes(text.data, text.lexemes, language)
    return Shaped(lexed=text, shapes=shapes, is_name=is_name)


def renamed_runs(
    query: Shaped, document: Shaped, diagonals: NDArray[np.int64], *, min_length: int
) -> list[Run]:
    """The maximal runs on these diagonals that are equal under a bijection of their names."""
    runs = []
    for diagonal in diagonals.tolist():
        low = max(0, -diagonal)
        high = min(len(query.shapes), len(document.shapes) - diagonal)
        if high - low < min_length:
            continue
        equal = query.shapes[low:high] == document.shapes[low + diagonal : high + diagonal]
        edges = np.flatnonzero(np.diff(equal.view(np.int8), prepend=0, append=0)) + low
        for start, end in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            if end - start >= min_length:
                pairs = _names(query, document, start, end, diagonal)
                for first, last in consistent(pairs, start, end):
                    if last - first >= min_length:
                        runs.append(Run(first, first + diagonal, last - first))
    return runs


def consistent(
    pairs: list[tuple[int, int, int]], start: int, end: int
) -> Iterator[tuple[int, int]]:
    """The maximal stretches of [start, end) in which the pairs of names are a bijection.

    Args:
        pairs: place, name in the query, name in the document; in the order of places.
        start: of the run.
        end: of the run.
    """
    forward: dict[int, tuple[int, int]] = {}  # name → its partner, and where they met last
    backward: dict[int, tuple[int, int]] = {}
    first = start
    for place, one, other in pairs:
        partner, met = forward.get(one, (other, -1))
        clash = met if partner != other else -1
        partner, met = backward.get(other, (one, -1))
        clash = max(clash, met if partner != one else -1)
        if clash >= first:  # what met before `first` binds nobody any more
            yield first, place
            first = clash + 1
        forward[one] = (other, place)
        backward[other] = (one, place)
    yield first, end


def share_of_equal_numbers(query: Shaped, document: Shaped, run: Run) -> float:
    """How many of a run's numbers are the same on both sides; 1 where there are next to none."""
    places = np.flatnonzero(query.shapes[run.query : run.query + run.length] == NUMBER)
    if len(places) < _FEW_NUMBERS:
        return 1.0
    ours = query.lexed.lexemes.hashes[run.query + places]
    return float(np.mean(ours == document.lexed.lexemes.hashes[run.document + places]))


def renaming(query: Shaped, document: Shaped, run: Run) -> tuple[tuple[bytes, bytes], ...]:
    """The names of a run as (in the query, in the document), in the order of the query."""
    found: dict[bytes, bytes] = {}
    inside = np.flatnonzero(query.is_name[run.query : run.query + run.length])
    for offset in inside.tolist():
        one = _text(query.lexed, run.query + offset)
        found.setdefault(one, _text(document.lexed, run.document + offset))
    return tuple(found.items())


def _names(
    query: Shaped, document: Shaped, start: int, end: int, diagonal: int
) -> list[tuple[int, int, int]]:
    places = np.flatnonzero(query.is_name[start:end]) + start
    ones = query.lexed.lexemes.hashes[places]
    others = document.lexed.lexemes.hashes[places + diagonal]
    return list(zip(places.tolist(), ones.tolist(), others.tolist(), strict=True))


def _text(text: Lexed, lexeme: int) -> bytes:
    return text.data[int(text.lexemes.starts[lexeme]) : int(text.lexemes.ends[lexeme])]
