"""Re-checks an index against its manifest, byte by byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import IndexChangedError
from indexer.liveness import stamp_of
from indexer.manifest import FileEntry, read_manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class FileCheck:
    """The outcome for one file."""

    name: str
    n_bytes: int  # as the manifest has it
    problem: str = ""  # empty: the file is what was written


def verify_index(path: Path) -> Iterator[FileCheck]:
    """Check one file of an index after the other; all of them, also after a damaged one.

    Raises:
        IndexMissingError, IndexFormatError, IndexDamagedError: the manifest itself cannot be used.
        IndexChangedError: a newer generation took the files away meanwhile.
    """
    stamp = stamp_of(path)
    for name, entry in sorted(read_manifest(path).files.items()):
        problem = _problem(path / name, entry)
        if problem and stamp_of(path) != stamp:
            raise IndexChangedError(path)
        yield FileCheck(name=name, n_bytes=entry.n_bytes, problem=problem)


def _problem(path: Path, entry: FileEntry) -> str:
    try:
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
            n_bytes = file.tell()
    except OSError as error:
        return error.strerror or str(error)
    if n_bytes != entry.n_bytes:
        return f"{n_bytes} of {entry.n_bytes} bytes"
    return "" if checksum == entry.sha256 else "its checksum does not match"
