"""Source files in, an index out: streaming, and never half-written where an index is looked for.

Everything is written into `<name>.partial` beside the target. The manifest comes last, then the
folder takes the target's place; the index that was there before stays until that moment.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer import manifest as manifests
from indexer.collect import BuildProgress, Collector, Progress
from indexer.errors import IndexBuildError
from indexer.manifest import (
    SEGMENTS_NAME,
    TOMBSTONES_NAME,
    Manifest,
    named_corpora,
    sync_folder,
    write_manifest,
)
from indexer.source_file import SourceFile
from indexer.store.dense import FOLDER_NAME as DENSE_NAME
from indexer.store.lexical import CHUNK_LINES
from indexer.store.membership import TILE_CHARS
from indexer.text.rename import P_K, P_W
from indexer.text.winnow import K, W
from indexer.writing import built_by, corpus_digest, only_writer, seal_files

__all__ = ["BuildProgress", "BuildReport", "Part", "build_index", "build_segments"]

log = logging.getLogger(__name__)

_OWN_NAMES = {manifests.FILE_NAME, f"{manifests.FILE_NAME}.partial", SEGMENTS_NAME, TOMBSTONES_NAME}
_OWN_NAMES.add(DENSE_NAME)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What becomes one segment of an index."""

    files: Iterable[SourceFile]
    corpus: str = ""  # the digest of the curated corpus that they are; "" for what is none


def build_index(
    files: Iterable[SourceFile],
    out: Path,
    *,
    progress: Progress = lambda _: None,
) -> BuildReport:
    """Build an index of `files` at `out`, in one segment; see `build_segments`."""
    return build_segments([Part(files=files)], out, progress=progress)


def build_segments(
    parts: Sequence[Part],
    out: Path,
    *,
    progress: Progress = lambda _: None,
) -> BuildReport:
    """Build an index at `out`, a segment for each part, in place of the one that may be there.

    Files with the same text become one document with several origins, in the segment that is first
    to hold it. The same files give the same index, byte for byte; only where BM25 needs so many
    parts that tantivy merges some of them in the background, which is beyond about a gigabyte of
    text, those may be others each time.

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
            read = _write_segments(parts, partial / SEGMENTS_NAME, progress)
            manifest = _seal(partial, [(one, corpus) for one, corpus in read if len(one)])
            _take_place(partial, target)
        except OSError as error:
            reason = error.strerror or str(error)
            raise IndexBuildError(
                f"cannot write the index {target}: {reason}; make room or choose another --out"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    elapsed_s = time.monotonic() - started
    n_files = sum(segment.n_files for segment, _ in read)
    n_blank = sum(segment.n_blank for segment, _ in read)
    log.info("index built documents=%d bytes=%d", manifest.n_documents, manifest.n_bytes)
    return BuildReport(
        path=target,
        manifest=manifest,
        n_files=n_files,
        n_twins=n_files - n_blank - manifest.n_documents,
        n_blank=n_blank,
        elapsed_s=elapsed_s,
    )


def _write_segments(
    parts: Iterable[Part], folder: Path, progress: Progress
) -> list[tuple[Collector, str]]:
    """What was read of each part, and its corpus; what brings nothing new leaves no segment."""
    read: list[tuple[Collector, str]] = []
    try:
        for part in parts:
            written = [one for one, _ in read if len(one)]
            home = folder / _name(len(written) + 1)
            segment = Collector(home, progress=progress, earlier=written)
            read.append((segment, part.corpus))
            segment.read(part.files)
            if not len(segment):
                segment.discard()
                shutil.rmtree(home)
        if not any(len(one) for one, _ in read):
            raise IndexBuildError("the corpus has no source files; run: starcite corpus fetch")
        for segment, _ in read:  # only now is every place of every text known
            if len(segment):
                segment.finish()
    finally:
        for segment, _ in read:
            segment.discard()
    return read


def _seal(partial: Path, written: Sequence[tuple[Collector, str]]) -> Manifest:
    """Make every file durable and write the manifest that names them all."""
    collected = [segment for segment, _ in written]
    collected[-1].tell("checking")
    files = seal_files(partial, partial)
    manifest = Manifest(
        corpus_digest=corpus_digest(place for segment in collected for place in segment.places()),
        built_by=built_by(),
        k=K,
        w=W,
        p_k=P_K,
        p_w=P_W,
        tile_chars=TILE_CHARS,
        chunk_lines=CHUNK_LINES,
        n_documents=sum(map(len, collected)),
        n_origins=sum(segment.n_origins for segment in collected),
        n_bytes=sum(segment.n_bytes for segment in collected),
        segments=tuple(_name(number) for number in range(1, len(collected) + 1)),
        corpora=named_corpora(corpus for _, corpus in written),
        files=files,
    )
    write_manifest(partial, manifest)
    return manifest


def _name(number: int) -> str:
    """A build is the first generation; what it writes beyond one segment is numbered."""
    return "000001" if number == 1 else f"000001-{number}"


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
