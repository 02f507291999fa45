"""Rewrites segments: forgotten documents are physically gone then, and small ones are joined.

Documents keep their order. A rewritten segment is what a build of its documents gives, byte for
byte, but for texts that another version of zstd compressed.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.collect import BuildProgress, Progress
from indexer.index import Index
from indexer.manifest import SEGMENTS_NAME, FileEntry, Manifest, named_corpora, sync_folder
from indexer.store import segment as segments
from indexer.store.dense import FOLDER_NAME as DENSE_NAME
from indexer.store.dense import DenseReader, copy_view
from indexer.store.documents import Document
from indexer.store.segment import SegmentWriter
from indexer.writing import changing, next_name, publish, seal_files

log = logging.getLogger(__name__)

SMALL_BYTES = 64 << 20  # of text: a segment with less is joined with its neighbours


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A segment as it would be rewritten."""

    name: str
    numbers: NDArray[np.int64]  # of its live documents
    base: int  # the id of its first document
    n_documents: int
    n_bytes: int  # of live text
    corpus: str = ""  # what it was made of

    @property
    def is_whole(self) -> bool:
        """Nothing of it is forgotten."""
        return len(self.numbers) == self.n_documents


@dataclass(frozen=True, kw_only=True, slots=True)
class CompactReport:
    """What was rewritten and what it took."""

    path: Path
    manifest: Manifest
    n_removed: int  # documents that are physically gone now
    n_rewritten: int  # segments that were read to write others
    n_bytes: int  # of text written
    elapsed_s: float


def compact_index(
    index_path: Path, *, join_all: bool = False, progress: Progress = lambda _: None
) -> CompactReport:
    """Rewrite every segment with forgotten documents, and join small ones; or join all.

    Whoever has the index open goes on reading the old segments. If there is nothing to do,
    nothing changes.

    Raises:
        IndexMissingError, IndexFormatError, IndexDamagedError: there is no such index, or a text
            that would be rewritten is not what was indexed.
        IndexBuildError: somebody else writes the index, or the disk is full; nothing was changed.
    """
    started = time.monotonic()
    with changing(index_path) as (path, current):
        with Index.open(path) as index:
            parts = _parts(index)
            plan = plan_groups(parts, join_all=join_all)
            rewriting = Rewriting(path, index, progress)
            changes = _rewrite(plan, rewriting, current)
        manifest = publish(path, current, **changes) if changes else current
    n_removed = current.n_documents - manifest.n_documents
    log.info("segments rewritten removed=%d bytes=%d", n_removed, rewriting.n_bytes)
    return CompactReport(
        path=path,
        manifest=manifest,
        n_removed=n_removed,
        n_rewritten=len(set(current.segments) - set(manifest.segments)),
        n_bytes=rewriting.n_bytes,
        elapsed_s=time.monotonic() - started,
    )


def plan_groups(parts: Iterable[Part], *, join_all: bool) -> list[list[Part]]:
    """Which neighbours become one segment; a whole one alone stays as it is.

    Parts without a live document are left out. Pure.
    """
    groups: list[list[Part]] = []
    for part in parts:
        if not len(part.numbers):
            continue
        if groups and _may_join(groups[-1], part, join_all=join_all):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _may_join(group: list[Part], part: Part, *, join_all: bool) -> bool:
    n_bytes = sum(one.n_bytes for one in group)
    if n_bytes + part.n_bytes > segments.MAX_BYTES:
        return False
    if group[-1].corpus != part.corpus and not join_all:
        return False  # what is joined can no longer say what each document is of
    return join_all or (n_bytes < SMALL_BYTES and part.n_bytes < SMALL_BYTES)


def _parts(index: Index) -> list[Part]:
    live = np.asarray(index.live_document_ids(), dtype=np.int64)
    parts = []
    for place, (name, base, reader) in enumerate(index.segments()):
        numbers = live[(live >= base) & (live < base + len(reader))] - base
        n_bytes = int(np.diff(reader.text.starts)[numbers].sum())
        parts.append(
            Part(
                name=name,
                numbers=numbers,
                base=base,
                n_documents=len(reader),
                n_bytes=n_bytes,
                corpus=index.manifest.corpus_of(place),
            )
        )
    return parts


