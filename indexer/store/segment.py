"""A segment: the structures over one immutable set of documents, written and read together."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexBuildError, IndexDamagedError, IndexerError
from indexer.store.documents import Document, DocumentReader, write_documents
from indexer.store.fingerprints import VIEWS, FingerprintReader, FingerprintWriter, View
from indexer.store.lexical import LexicalReader, LexicalWriter
from indexer.store.membership import PORTRAIT, TILINGS, Membership, MembershipWriter
from indexer.store.text_store import TextReader, TextWriter
from indexer.text.lex import lex
from indexer.text.normalize import to_text
from indexer.text.rename import winnow_renamed
from indexer.text.winnow import Fingerprints, winnow

MAX_BYTES = 1 << 32  # postings hold 32-bit offsets into a segment's text


def fingerprints_of(
    data: bytes, language: str
) -> dict[View, tuple[NDArray[np.uint32], NDArray[np.int64]]]:
    """The fingerprints of a document in each view, and the bytes at which they begin: (M,) each."""
    lexemes = lex(data, language)
    of_view: dict[View, Fingerprints] = {
        "e": winnow(lexemes.hashes),
        "p": winnow_renamed(data, lexemes, language),
    }
    return {view: (one.values, lexemes.starts[one.positions]) for view, one in of_view.items()}


class SegmentWriter:
    """Writes one segment into a new folder, document by document, in bounded memory."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._n_documents = 0
        with ExitStack() as opened:
            self._lexical = LexicalWriter(folder)
            opened.callback(self._lexical.discard)
            self._text = TextWriter(folder)
            opened.callback(self._text.discard)
            self._fingerprints = {view: FingerprintWriter(folder, view=view) for view in VIEWS}
            for fingerprints in self._fingerprints.values():
                opened.callback(fingerprints.discard)
            self._membership = [MembershipWriter(folder, tiling) for tiling in TILINGS]
            for membership in self._membership:
                opened.callback(membership.discard)
            self._opened = opened.pop_all()

    @property
    def n_bytes(self) -> int:
        """The bytes of text added so far."""
        return self._text.n_bytes

    def add(self, data: bytes, *, text: str, language: str) -> int:
        """Add a document, given as UTF-8 and as text; returns its number in the segment.

        Raises:
            IndexBuildError: the segment would be larger than its offsets can tell.
        """
        base = self._text.n_bytes
        if base + len(data) > MAX_BYTES:
            raise IndexBuildError(
                f"the corpus has more than {MAX_BYTES >> 30} GiB of text, the most that an index "
                "holds; build one index for each part of it"
            )
        of_view = fingerprints_of(data, language)
        self._text.add(data)
        for view, (values, offsets) in of_view.items():
            self._fingerprints[view].add(values, offsets + base)
        for membership in self._membership:
            membership.add(data)
        self._lexical.add(self._n_documents, text)
        self._n_documents += 1
        return self._n_documents - 1

    def copy(self, source: SegmentReader, numbers: NDArray[np.int64]) -> Iterator[int]:
        """Add documents of another segment, as adding their texts anew would; much faster.

        Yields the bytes of each text that has been added.

        Raises:
            IndexDamagedError: a text is not what its digest says.
        """
        kept = np.zeros(len(source), dtype=np.bool_)
        kept[numbers] = True
        sizes = np.diff(source.text.starts)
        ends = self._text.n_bytes + np.cumsum(np.where(kept, sizes, 0))
        digests = source.documents.digests()
        for number in numbers.tolist():
            data = source.text.read(number)
            if hashlib.sha256(data).hexdigest().encode() != digests[number]:
                raise IndexDamagedError(self._folder, f"text {number} is not what was indexed")
            self._text.add_frame(source.text.frame(number), n_bytes=len(data))
            for membership in self._membership:
                membership.add(data)
            self._lexical.add(self._n_documents, to_text(data))
            self._n_documents += 1
            yield len(data)
        shift = ends - sizes - source.text.starts[:-1]
        for view in VIEWS:
            for values, offsets in source.fingerprints[view].chunks():
                places, _ = source.text.locate(offsets)
                is_kept = kept[places]
                moved = (offsets + shift[places])[is_kept]
                self._fingerprints[view].add(values[is_kept], moved)

    def finish(self, documents: Sequence[Document]) -> None:
        """Write what needed all documents; `documents` has one for each that was added."""
        if len(documents) != self._n_documents:
            raise ValueError(f"{len(documents)} records for {self._n_documents} documents")
        write_documents(self._folder, documents)
        self._text.finish()
        for fingerprints in self._fingerprints.values():
            fingerprints.finish()
        for membership in self._membership:
            membership.finish()
        self._lexical.finish()

    def discard(self) -> None:
        """Close every file of an unfinished segment, so that its folder can be removed."""
        self._opened.close()  # each one, also if closing another one fails on a full disk


class SegmentReader:
    """The readers of one segment, which go on when its folder is removed, as POSIX lets them.

    That is why BM25 is opened at once, too. Where it cannot be, a search says why.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.documents = DocumentReader(folder)
        self.text = TextReader(folder)
        self.fingerprints = {view: FingerprintReader(folder, view=view) for view in VIEWS}
        self.membership = Membership.open(folder)
        self.portrait = Membership.open(folder, PORTRAIT)
        self._lexical: LexicalReader | None = None
        self._opening = threading.Lock()
        if len(self.documents) != len(self.text):
            raise IndexDamagedError(folder, "its documents do not match its texts")
        with suppress(IndexerError):
            self.lexical()

    def __len__(self) -> int:
        return len(self.documents)

    def lexical(self) -> LexicalReader:
        """The segment's BM25 index, opened once."""
        with self._opening:
            if self._lexical is None:
                self._lexical = LexicalReader(self._folder)
            return self._lexical
