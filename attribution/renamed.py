"""Runs that are equal once identifiers are renamed, each with the one renaming that does it.

On a diagonal two lexemes agree if they are the same punctuation, keyword or both numbers, or if
both are names. A run is kept only where its names pair off one to one: tier E3 is a claim about a
bijection, and the bijection is part of the answer. Whoever renames does so in the code: a word that
is the same in a string on both sides is a literal, and binds no name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from attribution.align import Lexed, Run
from indexer.text.lex import enclosed_spans
from indexer.text.rename import NUMBER, plain_shapes

_FEW_NUMBERS = 3  # fewer say nothing of a copy


@dataclass(frozen=True, kw_only=True, eq=False)
class Shaped:
    """A lexed text with its names taken away; arrays of length N."""

    lexed: Lexed
    shapes: NDArray[np.uint64]  # equal for lexemes that may be each other under a renaming
    is_name: NDArray[np.bool_]
    language: str
    inside: bytes  # of what the text begins in the middle

    @cached_property
    def is_in_string(self) -> NDArray[np.bool_]:
        """Which lexemes stand in a string; looked up only where names do not pair off."""
        starts = self.lexed.lexemes.starts
        end = int(self.lexed.lexemes.ends[-1]) if len(starts) else 0
        spans = enclosed_spans(self.lexed.data, self.language, inside=self.inside, end=end)
        strings = [span[:2] for span in spans if not span[2]]
        edges = np.array(strings, dtype=np.int64).reshape(-1, 2)
        at = np.searchsorted(edges[:, 0], starts, side="right") - 1
        return (at >= 0) & (starts < np.append(edges[:, 1], 0)[at])


def shaped(text: Lexed, language: str, *, inside: bytes = b"") -> Shaped:
    """The shapes of a lexed text, which may begin inside of a string or a comment."""
    shapes, is_name = plain_shapes(text.data, text.lexemes, language)
    return Shaped(lexed=text, shapes=shapes, is_name=is_name, language=language, inside=inside)


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
                for first, last in _bijective(query, document, start, end, diagonal):
                    if last - first >= min_length:
                        runs.append(Run(first, first + diagonal, last - first))
    return runs


def _bijective(
    query: Shaped, document: Shaped, start: int, end: int, diagonal: int
) -> list[tuple[int, int]]:
    pairs = _names(query, document, start, end, diagonal)
    found = list(consistent(pairs, start, end))
    if len(found) > 1:
        bound = [one for one in pairs if not _is_literal(query, document, one, diagonal)]
        if len(bound) < len(pairs):
            found = list(consistent(bound, start, end))
    return found


def _is_literal(query: Shaped, document: Shaped, pair: tuple[int, int, int], diagonal: int) -> bool:
    place, one, other = pair
    is_in_strings = query.is_in_string[place] and document.is_in_string[place + diagonal]
    return one == other and bool(is_in_strings)


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