class Rewriting:
    """Writes new segments from the live documents of old ones."""

    def __init__(self, path: Path, index: Index, progress: Progress) -> None:
        self.n_documents = 0
        self.n_bytes = 0
        self.totals = Counter({"n_documents": 0, "n_origins": 0, "n_bytes": 0})
        self.path = path
        self._index = index
        self._readers = {name: reader for name, _, reader in index.segments()}
        self._progress = progress

    def write(self, name: str, group: Sequence[Part]) -> dict[str, FileEntry]:
        """Write one segment; its files for the manifest."""
        folder = self.path / SEGMENTS_NAME / name
        writer = SegmentWriter(folder)
        try:
            for part in group:
                for n_bytes in writer.copy(self._readers[part.name], part.numbers):
                    self.n_documents += 1
                    self.n_bytes += n_bytes
                    self._tell("reading")
            self._tell("sorting")
            writer.finish(self.counted(group))
        finally:
            writer.discard()
        self._tell("checking")
        return seal_files(folder, self.path) | self._copy_views(name, group)

    def _copy_views(self, name: str, group: Sequence[Part]) -> dict[str, FileEntry]:
        """The dense view of the new segment, where all that it is made of have one."""
        folders = [self.path / DENSE_NAME / part.name for part in group]
        if not all(folder.is_dir() for folder in folders):
            return {}
        views = [DenseReader(folder) for folder in folders]
        if len({(view.view.encoder_sha256, view.view.encoder) for view in views}) > 1:
            return {}
        folder = self.path / DENSE_NAME / name
        copy_view(folder, views, [part.numbers for part in group])
        sync_folder(folder.parent)
        return seal_files(folder, self.path)

    def counted(self, group: Iterable[Part]) -> list[Document]:
        """The records of the live documents, as they are, counted for the manifest."""
        documents = [
            self._index.document(part.base + number)
            for part in group
            for number in part.numbers.tolist()
        ]
        self.totals["n_documents"] += len(documents)
        self.totals["n_origins"] += sum(len(document.origins) for document in documents)
        self.totals["n_bytes"] += sum(document.n_bytes for document in documents)
        return documents

    def _tell(self, step: str) -> None:
        self._progress(BuildProgress(step=step, n_documents=self.n_documents, n_bytes=self.n_bytes))


def _rewrite(plan: list[list[Part]], rewriting: Rewriting, current: Manifest) -> dict[str, Any]:
    """Write what the plan says; what the next manifest says otherwise, nothing if that is none."""
    names: list[str] = []
    files: dict[str, FileEntry] = {}
    n_written = 0
    for group in plan:
        if len(group) == 1 and group[0].is_whole:
            names.append(group[0].name)
            files |= _files_of(current, group[0].name)
            rewriting.counted(group)
            continue
        n_written += 1
        name = next_name(current) if n_written == 1 else f"{next_name(current)}-{n_written}"
        names.append(name)
        files |= rewriting.write(name, group)
    if tuple(names) == current.segments:
        return {}
    sync_folder(rewriting.path / SEGMENTS_NAME)
    return {
        **rewriting.totals,
        "segments": tuple(names),
        "corpora": named_corpora(_common_corpus(group) for group in plan),
        "files": files,
        "tombstones": "",
        "n_tombstones": 0,
    }


def _common_corpus(group: Iterable[Part]) -> str:
    corpora = {part.corpus for part in group}
    return corpora.pop() if len(corpora) == 1 else ""


def _files_of(manifest: Manifest, segment: str) -> dict[str, FileEntry]:
    prefixes = tuple(f"{folder}/{segment}/" for folder in (SEGMENTS_NAME, DENSE_NAME))
    return {name: entry for name, entry in manifest.files.items() if name.startswith(prefixes)}
