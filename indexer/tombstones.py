"""Takes documents out of an index at once; their segments are rewritten by a later compaction."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from indexer.errors import DocumentUnknownError, IndexBuildError, IndexChangedError
from indexer.index import Index
from indexer.manifest import TOMBSTONES_NAME, Manifest, read_manifest, sync_folder
from indexer.store.tombstones import read_tombstones, write_tombstones
from indexer.writing import corpus_digest, only_writer, publish, seal_file, sweep


def forget_documents(
    index_path: Path, document_ids: Iterable[int], *, resolved_from: Manifest | None = None
) -> Manifest:
    """Forget documents: no query of any process shows them any more, also of an open index.

    Returns the manifest of the new generation; its `corpus_digest` is that of what is left, its
    `previous_corpus_digest` that of before. Forgetting what is forgotten changes nothing.

    Args:
        index_path: the index's folder.
        document_ids: as an open index has them.
        resolved_from: the manifest of that open index; ids of merged segments are then refused.

    Raises:
        IndexMissingError, IndexFormatError, IndexDamagedError: there is no such index.
        DocumentUnknownError: there is no document of such an id; nothing is forgotten.
        IndexChangedError: the ids are not those of this index any more; nothing is forgotten.
        IndexBuildError: somebody else writes the index, or the disk is full.
    """
    path = index_path.absolute()
    read_manifest(path)  # no lock is left beside what is no index
    with only_writer(path):
        current = read_manifest(path)
        if resolved_from is not None and not _counts_alike(current, resolved_from):
            raise IndexChangedError(path)
        wanted = set(document_ids)
        for document_id in sorted(wanted):
            if not 0 <= document_id < current.n_documents:
                raise DocumentUnknownError(document_id, current.n_documents)
        known = tombstones_of(path, current)
        if wanted <= known:
            return current
        try:
            return _forget(path, current, sorted(wanted | known))
        except OSError as error:
            reason = error.strerror or str(error)
            raise IndexBuildError(f"cannot write in {path}: {reason}; make room") from error


def tombstones_of(path: Path, manifest: Manifest) -> set[int]:
    """The ids of the documents that a generation has forgotten."""
    if not manifest.tombstones:
        return set()
    ids = read_tombstones(path / manifest.tombstones, n_documents=manifest.n_documents)
    return set(ids.tolist())


def live_corpus_digest(index: Index, *, without: frozenset[int] = frozenset()) -> str:
    """The digest of a corpus of just the documents that are live, but for some."""
    documents = (index.document(one) for one in index.live_document_ids() if one not in without)
    return corpus_digest((one.sha256, origin) for one in documents for origin in one.origins)


def _counts_alike(current: Manifest, earlier: Manifest) -> bool:
    lineage = earlier.lineage or earlier.checksum
    n_segments = len(earlier.segments)
    return (current.lineage or current.checksum) == lineage and (
        current.segments[:n_segments] == earlier.segments
    )


def _forget(path: Path, current: Manifest, document_ids: list[int]) -> Manifest:
    name = f"{TOMBSTONES_NAME}/{current.generation + 1:06d}.npy"
    write_tombstones(path / name, np.array(document_ids, dtype=np.uint32))
    entry = seal_file(path / name)
    sync_folder(path / TOMBSTONES_NAME)
    files = {key: one for key, one in current.files.items() if key != current.tombstones}
    with Index.open(path) as index:
        digest = live_corpus_digest(index, without=frozenset(document_ids))
    following = publish(
        path,
        current,
        corpus_digest=digest,
        tombstones=name,
        n_tombstones=len(document_ids),
        files={**files, name: entry},
    )
    sweep(path, following)
    return following
