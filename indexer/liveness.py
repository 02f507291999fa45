"""Which documents of an open index may still be shown.

An open index reads the segments that it was opened with for as long as it is open. Before each
query it looks whether there is a newer generation, and whether that has forgotten some of its
documents: from then on they are as if they were not there.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError, IndexMissingError
from indexer.manifest import FILE_NAME, SEGMENTS_NAME, Manifest, read_manifest
from indexer.store.documents import RECORDS_NAME, DocumentReader
from indexer.store.tombstones import read_tombstones

Stamp = tuple[int, int, int]  # changes with every generation, as each is another file
Mask = NDArray[np.bool_]  # (n_documents,), True: forgotten


def stamp_of(path: Path) -> Stamp | None:
    """What tells one generation of an index from the next without reading it; None: no index."""
    try:
        status = (path / FILE_NAME).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


class Liveness:
    """Follows the generations of one open index; safe to share between threads."""

    def __init__(
        self, path: Path, manifest: Manifest, own: list[DocumentReader], stamp: Stamp | None
    ) -> None:
        self._path = path
        self._lineage = manifest.lineage or manifest.checksum
        self._own = own
        self._names = {_identity(manifest, name): n for n, name in enumerate(manifest.segments)}
        self._updating = threading.Lock()
        self._mask: Mask | None = None
        self._mask = self._mask_of(manifest)
        self._stamp = stamp

    def forgotten(self) -> Mask | None:
        """Which documents must not be shown now; None: all may be.

        Raises:
            IndexFormatError, IndexDamagedError: what is forgotten can no longer be read.
        """
        if stamp_of(self._path) not in {None, self._stamp}:
            with self._updating:
                self._update()
        return self._mask

    def _update(self) -> None:
        while (stamp := stamp_of(self._path)) not in {None, self._stamp}:
            try:
                newest = read_manifest(self._path)
                if (newest.lineage or newest.checksum) == self._lineage:
                    self._mask = self._mask_of(newest)
                # else it was built anew: another index, for those who open it
            except IndexMissingError:
                return  # being replaced, or removed: what is known holds
            except IndexDamagedError:
                if stamp_of(self._path) == stamp:  # else a still newer one has taken its place
                    raise
                continue
            self._stamp = stamp

    def _mask_of(self, newest: Manifest) -> Mask | None:
        """Forgotten is what the newest generation no longer holds with all its places.

        And what has been before: a text that comes back may come from somebody else.
        """
        is_dead = np.zeros(newest.n_documents, dtype=np.bool_)
        if newest.tombstones:
            path = self._path / newest.tombstones
            is_dead[read_tombstones(path, n_documents=newest.n_documents)] = True
        missing = [np.ones(len(documents), dtype=np.bool_) for documents in self._own]
        others: list[tuple[DocumentReader, Mask]] = []
        base = 0
        for name in newest.segments:
            number = self._names.get(_identity(newest, name))
            if number is None:
                documents = DocumentReader(self._path / SEGMENTS_NAME / name)
                others.append((documents, is_dead[base : base + len(documents)]))
            else:
                documents = self._own[number]
                missing[number] = is_dead[base : base + len(documents)]
            base += len(documents)
        if base != newest.n_documents:
            raise IndexDamagedError(self._path / FILE_NAME, f"it counts {base} documents otherwise")
        if not any(mask.any() for mask in missing):
            return None
        for mask, documents in zip(missing, self._own, strict=True):
            _unmask_moved(mask, documents, others)
        forgotten = np.concatenate(missing)
        if self._mask is not None:
            forgotten |= self._mask
        return forgotten if forgotten.any() else None


def _unmask_moved(
    missing: Mask, documents: DocumentReader, others: list[tuple[DocumentReader, Mask]]
) -> None:
    """What was only written anew, into another segment, with at least its places, is there."""
    for moved_to, is_dead in others:
        digests, moved = documents.digests(), moved_to.digests()
        order = np.argsort(moved)
        rows = np.flatnonzero(missing)
        found = order[np.searchsorted(moved, digests[rows], sorter=order) % max(len(moved), 1)]
        same = (moved[found] == digests[rows]) & ~is_dead[found]
        for row, number in zip(rows[same].tolist(), found[same].tolist(), strict=True):
            missing[row] = not _holds(moved_to, number, documents, row)


def _holds(moved_to: DocumentReader, number: int, documents: DocumentReader, row: int) -> bool:
    if moved_to.record(number) == documents.record(row):
        return True
    before = documents.read(row, document_id=row).origins
    return set(before) <= set(moved_to.read(number, document_id=number).origins)


def _identity(manifest: Manifest, segment: str) -> str:
    """What tells a segment from another one of the same name: its documents' checksum."""
    entry = manifest.files.get(f"{SEGMENTS_NAME}/{segment}/{RECORDS_NAME}")
    return f"{segment} {entry.sha256 if entry else ''}"
