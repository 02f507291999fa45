"""Source files in, an index out: streaming, and never half-written where an index is looked for.

Everything is written into `<name>.partial` beside the target. The manifest comes last, then the
folder takes the target's place; the index that was there before stays until that moment.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer import manifest as manifests
from indexer.collect import BuildProgress, Collector, Progress
from indexer.errors import IndexBuildError
from indexer.manifest import (
    SEGMENTS_NAME,
    TOMBSTONES_NAME,
    Manifest,
    sync_folder,
    write_manifest,
)
from indexer.source_file import SourceFile
from indexer.store.lexical import CHUNK_LINES
from indexer.store.membership import TILE_CHARS
from indexer.text.rename import P_K, P_W
from indexer.text.winnow import K, W
from indexer.writing import built_by, corpus_digest, only_writer, seal_files

__all__ = ["BuildProgress", "BuildReport", "build_index"]

log = logging.getLogger(__name__)

_SEGMENT_NAME = "000001"
_OWN_NAMES = {manifests.FILE_NAME, f"{manifests.FILE_NAME}.partial", SEGMENTS_NAME, TOMBSTONES_NAME}


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildReport:
    """What a finished build made and what it took."""

    path: Path
    manifest: Manifest
    n_files: int  # source files read, twins and blank ones included
    n_twins: int  # files whose text had been seen before
    n_blank: int  # files of nothing but whitespace, which are not indexed
    elapsed_s: float

    @property
    def size_ratio(self) -> float:
        """The bytes of the index for each byte of text."""
        return self.manifest.index_bytes / self.manifest.n_bytes


def build_index(
    files: Iterable[SourceFile],
    out: Path,
    *,
    progress: Progress = lambda _: None,
) -> BuildReport:
    """Build an index of `files` at `out`, in place of the one that may be there.

    Files with the same text become one document with several origins. The same files give the
    same index, byte for byte; only where BM25 needs so many parts that tantivy merges some of
    them in the background, which is beyond about a gigabyte of text, those may be others each time.

    Raises:
        IndexBuildError: there are no files, another build writes there, `out` is a folder of
            something else, or the disk is full. Nothing half-written is left.
    """
    started = time.monotonic()
    target = out.absolute()
    partial = target.with_name(f"{target.name}.partial")
    with only_writer(target):
        _recover(target)
        _refuse_foreign(target)
        _remove(partial)
        try:
            collected = _write_segment(files, partial / SEGMENTS_NAME / _SEGMENT_NAME, progress)
            manifest = _seal(partial, collected)
            _take_place(partial, target)
        except OSError as error:
            reason = error.strerror or str(error)
            raise IndexBuildError(
                f"cannot write the index {target}: {reason}; make room or choose another --out"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    elapsed_s = time.monotonic() - started
    log.info("index built documents=%d bytes=%d", manifest.n_documents, manifest.n_bytes)
    return BuildReport(
        path=target,
        manifest=manifest,
        n_files=collected.n_files,
        n_twins=collected.n_files - collected.n_blank - len(collected),
        n_blank=collected.n_blank,
        elapsed_s=elapsed_s,
    )


def _write_segment(files: Iterable[SourceFile], folder: Path, progress: Progress) -> Collector:
    collected = Collector(folder, progress=progress)
    try:
        collected.read(files)
        if not len(collected):
            raise IndexBuildError("the corpus has no source files; run: starcite corpus fetch")
        collected.finish()
    finally:
        collected.discard()
    return collected


def _seal(partial: Path, collected: Collector) -> Manifest:
    """Make every file durable and write the manifest that names them all."""
    collected.tell("checking")
    files = seal_files(partial, partial)
    manifest = Manifest(
        corpus_digest=corpus_digest(collected.places()),
        built_by=built_by(),
        k=K,
        w=W,
        p_k=P_K,
        p_w=P_W,
        tile_chars=TILE_CHARS,
        chunk_lines=CHUNK_LINES,
        n_documents=len(collected),
        n_origins=collected.n_origins,
        n_bytes=collected.n_bytes,
        segments=(_SEGMENT_NAME,),
        files=files,
    )
    write_manifest(partial, manifest)
    return manifest


def _replaced(target: Path) -> Path:
    return target.with_name(f"{target.name}.replaced")


def _recover(target: Path) -> None:
    """Put the old index back if a build was killed between the two renames that replace it."""
    if _replaced(target).exists() and not target.exists():
        _replaced(target).rename(target)


def _refuse_foreign(folder: Path) -> None:
    """Never delete what no build has written."""
    if not folder.exists():
        return
    if not folder.is_dir() or {path.name for path in folder.iterdir()} - _OWN_NAMES:
        raise IndexBuildError(f"{folder} exists and is no index; choose another --out")


def _remove(folder: Path) -> None:
    _refuse_foreign(folder)
    if folder.exists():
        shutil.rmtree(folder)


def _take_place(partial: Path, target: Path) -> None:
    replaced = _replaced(target)
    _remove(replaced)
    if target.exists():
        target.rename(replaced)
    partial.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(replaced, ignore_errors=True)
