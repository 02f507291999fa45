"""The other places of a secret whose surroundings gave it away once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.view import View

SHORTEST = 8  # a shorter one may be a word that stands elsewhere for itself
_BYTES = 8


def find_repeats(view: View, spans: Sequence[Span]) -> Iterator[Span]:
    """Every occurrence of the keys and passwords that were found, in one pass over the text."""
    by_start: dict[bytes, dict[str, Span]] = {}
    for span in spans:
        body = view.text[span.start : span.end]
        if _is_distinct(span.kind, body):
            by_start.setdefault(view.data[span.start : span.start + _BYTES], {})[body] = span
    if not by_start:
        return
    lengths = {
        start: sorted({len(body) for body in bodies}, reverse=True)
        for start, bodies in by_start.items()
    }
    for at in _places(view, list(by_start)):
        start = view.data[at : at + _BYTES]
        for length in lengths[start]:
            body = view.text[at : at + length]  # shorter at the end of the text
            known = by_start[start].get(body)
            if known is not None:
                yield known._replace(start=at, end=at + len(body))
                break


def _is_distinct(kind: Kind, body: str) -> bool:
    """Whether a body can only be the secret again; a password of letters may be a common word."""
    if kind not in (Kind.KEY, Kind.PASSWORD) or len(body) < SHORTEST:
        return False
    return kind is Kind.KEY or not (body.isalpha() or body.isdigit())


def _places(view: View, starts: list[bytes]) -> list[int]:
    """Where one of the 8-byte beginnings stands, in any order."""
    wanted = np.frombuffer(b"".join(starts), dtype=np.uint64)
    found = []
    for shift in range(_BYTES):
        n_words = (view.codes.size - shift) // _BYTES
        if n_words > 0:
            words = np.frombuffer(view.data, dtype=np.uint64, count=n_words, offset=shift)
            found.append(np.flatnonzero(np.isin(words, wanted)) * _BYTES + shift)
    return np.concatenate(found).tolist() if found else []
