"""That an index holds no run of N lexemes of a text: proved by looking at all that could hold one.

Winnowing selects a k-gram in every window of w, by its value alone (Schleimer, Wilkerson, Aiken,
SIGMOD 2003). So of a run of N ≥ k + w - 1 lexemes that a document shares with the query, all
fingerprints that its windows select are postings of that document. Documents that hold no stretch
of the query's fingerprints that reaches far enough for N lexemes are ruled out; the stored text of
each other one is lexed, and its runs of N are compared with those of the query. A trace looks at
the best candidates and at samples of what is common; here nothing is sampled, and what would take
too long is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.outcomes import Absence
from attribution.sources import stored_bytes
from indexer import Index, lex, start_hypotheses, winnow
from indexer.errors import UnprovableError
from indexer.exhaustive import TooCommonError, holders_of
from indexer.text.lex import Lexemes
from indexer.text.winnow import Fingerprints, gram_hashes


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How much may be looked at for one text; what needs more stays unproved."""

    max_postings: int = 8_000_000
    max_bytes: int = 512_000_000  # of stored text


# What a trace spends on it by the way; a certificate is worth more.
QUICK = Bounds(max_postings=400_000, max_bytes=2_000_000)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reading:
    """The text lexed as if it started inside of a string or comment, or (b"") in code."""

    inside: bytes
    lexemes: Lexemes
    fingerprints: Fingerprints


def readings_of(data: bytes, language: str, *, k: int, w: int) -> tuple[Reading, ...]:
    """Every way in which a fragment may have to be lexed."""
    return tuple(
        Reading(inside=inside, lexemes=lexemes, fingerprints=winnow(lexemes.hashes, k=k, w=w))
        for inside in start_hypotheses(data, language)
        for lexemes in (lex(data, language, inside=inside),)
    )


def shortest_provable(index: Index) -> int:
    """The shortest run of which every copy shares a fingerprint with the query: k + w - 1."""
    return index.manifest.k + index.manifest.w - 1


def absence_of(
    index: Index,
    data: bytes,
    language: str,
    *,
    min_lexemes: int,
    bounds: Bounds | None = None,
) -> Absence:
    """Whether no live document shares a run of `min_lexemes` lexemes with the text.

    Raises:
        ValueError: runs of `min_lexemes` are too short for a proof.
        IndexerError: the index cannot be read, or a document was forgotten meanwhile.
    """
    if min_lexemes < shortest_provable(index):
        raise ValueError(f"runs of {min_lexemes} are below {shortest_provable(index)} lexemes")
    limits = bounds or Bounds()
    manifest = index.manifest
    try:
        for reading in readings_of(data, language, k=manifest.k, w=manifest.w):
            holder = _holder(index, reading, min_lexemes, limits)
            if holder is not None:
                return Absence(
                    min_lexemes=min_lexemes, is_proved=False, is_shared=True, reason=holder
                )
    except UnprovableError as error:
        return Absence(min_lexemes=min_lexemes, is_proved=False, reason=str(error))
    return Absence(min_lexemes=min_lexemes, is_proved=True)


def _holder(index: Index, reading: Reading, min_lexemes: int, limits: Bounds) -> str | None:
    """Where a run of the reading is found first, in words."""
    runs = np.unique(gram_hashes(reading.lexemes.hashes, k=min_lexemes))
    if len(runs) == 0:
        return None
    n_bytes = 0
    for document_id in _candidates(index, reading, min_lexemes, limits):
        text = stored_bytes(index, document_id)
        n_bytes += len(text)
        if n_bytes > limits.max_bytes:
            raise TooCommonError(
                f"what it has in common with others is so common that more than "
                f"{limits.max_bytes:,} bytes of text would have to be compared"
            )
        document = index.document(document_id)
        held = gram_hashes(lex(text, document.language).hashes, k=min_lexemes)
        if np.isin(held, runs).any():
            origin = document.origins[0] if document.origins else None
            return f"{origin.name} {origin.version}, {origin.path}" if origin else document.sha256
    return None


def _candidates(index: Index, reading: Reading, min_lexemes: int, limits: Bounds) -> Iterator[int]:
    """The documents whose fingerprints allow for a shared run of `min_lexemes`."""
    values, number_of = np.unique(reading.fingerprints.values, return_inverse=True)
    held = holders_of(index, values, max_postings=limits.max_postings)
    documents, first = np.unique(held.document_id, return_index=True)
    for document_id, numbers in zip(
        documents.tolist(), np.split(held.value_index, first)[1:], strict=True
    ):
        is_held = np.zeros(len(values), dtype=np.bool_)
        is_held[numbers] = True
        if _longest_reach(is_held[number_of], reading, index) >= min_lexemes:
            yield document_id


def _longest_reach(is_held: NDArray[np.bool_], reading: Reading, index: Index) -> int:
    """How many lexemes a run can have whose selected fingerprints are all held.

    The first fingerprint that a run selects lies in its first window, and the last in its last: so
    it reaches less than w beyond the stretch of held ones.
    """
    k, w = index.manifest.k, index.manifest.w
    edges = np.flatnonzero(np.diff(is_held.view(np.int8), prepend=0, append=0))
    positions = reading.fingerprints.positions
    starts = np.maximum(positions[edges[0::2]] - (w - 1), 0)
    ends = np.minimum(positions[edges[1::2] - 1] + k + (w - 1), len(reading.lexemes))
    return int((ends - starts).max(initial=0))
