"""What every writer of an index does: alone in its place, durably, and counting the same way."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indexer.errors import IndexBuildError, IndexerError
from indexer.manifest import (
    SEGMENTS_NAME,
    TOMBSTONES_NAME,
    FileEntry,
    Manifest,
    read_manifest,
    sync_folder,
    write_manifest,
)
from indexer.source_file import Origin
from indexer.store.dense import FOLDER_NAME as DENSE_NAME


@contextmanager
def only_writer(
    target: Path,
    *,
    refuse: type[IndexerError] = IndexBuildError,
    rival: str = "another build is writing",
    instead: str = "folder",
) -> Iterator[None]:
    """Be the only one who writes the folder `target`, or refuse to.

    Args:
        target: an index or shards; the lock lies beside it.
        refuse: the error to raise.
        rival: what to say of somebody else who writes it.
        instead: what to choose another one of, where nobody can write.

    Raises:
        IndexerError: as `refuse` says; somebody else writes it, or nobody can write there.
    """
    lock_path = target.with_name(f".{target.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock_path, timeout=0):
            yield
    except Timeout as error:
        raise refuse(f"{rival} {target} (it holds {lock_path.name}); wait until it ends") from error
    except OSError as error:
        raise refuse(
            f"cannot write in {target.parent}: {error.strerror or error}; choose another {instead}"
        ) from error


@contextmanager
def changing(index_path: Path) -> Iterator[tuple[Path, Manifest]]:
    """Be the only one who changes an index that is there; gives its path and its manifest.

    Whatever happens inside, the index is afterwards what its manifest says, and nothing more.

    Raises:
        IndexMissingError, IndexFormatError, IndexDamagedError: there is no such index.
        IndexBuildError: somebody else writes it, or the disk is full.
    """
    path = index_path.absolute()
    read_manifest(path)  # no lock is left beside what is no index
    with only_writer(path):
        current = read_manifest(path)
        try:
            sweep(path, current)
            yield path, current
        except OSError as error:
            reason = error.strerror or str(error)
            raise IndexBuildError(
                f"cannot write in {path}: {reason}; make room, nothing was changed"
            ) from error
        finally:
            sweep(path, read_manifest(path))


def seal_files(folder: Path, root: Path) -> dict[str, FileEntry]:
    """Make everything below a folder durable; its files by their path below `root`."""
    files = {}
    for path in sorted([folder, *folder.rglob("*")]):
        if path.is_dir():
            sync_folder(path)
        elif path.name.endswith(".lock"):
            path.unlink()  # tantivy's, of no meaning once its writer is gone
        else:
            files[path.relative_to(root).as_posix()] = seal_file(path)
    return files


def seal_file(path: Path) -> FileEntry:
    """Make one file durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(n_bytes=file.tell(), sha256=checksum)


def publish(path: Path, current: Manifest, **changes: Any) -> Manifest:
    """Write the manifest of the next generation in place of the current one, at one stroke."""
    following = replace(
        current,
        generation=current.generation + 1,
        lineage=current.lineage or current.checksum,
        previous=current.checksum,
        previous_corpus_digest=current.corpus_digest,
        **changes,
    )
    write_manifest(path, following)
    return following


def next_name(current: Manifest) -> str:
    """What the next generation calls what it adds; no earlier one has used the name."""
    return f"{current.generation + 1:06d}"


def sweep(path: Path, manifest: Manifest) -> None:
    """Remove what the manifest does not name: of older generations, or of a killed writer.

    Those who have the files open go on reading them, as POSIX lets them; where the system does
    not let go of open files, the next writer removes them.
    """
    for folder, named in (
        (path / SEGMENTS_NAME, {f"{SEGMENTS_NAME}/{name}" for name in manifest.segments}),
        (path / TOMBSTONES_NAME, {manifest.tombstones}),
        (path / DENSE_NAME, {name.rsplit("/", 1)[0] for name in manifest.files}),
    ):
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.relative_to(path).as_posix() in named:
                continue
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def corpus_digest(places: Iterable[tuple[str, Origin]]) -> str:
    """Equal for equal sets of (text's sha256, package, path), in whatever order they come."""
    lines = {f"{sha256}\0{origin.purl}\0{origin.path}\n" for sha256, origin in places}
    return hashlib.sha256("".join(sorted(lines)).encode(errors="surrogatepass")).hexdigest()


def by_place(origin: Origin) -> tuple[object, ...]:
    """Sorts the origins of a document: by package and path, then by whatever tells them apart."""
    return origin.purl, origin.path, astuple(origin)


def built_by() -> str:
    """The program and its version, for the manifest."""
    try:
        return f"starcite {version('starcite')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "starcite unknown"
