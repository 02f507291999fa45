"""All lexemes of an index in one row, so that whoever holds a sequence can be looked up slowly.

It shares the lexer with the tracer and nothing else: no fingerprint, no posting, no alignment.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attribution.sources import stored_bytes
from indexer import Index, lex
from indexer.text.lex import mix

Hashes = NDArray[np.uint64]
Progress = Callable[[str, int, int], None]
LANGUAGE = "python"

_STEP = 500  # documents between two words of progress
_KEYWORDS = sorted(keyword.kwlist)
_ANY_NAME = np.uint64(0x5EED)
_BEGINS_NAME = np.zeros(256, dtype=bool)
_BEGINS_NAME[list(b"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] = True
_BEGINS_NAME[0x80:] = True


class Place(NamedTuple):
    """A run of lexemes in a document."""

    document_id: int
    first: int  # index of its first lexeme in the document
    length: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Corpus:
    """The lexemes of every Python document of an index, comments aside; (N,) each.

    Before each document stands one lexeme that occurs nowhere else, so no sequence crosses over.
    """

    hashes: Hashes
    is_name: NDArray[np.bool_]  # an identifier that is no keyword
    starts: NDArray[np.int32]  # byte offset inside of the document
    ends: NDArray[np.int32]
    bounds: NDArray[np.int64]  # (D + 1,) where the separator of each document stands
    document_ids: NDArray[np.int64]  # (D,)
    owners: tuple[frozenset[str], ...]  # (D,) who published the document

    def holders(self, wanted: Hashes) -> list[Place]:
        """Every place that holds exactly this sequence, found by comparing with every place."""
        if len(wanted) == 0:
            return []
        return self.places_at(_occurrences(self.hashes, wanted), len(wanted))

    def renamed_holders(self, wanted: Hashes, is_name: NDArray[np.bool_]) -> list[Place]:
        """Every place that holds the sequence under a one-to-one renaming of its names."""
        if len(wanted) == 0 or is_name.all():
            return []
        shapes = np.where(is_name, _ANY_NAME, wanted)
        known, counts = self._shape_counts
        near = np.minimum(np.searchsorted(known, shapes), len(known) - 1)
        n_each = np.where(known[near] == shapes, counts[near], 0)
        places = _occurrences(self._shapes, shapes, rarest=int(np.argmin(n_each)))
        pattern = first_occurrences(wanted)
        n = len(wanted)
        alike = [
            at for at in places.tolist() if first_occurrences(self.hashes[at : at + n]) == pattern
        ]
        return self.places_at(np.array(alike, dtype=np.int64), n)

    @cached_property
    def _shape_counts(self) -> tuple[Hashes, NDArray[np.int64]]:
        return np.unique(self._shapes, return_counts=True)

    @cached_property
    def _shapes(self) -> Hashes:
        return np.where(self.is_name, _ANY_NAME, self.hashes)

    def places_at(self, at: NDArray[np.int64], length: int) -> list[Place]:
        """Places in the row as places in documents."""
        numbers = np.searchsorted(self.bounds, at, side="right") - 1
        return [
            Place(int(self.document_ids[number]), place - int(self.bounds[number]) - 1, length)
            for place, number in zip(at.tolist(), numbers.tolist(), strict=True)
        ]

    def of_document(self, document_id: int) -> slice:
        """Where the lexemes of a document stand in the row."""
        number = int(np.searchsorted(self.document_ids, document_id))
        return slice(int(self.bounds[number]) + 1, int(self.bounds[number + 1]))

    def owners_of(self, document_id: int) -> frozenset[str]:
        """Who published a document."""
        return self.owners[int(np.searchsorted(self.document_ids, document_id))]

    def lexemes_between(self, document_id: int, start: int, end: int) -> tuple[int, int]:
        """The lexemes of a document that lie inside a byte range, half-open."""
        own = self.of_document(document_id)
        first = int(np.searchsorted(self.starts[own], start))
        return first, max(first, int(np.searchsorted(self.ends[own], end, side="right")))


def read_corpus(index: Index, progress: Progress, *, keep_comments: bool = False) -> Corpus:
    """Lex every live Python document of an index, comments aside or as if they were code."""
    ids, owners, parts = [], [], []
    sizes = [0]
    for document_id, data in documents(index, progress, "reading the index"):
        lexemes = lex(data, LANGUAGE, keep_comments=keep_comments)
        ids.append(document_id)
        owners.append(frozenset(one.owner for one in index.document(document_id).origins))
        hashes = np.concatenate([_separator(document_id), lexemes.hashes])
        starts = np.concatenate([[0], lexemes.starts]).astype(np.int32)
        ends = np.concatenate([[0], lexemes.ends]).astype(np.int32)
        parts.append((hashes, names_among(data, lexemes.starts, hashes), starts, ends))
        sizes.append(len(hashes))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Corpus(
        hashes=columns[0],
        is_name=columns[1],
        starts=columns[2],
        ends=columns[3],
        bounds=np.cumsum(sizes),
        document_ids=np.array(ids, dtype=np.int64),
        owners=tuple(owners),
    )


def documents(index: Index, progress: Progress, what: str) -> Iterator[tuple[int, bytes]]:
    """The live Python documents of an index, with progress."""
    live = index.live_document_ids()
    for number, document_id in enumerate(live):
        if number % _STEP == 0:
            progress(what, number, len(live))
        if index.document(document_id).language == LANGUAGE:
            yield document_id, stored_bytes(index, document_id)
    progress(what, len(live), len(live))


def names_among(data: bytes, starts: NDArray[np.int64], row: Hashes) -> NDArray[np.bool_]:
    """Which of a separator and the lexemes after it are identifiers; (N + 1,)."""
    begins = np.frombuffer(data, dtype=np.uint8)[starts]
    is_name = np.concatenate([[False], _BEGINS_NAME[begins]])
    is_name &= ~np.isin(row, _keyword_hashes())
    return np.asarray(is_name, dtype=bool)


def first_occurrences(hashes: Hashes) -> list[int]:
    """For each lexeme where the same one stood first: equal lists are renamings of each other."""
    seen: dict[int, int] = {}
    return [seen.setdefault(one, place) for place, one in enumerate(hashes.tolist())]


def _occurrences(row: Hashes, wanted: Hashes, *, rarest: int = 0) -> NDArray[np.int64]:
    """Where a row holds a sequence: every place of one lexeme, thinned out by the others."""
    at = np.flatnonzero(row == wanted[rarest]) - rarest
    return thinned(row, at[at >= 0], wanted)


def thinned(row: Hashes, at: NDArray[np.int64], wanted: Hashes) -> NDArray[np.int64]:
    """Those of some places in a row at which it holds a sequence."""
    at = at[at + len(wanted) <= len(row)]
    for shift, one in enumerate(wanted):
        if len(at) == 0:
            break
        at = at[row[at + shift] == one]
    return at


def _separator(document_id: int) -> Hashes:
    return mix(np.array([0xD0C0000000000000 + document_id + 1], dtype=np.uint64))


@lru_cache(maxsize=1)
def _keyword_hashes() -> Hashes:
    return lex(" ".join(_KEYWORDS).encode(), LANGUAGE).hashes
