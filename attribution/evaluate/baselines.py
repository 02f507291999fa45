"""Other people's schemes on the same corpus, written anew from their published descriptions.

data_portraits  Marone, Van Durme: "Data Portraits" (2023): tiles of 50 characters at stride 50 in
                a Bloom filter of error 1e-3; a query asks at every offset
scanoss         winnowing (Schleimer, Wilkerson, Aiken 2003) of 30-grams in windows of 64 over
                lower-case letters and digits; two hits make a match. The cut variant answers
                nothing for inputs of 256 bytes or less, as the SCANOSS engine does
exact_65        any run of 65 lexemes, comments included, as Copilot's code referencing asks for

Each is given more than its original has: it names documents by their number of hits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.evaluate.corpus import LANGUAGE, Hashes
from attribution.evaluate.systems import Answer, System, by_count
from indexer import lex
from indexer.text.lex import hash_spans, mix
from indexer.text.winnow import gram_hashes

_TILE, _TILE_ERROR = 50, 1e-3
_GRAM, _WINDOW, _MIN_HITS, _MIN_BYTES = 30, 64, 2, 256
_RUN = 65
_NOT_ALNUM = bytes(set(range(256)) - set(b"0123456789abcdefghijklmnopqrstuvwxyz"))

Scheme = Callable[[bytes], Hashes]
Documents = Iterable[tuple[int, bytes]]


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Hashes of documents, sorted, each with its document."""

    hashes: Hashes
    document_ids: NDArray[np.int32]

    @classmethod
    def of(cls, documents: Documents, scheme: Scheme) -> Postings:
        """What a scheme keeps of each document."""
        rows = [(document_id, scheme(data)) for document_id, data in documents]
        hashes = np.concatenate([kept for _, kept in rows])
        owners = np.repeat(
            np.array([one for one, _ in rows], dtype=np.int32), [len(kept) for _, kept in rows]
        )
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], owners[order])

    def n_known(self, wanted: Hashes) -> int:
        """How many of these hashes some document has."""
        low = np.searchsorted(self.hashes, wanted)
        return int(np.count_nonzero(low < np.searchsorted(self.hashes, wanted, side="right")))

    def hits(self, wanted: Hashes) -> list[int]:
        """The documents of each wanted hash, one entry a hit."""
        low = np.searchsorted(self.hashes, wanted)
        high = np.searchsorted(self.hashes, wanted, side="right")
        return [
            one
            for first, end in zip(low.tolist(), high.tolist(), strict=True)
            for one in self.document_ids[first:end].tolist()
        ]


class BloomFilter:
    """A Bloom filter (Bloom 1970) with as many bits and hashes as its error at capacity needs."""

    def __init__(self, hashes: Hashes, *, error: float) -> None:
        self.n_hashes = round(-math.log2(error))
        n_bits = math.ceil(-max(1, len(hashes)) * math.log(error) / math.log(2) ** 2)
        self._bits = np.zeros(n_bits, dtype=bool)
        for bits in self._places(hashes):
            self._bits[bits] = True

    def __contains__(self, one: int) -> bool:
        return bool(self.holds(np.array([one], dtype=np.uint64))[0])

    def holds(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of these are members, or look like one."""
        found = np.ones(len(hashes), dtype=bool)
        for bits in self._places(hashes):
            found &= self._bits[bits]
        return found

    def _places(self, hashes: Hashes) -> Iterable[Hashes]:
        for number in range(self.n_hashes):
            yield mix(hashes ^ np.uint64(0x9E3779B97F4A7C15 * (number + 1) % 2**64)) % np.uint64(
                len(self._bits)
            )


def data_portraits(documents: Documents) -> System:
    """Membership of 50-character tiles in a real filter; documents come from an exact table."""
    postings = Postings.of(documents, lambda data: _tiles(squeezed(data), stride=_TILE))
    members = BloomFilter(np.unique(postings.hashes), error=_TILE_ERROR)

    def ask(text: str) -> Answer:
        tiles = _tiles(squeezed(text.encode("utf-8", "replace")), stride=1)
        found = members.holds(tiles)
        return Answer(ranked=by_count(postings.hits(tiles[found])), is_claim=bool(found.any()))

    return System(name="data_portraits", ask=ask)


def scanoss(documents: Documents) -> tuple[System, System]:
    """Winnowed 30-grams of letters and digits: as it is, and with the cut of short inputs."""
    postings = Postings.of(documents, winnowed_characters)

    def ask(text: str) -> Answer:
        wanted = np.unique(winnowed_characters(text.encode("utf-8", "replace")))
        is_claim = postings.n_known(wanted) >= _MIN_HITS
        return Answer(ranked=by_count(postings.hits(wanted)), is_claim=is_claim)

    def ask_long_only(text: str) -> Answer:
        if len(text.encode("utf-8", "replace")) <= _MIN_BYTES:
            return Answer(ranked=(), is_claim=False)
        return ask(text)

    return (
        System(name="winnowing_30_64", ask=ask),
        System(name="scanoss", ask=ask_long_only),
    )


def exact_65(documents: Documents) -> System:
    """A run of 65 lexemes, looked for at every place."""
    postings = Postings.of(documents, _runs_of_65)

    def ask(text: str) -> Answer:
        hits = postings.hits(_runs_of_65(text.encode("utf-8", "replace")))
        return Answer(ranked=by_count(hits), is_claim=bool(hits))

    return System(name="exact_65", ask=ask)


def squeezed(data: bytes) -> bytes:
    """Line breaks and blanks as Data Portraits sees them, its flaws included."""
    lines = re.sub(rb"[\r\n]+", b"\n", data)
    return re.sub(rb"\n\s", b"\n", re.sub(rb"[^\S\n]+", b" ", lines)).strip()


def _tiles(data: bytes, *, stride: int) -> Hashes:
    row = np.frombuffer(data, dtype=np.uint8)
    starts = np.arange(0, max(0, len(row) - _TILE + 1), stride)
    return hash_spans(row, starts, starts + _TILE)


def winnowed_characters(data: bytes) -> Hashes:
    """The minimum of each window of 64 hashes of 30 letters and digits, each run of it once."""
    row = np.frombuffer(data.lower().translate(None, _NOT_ALNUM), dtype=np.uint8)
    starts = np.arange(max(0, len(row) - _GRAM + 1))
    grams = hash_spans(row, starts, starts + _GRAM)
    minima, covered = grams, 1
    if len(grams) < _WINDOW:
        return np.empty(0, dtype=np.uint64)
    while covered < _WINDOW:
        minima = np.minimum(minima[:-covered], minima[covered:])
        covered *= 2
    is_new = np.ones(len(minima), dtype=bool)
    is_new[1:] = minima[1:] != minima[:-1]
    return np.asarray(mix(minima[is_new]), dtype=np.uint64)


def _runs_of_65(data: bytes) -> Hashes:
    return gram_hashes(lex(data, LANGUAGE, keep_comments=True).hashes, k=_RUN)
