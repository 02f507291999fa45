"""Adds the dense view to an index that is there: a vector for each fragment, one view a segment.

Segments stay as they are; their views lie beside them and are named by the next generation's
manifest. What was encoded is kept on the disk until then, so that a killed run goes on.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import stareencoder
from indexer.errors import IndexBuildError
from indexer.index import Index
from indexer.manifest import SEGMENTS_NAME, FileEntry, Manifest, sync_folder
from indexer.store.dense import (
    FOLDER_NAME,
    Places,
    has_view,
    import_faiss,
    read_view,
    rounded,
    write_view,
)
from indexer.store.documents import RECORDS_NAME
from indexer.text.fragments import fragments_of
from indexer.writing import changing, publish, seal_files, sweep
from stareencoder import EncoderError

if TYPE_CHECKING:
    from stareencoder import Encoder

log = logging.getLogger(__name__)

_CHUNK = 512  # fragments that are encoded and put on the disk at a time
Told = Callable[[str, int, int], None]  # a stage, how much of it is done, and of how much


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbedReport:
    """What was encoded and what it took."""

    path: Path
    manifest: Manifest
    n_segments: int  # that had no view before
    n_fragments: int  # of these
    n_resumed: int  # of them were encoded by an earlier run
    elapsed_s: float


def embed_index(path: Path, *, threads: int = 1, tell: Told = lambda *_: None) -> EmbedReport:
    """Give every segment without one a dense view, by the encoder that comes with the package.

    Forgotten documents get no vectors; views by another encoder, which no query can use, are made
    anew. The same index gives the same views, byte for byte, however
    often the run was killed; if every segment has one, nothing changes.

    Raises:
        IndexMissingError, IndexFormatError, IndexDamagedError: there is no such index.
        IndexBuildError: FAISS is not installed, the encoder is damaged, somebody else writes the
            index, or the disk is full; nothing was changed.
    """
    started = time.monotonic()
    import_faiss()
    n_fragments = n_resumed = 0
    try:
        encoder = stareencoder.Encoder(threads=threads)  # loads ONNX Runtime
    except EncoderError as error:
        raise IndexBuildError(str(error)) from error
    with changing(path) as (home, before):
        current = _without_stale_views(home, before, encoder)
        missing = [name for name in current.segments if not has_view(current.files, name)]
        scratch = home.with_name(f".{home.name}.embedding")
        files: dict[str, FileEntry] = {}
        with Index.open(home) as index:
            for name in missing:
                places, texts = _fragments(index, name, tell)
                kept = scratch / _identity(current, name, encoder)
                n_fragments += len(places)
                n_resumed += _encode(encoder, texts, kept, tell)
                rows = np.fromfile(kept, dtype=np.int8).reshape(-1, encoder.width)
                folder = home / FOLDER_NAME / name
                write_view(
                    folder, rows, places, encoder=encoder.name, encoder_sha256=encoder.digest
                )
                files |= seal_files(folder, home)
        manifest = current
        if missing:
            sync_folder(home / FOLDER_NAME)
            manifest = publish(home, current, files={**current.files, **files})
    shutil.rmtree(scratch, ignore_errors=True)
    log.info("index embedded fragments=%d", n_fragments)
    return EmbedReport(
        path=home,
        manifest=manifest,
        n_segments=len(missing),
        n_fragments=n_fragments,
        n_resumed=n_resumed,
        elapsed_s=time.monotonic() - started,
    )


def _without_stale_views(home: Path, current: Manifest, encoder: Encoder) -> Manifest:
    """The index without the views that another encoder has made."""
    stale = tuple(
        f"{FOLDER_NAME}/{name}/"
        for name in current.segments
        if has_view(current.files, name)
        and read_view(home / FOLDER_NAME / name).encoder_sha256 != encoder.digest
    )
    if not stale:
        return current
    kept = {name: entry for name, entry in current.files.items() if not name.startswith(stale)}
    manifest = publish(home, current, files=kept)
    sweep(home, manifest)
    return manifest


def _fragments(index: Index, name: str, tell: Told) -> tuple[Places, list[str]]:
    """Where the fragments of a segment's live documents stand, and their texts."""
    base, reader = next((base, one) for own, base, one in index.segments() if own == name)
    live = [one for one in index.live_document_ids() if base <= one < base + len(reader)]
    places: list[tuple[int, int, int]] = []
    texts: list[str] = []
    for n_done, document_id in enumerate(live, start=1):
        for one in fragments_of(index.text(document_id)):
            places.append((document_id - base, one.start_line, one.end_line))
            texts.append(one.text)
        tell("Cutting documents", n_done, len(live))
    return np.array(places, dtype=np.uint32).reshape(-1, 3), texts


def _identity(manifest: Manifest, segment: str, encoder: Encoder) -> str:
    """What decides the vectors of a segment: its documents, what is forgotten, the encoder."""
    records = manifest.files[f"{SEGMENTS_NAME}/{segment}/{RECORDS_NAME}"].sha256
    dead = manifest.files[manifest.tombstones].sha256 if manifest.tombstones else ""
    return hashlib.sha256(f"{records} {dead} {encoder.digest}".encode()).hexdigest()[:32]


def _encode(encoder: Encoder, texts: list[str], kept: Path, tell: Told) -> int:
    """Bring the vectors of all texts into a file, going on where it ends; how many were there."""
    kept.parent.mkdir(exist_ok=True)
    kept.touch()
    n_kept = min(kept.stat().st_size // encoder.width // _CHUNK * _CHUNK, len(texts))
    with kept.open("r+b") as file:
        file.truncate(n_kept * encoder.width)
        file.seek(0, 2)
        for start in range(n_kept, len(texts), _CHUNK):  # the same batches, whoever begins
            part = texts[start : start + _CHUNK]
            file.write(rounded(encoder.encode(part)).tobytes())
            file.flush()
            tell("Encoding fragments", start + len(part), len(texts))
    return n_kept
