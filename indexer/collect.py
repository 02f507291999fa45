"""Source files in, one segment out: each distinct text once, with every place it was found in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.source_file import Origin, SourceFile
from indexer.store.documents import Document
from indexer.store.segment import SegmentWriter
from indexer.text.normalize import to_bytes
from indexer.writing import by_place


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildProgress:
    """How far a build has come."""

    step: str  # "reading", "sorting", "checking"
    n_documents: int
    n_bytes: int  # of distinct text


Progress = Callable[[BuildProgress], None]


@dataclass(kw_only=True, slots=True)
class _Text:
    """What is known of one text so far; twins can come until the very last file."""

    language: str
    n_bytes: int
    origins: set[Origin] = field(default_factory=set)


class Collector:
    """Writes a segment file by file.

    Args:
        folder: the new segment's.
        known: sha256 → id of documents that other segments hold; their texts are not written
            again, and new places of them are put aside in `found_again`.
        earlier: segments that are written together with this one; new places of their texts are
            noted there.
        progress: is told after each file.
    """

    def __init__(
        self,
        folder: Path,
        *,
        progress: Progress,
        known: Mapping[str, int] | None = None,
        earlier: Sequence[Collector] = (),
    ) -> None:
        self.n_files = 0
        self.n_blank = 0
        self.found_again: dict[int, set[Origin]] = {}  # by the document's id
        self._known = known or {}
        self._earlier = earlier
        self._texts: dict[str, _Text] = {}  # by sha256, in order
        self._progress = progress
        self._writer = SegmentWriter(folder)

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def n_bytes(self) -> int:
        """The bytes of distinct text so far."""
        return self._writer.n_bytes

    @property
    def n_origins(self) -> int:
        """The places that the segment's texts were found in."""
        return sum(len(text.origins) for text in self._texts.values())

    def read(self, files: Iterable[SourceFile]) -> None:
        """Add files; those of nothing but whitespace are counted only."""
        for file in files:
            self.n_files += 1
            if file.text.strip():
                self._add(file)
            else:
                self.n_blank += 1
            self.tell("reading")

    def add_text(self, text: str, language: str, origins: Iterable[Origin]) -> None:
        """Add a text with all places it was found in."""
        data = to_bytes(text)
        digest = hashlib.sha256(data).hexdigest()
        self._put(digest, data, text, language).origins.update(origins)

    def finish(self) -> None:
        """Write what needed all files."""
        self.tell("sorting")
        self._writer.finish(self._documents())

    def discard(self) -> None:
        """Close every file, so that an unfinished segment can be removed."""
        self._writer.discard()

    def places(self) -> Iterator[tuple[str, Origin]]:
        """The sha256 of each text with each place it was found in."""
        for digest, text in self._texts.items():
            for origin in text.origins:
                yield digest, origin

    def tell(self, step: str) -> None:
        """Say how far it has come, the earlier segments included."""
        together = (*self._earlier, self)
        self._progress(
            BuildProgress(
                step=step,
                n_documents=sum(map(len, together)),
                n_bytes=sum(one.n_bytes for one in together),
            )
        )

    def _add(self, file: SourceFile) -> None:
        data = to_bytes(file.text)
        digest = hashlib.sha256(data).hexdigest()
        known_as = self._known.get(digest)
        holder = next((one for one in self._earlier if digest in one._texts), None)
        if known_as is not None:
            origins = self.found_again.setdefault(known_as, set())
        elif holder is not None:
            origins = holder._texts[digest].origins
        else:
            origins = self._put(digest, data, file.text, file.language).origins
        origins.update((file.origin, *file.twins))

    def _put(self, digest: str, data: bytes, text: str, language: str) -> _Text:
        if digest not in self._texts:
            self._writer.add(data, text=text, language=language)
            self._texts[digest] = _Text(language=language, n_bytes=len(data))
        return self._texts[digest]

    def _documents(self) -> list[Document]:
        """One document for each distinct text, its origins in a fixed order."""
        return [
            Document(
                document_id=number,
                sha256=digest,
                language=text.language,
                n_bytes=text.n_bytes,
                origins=tuple(sorted(text.origins, key=by_place)),
            )
            for number, (digest, text) in enumerate(self._texts.items())
        ]
