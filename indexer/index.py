"""The index as queries see it: memory-mapped, safe to read from several threads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.dense_search import DenseSearch
from indexer.errors import (
    DocumentForgottenError,
    DocumentUnknownError,
    IndexClosedError,
    IndexDamagedError,
    IndexFormatError,
)
from indexer.liveness import Liveness, Mask, Stamp, stamp_of
from indexer.manifest import SEGMENTS_NAME, Manifest, read_manifest
from indexer.store.documents import Document
from indexer.store.fingerprints import View
from indexer.store.lexical import Lead, LexicalReader, doc_freqs_of, weights_of
from indexer.store.membership import TILE_CHARS
from indexer.store.segment import SegmentReader
from indexer.text.normalize import to_bytes, to_text


@dataclass(frozen=True, slots=True)
class Postings:
    """Where fingerprints of a query occur in the index."""

    query_index: NDArray[np.int64]  # (M,) index into the fingerprints that were looked up
    document_id: NDArray[np.int32]  # (M,)
    offset: NDArray[np.int64]  # (M,) byte offset of the k-gram's first lexeme in the document

    def __len__(self) -> int:
        return len(self.query_index)


class Index:
    """An open index. Document ids count from 0 to `manifest.n_documents` - 1.

    It reads what it was opened with for as long as it is open, whatever is added or merged
    meanwhile; only documents that are forgotten vanish from it, before the next query.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        segments: list[SegmentReader],
        stamp: Stamp | None = None,
    ) -> None:
        self.path = path
        self.manifest = manifest
        self._segments: list[SegmentReader] | None = segments
        self._bases = [0, *accumulate(len(segment) for segment in segments)]
        if self._bases[-1] != manifest.n_documents:
            what = f"{self._bases[-1]} of {manifest.n_documents} texts"
            raise IndexDamagedError(path / SEGMENTS_NAME, what)
        documents = [segment.documents for segment in segments]
        self._liveness = Liveness(path, manifest, documents, stamp)
        self._dense = DenseSearch(path, manifest, self._bases)

    @classmethod
    def open(cls, path: Path) -> Index:
        """Open the index in a folder; checks the size of every file, not its checksum.

        Raises:
            IndexMissingError: there is none.
            IndexFormatError: it was built in a format or with tiles of another version.
            IndexDamagedError: a file is missing, has another size or cannot be read.
        """
        while True:
            stamp = stamp_of(path)
            manifest = read_manifest(path)
            _check_settings(path, manifest)
            try:
                _check_sizes(path, manifest)
                folder = path / SEGMENTS_NAME
                segments = [SegmentReader(folder / name) for name in manifest.segments]
                return cls(path, manifest, segments, stamp)
            except IndexDamagedError:
                if stamp_of(path) in {None, stamp}:
                    raise  # else a newer generation has taken the place of this one: open that

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; a second time changes nothing. Every later question is refused."""
        self._segments = None

    def document(self, document_id: int) -> Document:
        """What is known of a document.

        Raises:
            DocumentUnknownError: there is no such document.
            DocumentForgottenError: it was taken out of the index.
        """
        segment, number = self._find(document_id)
        return segment.documents.read(number, document_id=document_id)

    def corpus_of(self, document_id: int) -> str:
        """The digest of the curated corpus that a document was indexed from; "" if of none.

        A model whose manifest names the same digest was trained on the document.

        Raises:
            DocumentUnknownError: there is no such document.
            DocumentForgottenError: it was taken out of the index.
        """
        self._find(document_id)
        return self.manifest.corpus_of(bisect_right(self._bases, document_id) - 1)

    def text(self, document_id: int) -> str:
        """The text of a document, exactly as it was indexed.

        Raises:
            DocumentUnknownError: there is no such document.
            DocumentForgottenError: it was taken out of the index.
            IndexDamagedError: the stored text is not what was written.
        """
        segment, number = self._find(document_id)
        return to_text(segment.text.read(number))

    def longest_chain(self, text: str) -> int:
        """The most membership tiles in a row that the index may hold; 2 or more is worth a look.

        A filter cannot delete: the tiles of a forgotten document count until its segment is
        rewritten. Nothing of the document is shown for that.
        """
        data = to_bytes(text)
        segments = self._open_segments()
        return max((segment.membership.longest_chain(data) for segment in segments), default=0)

    def portrait_hits(self, text: str) -> NDArray[np.bool_]:
        """For each byte offset of a text in UTF-8 whether the 50 bytes from there are a member.

        Members are the 50-byte tiles of the indexed texts as they stand, at stride 50. As with
        `longest_chain`, tiles of forgotten documents count until their segment is rewritten.
        """
        data = to_bytes(text)
        hits = [segment.portrait.hits(data) for segment in self._open_segments()]
        return np.logical_or.reduce(hits) if hits else np.zeros(0, dtype=np.bool_)

    def lookup(self, fingerprints: NDArray[np.uint32], *, view: View = "e") -> Postings:
        """Where each fingerprint of a view occurs, by segment, query index and offset.

        Of a fingerprint with more than 512 postings in a segment an even sample is taken.
        """
        empty: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        query_index, document_id, offset = [empty], [empty.astype(np.int32)], [empty]
        segments, forgotten = self._open_segments(), self._liveness.forgotten()
        for base, segment in zip(self._bases, segments, strict=False):
            is_live = _live_filter(segment, base, forgotten)
            indices, offsets = segment.fingerprints[view].lookup(fingerprints, is_live=is_live)
            numbers, inside = segment.text.locate(offsets)
            query_index.append(indices)
            document_id.append(numbers + np.int32(base))
            offset.append(inside)
        return Postings(
            np.concatenate(query_index), np.concatenate(document_id), np.concatenate(offset)
        )

    def search(self, text: str, *, top_k: int) -> list[Lead]:
        """The chunks of 50 lines that share the rarest words with a text, best first.

        How rare a word is counts in all of the index, forgotten documents included; how long a
        chunk is beside the others, in its segment.
        """
        segments, forgotten = self._open_segments(), self._liveness.forgotten()
        weights = weights_of(text, [segment.lexical() for segment in segments])
        leads = [
            lead
            for base, segment in zip(self._bases, segments, strict=False)
            for lead in _live_leads(segment.lexical(), base, forgotten, weights, top_k)
        ]
        return sorted(leads, key=lambda lead: -lead.score)[: max(top_k, 0)]

    def similar(self, text: str, *, top_k: int) -> list[Lead]:
        """The fragments of other words and alike in what they do, best first, by their vectors.

        Nothing where no segment has a dense view by the encoder that comes with the package, or
        FAISS is not installed; `missing_views` says so.
        """
        forgotten = self._liveness.forgotten()
        return self._dense.search(text, forgotten, top_k=top_k)

    @property
    def missing_views(self) -> tuple[str, ...]:
        """The kinds of candidates that this index cannot bring."""
        return () if self._dense.is_whole else ("dense",)

    def doc_freqs(self, words: Sequence[str]) -> tuple[int, list[int]]:
        """How many chunks of 50 lines there are, and in how many of them each word occurs.

        Words are those that `indexer.store.lexical.words_of` gives; forgotten documents count.
        """
        readers = [segment.lexical() for segment in self._open_segments()]
        return sum(reader.n_chunks for reader in readers), doc_freqs_of(words, readers)

    def live_document_ids(self) -> Sequence[int]:
        """The ids of all documents that are not forgotten, in order."""
        self._open_segments()
        forgotten = self._liveness.forgotten()
        if forgotten is None:
            return range(self.manifest.n_documents)
        live: list[int] = np.flatnonzero(~forgotten).tolist()
        return live

    def live_digests(self) -> Iterator[tuple[int, str]]:
        """The id and the sha256 of every document that is not forgotten; no record is parsed."""
        live = self.live_document_ids()
        digests = [segment.documents.digests() for segment in self._open_segments()]
        flat = np.concatenate([np.empty(0, dtype="S64"), *digests])
        return ((one, flat[one].decode("ascii", "replace")) for one in live)

    def segments(self) -> Iterator[tuple[str, int, SegmentReader]]:
        """The name of each segment, the id of its first document and its readers."""
        return zip(self.manifest.segments, self._bases, self._open_segments(), strict=False)

    def _open_segments(self) -> list[SegmentReader]:
        if self._segments is None:
            raise IndexClosedError(f"the index in {self.path} is closed")
        return self._segments

    def _find(self, document_id: int) -> tuple[SegmentReader, int]:
        segments = self._open_segments()
        if not 0 <= document_id < self.manifest.n_documents:
            raise DocumentUnknownError(document_id, self.manifest.n_documents)
        forgotten = self._liveness.forgotten()
        if forgotten is not None and forgotten[document_id]:
            raise DocumentForgottenError(document_id)
        place = bisect_right(self._bases, document_id) - 1
        return segments[place], document_id - self._bases[place]


def _live_filter(
    segment: SegmentReader, base: int, forgotten: Mask | None
) -> Callable[[NDArray[np.int64]], NDArray[np.bool_]] | None:
    """Says of byte offsets into a segment's text whether they lie in live documents."""
    if forgotten is None:
        return None
    is_live = ~forgotten[base : base + len(segment)]
    return None if is_live.all() else lambda offsets: is_live[segment.text.locate(offsets)[0]]


