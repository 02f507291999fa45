"""Asks an index again for pieces of what was removed, and writes down what it answers.

The pieces are chosen by a seed, so that anybody who has the texts can choose the same ones. They
are kept as ranges and digests: a receipt must not repeat what was removed.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexerError
from indexer.index import Index
from indexer.manifest import SEGMENTS_NAME, read_manifest
from indexer.store.documents import Document, DocumentReader
from indexer.store.text_store import TextReader
from indexer.text.lex import lex
from indexer.text.normalize import to_bytes, to_text
from indexer.text.winnow import winnow

N_SPANS = 3  # pieces of a document, of few documents
N_PIECES = 1_000  # in all, of many; each document is asked for at least once
_SPAN_LINES = 30
_MAX_SPAN_BYTES = 4_000  # of minified lines; a query of any length finds what a shorter one does
_TOP_K = 10  # leads; a piece that is still indexed is the very first


class Probe(Protocol):
    """One way of asking the index in a folder, open until it is closed."""

    name: str

    def ask(self, text: str, language: str) -> frozenset[str]:
        """The sha256 of every document that the answer names.

        Raises:
            IndexerError: the question could not be answered.
        """

    def close(self) -> None:
        """Let go of the index."""


OpenProbe = Callable[[Path], Probe]


class IndexProbe:
    """Asks what all queries are built on: the fingerprints' postings and full-text search."""

    name = "lookup+search"

    def __init__(self, path: Path) -> None:
        self._index = Index.open(path)

    def ask(self, text: str, language: str) -> frozenset[str]:
        """The sha256 of every document that has a posting or is a lead."""
        values = winnow(lex(to_bytes(text), language).hashes).values
        ids = set(self._index.lookup(values).document_id.tolist())
        ids.update(lead.document_id for lead in self._index.search(text, top_k=_TOP_K))
        return frozenset(self._index.document(document_id).sha256 for document_id in ids)

    def close(self) -> None:
        """Close the index."""
        self._index.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A range of lines of a removed document, to be asked for."""

    document_sha256: str
    language: str
    start: int  # bytes of the UTF-8 text
    end: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of asking for one piece in one way."""

    document_sha256: str
    start: int
    end: int
    piece_sha256: str
    probe: str
    was_found: bool | None  # before the removal; None: it was not asked then
    is_found: bool  # after it; a receipt with one of these proves nothing
    n_elsewhere: int  # other documents that the answer names: they hold like text, and stay


class Probes:
    """All ways of asking that there are, open together."""

    def __init__(self, path: Path, openers: Sequence[OpenProbe]) -> None:
        self._probes: list[Probe] = [open_probe(path) for open_probe in openers]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for probe in self._probes:
            probe.close()

    def ask(self, piece: Piece) -> Iterator[tuple[str, frozenset[str]]]:
        """The name of each way and the documents that its answer names."""
        for probe in self._probes:
            yield probe.name, probe.ask(piece.text, piece.language)


def spans_of_each(n_documents: int) -> int:
    """How many pieces of each document to ask for: fewer of many, so that it takes seconds."""
    return max(1, min(N_SPANS, N_PIECES // max(n_documents, 1)))


def choose_pieces(document: Document, text: str, *, seed: str, n: int = N_SPANS) -> list[Piece]:
    """Up to `n` different ranges of lines of a text, the same for the same seed."""
    lines = to_bytes(text).splitlines(keepends=True)
    starts = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(int).tolist()
    last = max(len(lines) - _SPAN_LINES, 0)
    # Chosen so that it can be repeated; nothing here is secret.
    chosen = random.Random(f"{seed}:{document.sha256}").sample(range(last + 1), min(n, last + 1))  # noqa: S311
    pieces = []
    for first in sorted(chosen):
        start, end = starts[first], starts[min(first + _SPAN_LINES, len(lines))]
        data = to_bytes(text)[start : min(end, start + _MAX_SPAN_BYTES)]
        body = to_text(_whole_characters(data))
        pieces.append(
            Piece(
                document_sha256=document.sha256,
                language=document.language,
                start=start,
                end=start + len(to_bytes(body)),
                text=body,
            )
        )
    return pieces


def stored_documents(path: Path, sha256s: Iterable[str]) -> Iterator[tuple[Document, str]]:
    """Documents, with their texts, that an index still stores, forgotten or not.

    Its files are opened at once, so that what is rewritten later is given all the same.
    """
    folders = [path / SEGMENTS_NAME / name for name in read_manifest(path).segments]
    opened = [(DocumentReader(folder), TextReader(folder)) for folder in folders]
    return _stored(opened, np.array(sorted(set(sha256s)), dtype="S64"))


def _stored(
    opened: Sequence[tuple[DocumentReader, TextReader]], wanted: NDArray[np.bytes_]
) -> Iterator[tuple[Document, str]]:
    seen: set[str] = set()
    for documents, texts in opened:
        for number in np.flatnonzero(np.isin(documents.digests(), wanted)).tolist():
            document = documents.read(number, document_id=number)
            if document.sha256 not in seen:
                seen.add(document.sha256)
                yield document, to_text(texts.read(number))


def ask_again(
    probes: Probes, pieces: Iterable[Piece], *, found_before: dict[tuple[str, int, str], bool]
) -> Iterator[Answer]:
    """Ask for each piece in each way, and say whether the removed document is named.

    Raises:
        IndexerError: a question could not be answered.
    """
    for piece in pieces:
        for name, named in probes.ask(piece):
            yield Answer(
                document_sha256=piece.document_sha256,
                start=piece.start,
                end=piece.end,
                piece_sha256=hashlib.sha256(to_bytes(piece.text)).hexdigest(),
                probe=name,
                was_found=found_before.get((piece.document_sha256, piece.start, name)),
                is_found=piece.document_sha256 in named,
                n_elsewhere=len(named - {piece.document_sha256}),
            )


def ask_before(probes: Probes, pieces: Iterable[Piece]) -> dict[tuple[str, int, str], bool]:
    """Whether each piece finds its document while it is there: shows that asking works."""
    return {
        (piece.document_sha256, piece.start, name): piece.document_sha256 in named
        for piece in pieces
        for name, named in probes.ask(piece)
    }


def _whole_characters(data: bytes) -> bytes:
    """Without the character that a cut left incomplete at the end."""
    for n_cut in range(4):
        part = data[: len(data) - n_cut]
        try:
            to_text(part)
        except UnicodeDecodeError:
            continue
        return part
    raise IndexerError("a stored text is no UTF-8")
