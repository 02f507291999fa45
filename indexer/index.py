"""The index as queries see it: memory-mapped, safe to read from several threads."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.errors import (
    DocumentUnknownError,
    IndexClosedError,
    IndexDamagedError,
    IndexFormatError,
)
from indexer.manifest import SEGMENTS_NAME, Manifest, read_manifest
from indexer.store.documents import Document
from indexer.store.lexical import Lead
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
    """An open index. Document ids count from 0 to `manifest.n_documents` - 1."""

    def __init__(self, path: Path, manifest: Manifest, segments: list[SegmentReader]) -> None:
        self.path = path
        self.manifest = manifest
        self._segments = segments
        self._bases = [0, *accumulate(len(segment) for segment in segments)]

    @classmethod
    def open(cls, path: Path) -> Index:
        """Open the index in a folder; checks the size of every file, not its checksum.

        Raises:
            IndexMissingError: there is none.
            IndexFormatError: it was built in a format or with tiles of another version.
            IndexDamagedError: a file is missing, has another size or cannot be read.
        """
        manifest = read_manifest(path)
        _check_settings(path, manifest)
        _check_sizes(path, manifest)
        folder = path / SEGMENTS_NAME
        index = cls(path, manifest, [SegmentReader(folder / name) for name in manifest.segments])
        if index._bases[-1] != manifest.n_documents:
            raise IndexDamagedError(folder, f"{index._bases[-1]} of {manifest.n_documents} texts")
        return index

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
        self._segments = []

    def document(self, document_id: int) -> Document:
        """What is known of a document.

        Raises:
            DocumentUnknownError: there is no such document.
        """
        segment, number = self._find(document_id)
        return segment.documents.read(number, document_id=document_id)

    def text(self, document_id: int) -> str:
        """The text of a document, exactly as it was indexed.

        Raises:
            DocumentUnknownError: there is no such document.
            IndexDamagedError: the stored text is not what was written.
        """
        segment, number = self._find(document_id)
        return to_text(segment.text.read(number))

    def longest_chain(self, text: str) -> int:
        """The most membership tiles in a row that the index may hold; 2 or more is worth a look."""
        data = to_bytes(text)
        return max(segment.membership.longest_chain(data) for segment in self._open_segments())

    def lookup(self, fingerprints: NDArray[np.uint32]) -> Postings:
        """Where each fingerprint occurs, by segment, query index and offset.

        Of a fingerprint with more than 512 postings in a segment an even sample is taken.
        """
        query_index, document_id, offset = [], [], []
        for base, segment in zip(self._bases, self._open_segments(), strict=False):
            indices, offsets = segment.fingerprints.lookup(fingerprints)
            numbers, inside = segment.text.locate(offsets)
            query_index.append(indices)
            document_id.append(numbers + np.int32(base))
            offset.append(inside)
        return Postings(
            np.concatenate(query_index), np.concatenate(document_id), np.concatenate(offset)
        )

    def search(self, text: str, *, top_k: int) -> list[Lead]:
        """The chunks of 50 lines that share the rarest words with a text, best first."""
        leads = [
            replace(lead, document_id=lead.document_id + base)
            for base, segment in zip(self._bases, self._open_segments(), strict=False)
            for lead in segment.lexical().search(text, top_k=top_k)
        ]
        return sorted(leads, key=lambda lead: -lead.score)[: max(top_k, 0)]

    def _open_segments(self) -> list[SegmentReader]:
        if not self._segments:
            raise IndexClosedError(f"the index in {self.path} is closed")
        return self._segments

    def _find(self, document_id: int) -> tuple[SegmentReader, int]:
        segments = self._open_segments()
        if not 0 <= document_id < self.manifest.n_documents:
            raise DocumentUnknownError(document_id, self.manifest.n_documents)
        place = bisect_right(self._bases, document_id) - 1
        return segments[place], document_id - self._bases[place]


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
