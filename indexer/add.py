"""More source files into an index that is there: a segment of their own beside the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from indexer.collect import Collector, Progress
from indexer.errors import IndexBuildError, IndexFormatError
from indexer.index import Index
from indexer.manifest import SEGMENTS_NAME, Manifest, named_corpora, sync_folder
from indexer.source_file import SourceFile
from indexer.store.lexical import CHUNK_LINES
from indexer.text.rename import P_K, P_W
from indexer.text.winnow import K, W
from indexer.tombstones import entomb, live_places
from indexer.writing import changing, corpus_digest, next_name, publish, seal_files

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class AddReport:
    """What was added and what it took."""

    path: Path
    manifest: Manifest
    n_files: int  # source files read
    n_new: int  # texts that the index did not hold
    n_restated: int  # texts that it held, but not from all places they were found in now
    n_blank: int
    n_bytes: int  # of text written
    elapsed_s: float


def add_segment(
    files: Iterable[SourceFile],
    index_path: Path,
    *,
    corpus: str = "",
    progress: Progress = lambda _: None,
) -> AddReport:
    """Add files to an index, in one segment; `corpus` is the digest of what they were curated to.

    A text that the index holds already is not stored twice. If it was found in new places it is
    written anew, with all of them, and the old record gets a tombstone. The same index and files
    give the same outcome, byte for byte; if nothing is new, nothing changes.

    Raises:
        IndexMissingError, IndexFormatError, IndexDamagedError: there is no such index, or it was
            built with other settings.
        IndexBuildError: there are no files, somebody else writes the index, or the disk is full;
            nothing was changed.
    """
    started = time.monotonic()
    with changing(index_path) as (path, current):
        _check_settings(path, current)
        with Index.open(path) as index:
            folder = path / SEGMENTS_NAME / next_name(current)
            known = {sha256: document_id for document_id, sha256 in index.live_digests()}
            collected = Collector(folder, progress=progress, known=known)
            try:
                restated = _collect(files, collected, index)
                manifest = current
                if len(collected):
                    changes = _changes(path, current, collected, index, restated)
                    digests = map(current.corpus_of, range(len(current.segments)))
                    changes["corpora"] = named_corpora([*digests, corpus])
                    manifest = publish(path, current, **changes)
            finally:
                collected.discard()
    log.info("segment added documents=%d bytes=%d", len(collected), collected.n_bytes)
    return AddReport(
        path=path,
        manifest=manifest,
        n_files=collected.n_files,
        n_new=len(collected) - len(restated),
        n_restated=len(restated),
        n_blank=collected.n_blank,
        n_bytes=collected.n_bytes,
        elapsed_s=time.monotonic() - started,
    )


def _check_settings(path: Path, manifest: Manifest) -> None:
    """Refuse to mix fingerprints of two kinds in one index."""
    found = (manifest.k, manifest.w, manifest.p_k, manifest.p_w, manifest.chunk_lines)
    own = (K, W, P_K, P_W, CHUNK_LINES)
    if found != own:
        raise IndexFormatError(path, f"k, w (of E, of P) and chunk lines {found}", f"{own}")


def _collect(files: Iterable[SourceFile], collected: Collector, index: Index) -> set[int]:
    """Write the new segment; the ids of the documents that it replaces."""
    collected.read(files)
    if not collected.n_files:
        raise IndexBuildError("there are no source files to add; nothing was changed")
    restated = set()
    for document_id, origins in sorted(collected.found_again.items()):
        document = index.document(document_id)
        if not origins <= set(document.origins):
            restated.add(document_id)
            merged = origins.union(document.origins)
            collected.add_text(index.text(document_id), document.language, merged)
    if len(collected):
        collected.finish()
        collected.tell("checking")
    return restated


def _changes(
    path: Path, current: Manifest, collected: Collector, index: Index, restated: set[int]
) -> dict[str, Any]:
    """What the next manifest says otherwise."""
    name = next_name(current)
    places = chain(live_places(index, without=restated), collected.places())
    changes: dict[str, Any] = {
        "corpus_digest": corpus_digest(places),
        "n_documents": current.n_documents + len(collected),
        "n_origins": current.n_origins + collected.n_origins,
        "n_bytes": current.n_bytes + collected.n_bytes,
        "segments": (*current.segments, name),
        "files": current.files,
    }
    if restated:
        changes |= entomb(path, current, restated)
    folder = path / SEGMENTS_NAME
    changes["files"] = {**changes["files"], **seal_files(folder / name, path)}
    sync_folder(folder)
    return changes