def _live_leads(
    lexical: LexicalReader,
    base: int,
    forgotten: Mask | None,
    weights: Mapping[str, float],
    top_k: int,
) -> list[Lead]:
    """The best leads of a segment, without forgotten documents."""
    if forgotten is None:
        found = lexical.search(weights, top_k=top_k)
    else:
        is_gone = forgotten[base:]
        found = lexical.search(weights, top_k=top_k, is_live=lambda number: not is_gone[number])
    return [replace(lead, document_id=lead.document_id + base) for lead in found]


def _check_settings(path: Path, manifest: Manifest) -> None:
    """Refuse tiles that this version's queries would silently miss; k and w are the query's."""
    if manifest.tile_chars != TILE_CHARS:
        found, own = f"tiles of {manifest.tile_chars}", f"tiles of {TILE_CHARS}"
        raise IndexFormatError(path, found, own)


def _check_sizes(path: Path, manifest: Manifest) -> None:
    for name, entry in manifest.files.items():
        file = path / name
        try:
            n_bytes = file.stat().st_size
        except OSError as error:
            raise IndexDamagedError(file, error.strerror or str(error)) from error
        if n_bytes != entry.n_bytes:
            raise IndexDamagedError(file, f"it has {n_bytes} of {entry.n_bytes} bytes")
