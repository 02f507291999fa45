"""Source files in, an index out: streaming, and never half-written where an index is looked for.

Everything is written into `<name>.partial` beside the target. The manifest comes last, then the
folder takes the target's place; the index that was there before stays until that moment.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer import manifest as manifests
from indexer.errors import IndexBuildError
from indexer.manifest import (
    SEGMENTS_NAME,
    TOMBSTONES_NAME,
    Manifest,
    sync_folder,
    write_manifest,
)
from indexer.source_file import Origin, SourceFile
from indexer.store.documents import Document
from indexer.store.lexical import CHUNK_LINES
from indexer.store.membership import TILE_CHARS
from indexer.store.segment import SegmentWriter
from indexer.text.normalize import to_bytes
from indexer.text.winnow import K, W
from indexer.writing import built_by, by_place, corpus_digest, only_writer, seal_files

log = logging.getLogger(__name__)

_SEGMENT_NAME = "000001"
_OWN_NAMES = {manifests.FILE_NAME, f"{manifests.FILE_NAME}.partial", SEGMENTS_NAME, TOMBSTONES_NAME}


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildProgress:
    """How far a build has come."""

    step: str  # "reading", "sorting", "checking"
    n_documents: int
    n_bytes: int  # of distinct text


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
    progress: Callable[[BuildProgress], None] = lambda _: None,
) -> BuildReport:
    """Build an index of `files` at `out`, in place of the one that may be there.

    Files with the same text become one document with several origins. The same files give the
    same index, byte for byte but for the BM25 part, which names its files at random.

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
            manifest = _seal(partial, collected, progress)
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
        n_twins=collected.n_files - collected.n_blank - len(collected.digests),
        n_blank=collected.n_blank,
        elapsed_s=elapsed_s,
    )


class _Collected:
    """What is known of the documents so far; twins can come until the very last file."""

    def __init__(self) -> None:
        self.n_files = 0
        self.n_blank = 0
        self.n_bytes = 0
        self.digests: dict[bytes, int] = {}  # sha256 → number, in order
        self.languages: list[str] = []
        self.sizes: list[int] = []
        self.origins: list[set[Origin]] = []

    def documents(self) -> list[Document]:
        """One document for each distinct text, its origins in a fixed order."""
        return [
            Document(
                document_id=number,
                sha256=digest.hex(),
                language=self.languages[number],
                n_bytes=self.sizes[number],
                origins=tuple(sorted(self.origins[number], key=by_place)),
            )
            for digest, number in self.digests.items()
        ]

    def corpus_digest(self) -> str:
        """Equal for equal sets of (text, package, path), in whatever order they came."""
        return corpus_digest(
            (digest.hex(), origin)
            for digest, number in self.digests.items()
            for origin in self.origins[number]
        )


def _write_segment(
    files: Iterable[SourceFile], folder: Path, progress: Callable[[BuildProgress], None]
) -> _Collected:
    collected = _Collected()
    writer = SegmentWriter(folder)
    try:
        for file in files:
            _add(file, collected, writer)
            progress(_progress("reading", collected))
        if not collected.digests:
            raise IndexBuildError("the corpus has no source files; run: starcite corpus fetch")
        progress(_progress("sorting", collected))
        writer.finish(collected.documents())
    finally:
        writer.discard()
    return collected


def _progress(step: str, collected: _Collected) -> BuildProgress:
    return BuildProgress(step=step, n_documents=len(collected.digests), n_bytes=collected.n_bytes)


def _add(file: SourceFile, collected: _Collected, writer: SegmentWriter) -> None:
    collected.n_files += 1
    if not file.text.strip():
        collected.n_blank += 1
        return
    data = to_bytes(file.text)
    digest = hashlib.sha256(data).digest()
    number = collected.digests.get(digest)
    if number is None:
        number = writer.add(data, text=file.text, language=file.language)
        collected.digests[digest] = number
        collected.languages.append(file.language)
        collected.sizes.append(len(data))
        collected.origins.append(set())
        collected.n_bytes = writer.n_bytes
    collected.origins[number].update((file.origin, *file.twins))


def _seal(
    partial: Path, collected: _Collected, progress: Callable[[BuildProgress], None]
) -> Manifest:
    """Make every file durable and write the manifest that names them all."""
    progress(_progress("checking", collected))
    files = seal_files(partial, partial)
    manifest = Manifest(
        corpus_digest=collected.corpus_digest(),
        built_by=built_by(),
        k=K,
        w=W,
        tile_chars=TILE_CHARS,
        chunk_lines=CHUNK_LINES,
        n_documents=len(collected.digests),
        n_origins=sum(len(origins) for origins in collected.origins),
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
