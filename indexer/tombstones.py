"""Takes documents out of an index at once; their segments are rewritten by a later compaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any

import numpy as np

from indexer.errors import DocumentUnknownError, IndexChangedError
from indexer.index import Index
from indexer.manifest import TOMBSTONES_NAME, Manifest, sync_folder
from indexer.source_file import Origin
from indexer.store.tombstones import read_tombstones, write_tombstones
from indexer.writing import changing, corpus_digest, next_name, publish, seal_file


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
    with changing(index_path) as (path, current):
        if resolved_from is not None and not _counts_alike(current, resolved_from):
            raise IndexChangedError(path)
        wanted = set(document_ids)
        for document_id in sorted(wanted):
            if not 0 <= document_id < current.n_documents:
                raise DocumentUnknownError(document_id, current.n_documents)
        if wanted <= tombstones_of(path, current):
            return current
        with Index.open(path) as index:
            digest = corpus_digest(live_places(index, without=wanted))
        changes = entomb(path, current, wanted)
        return publish(path, current, corpus_digest=digest, **changes)


def tombstones_of(path: Path, manifest: Manifest) -> set[int]:
    """The ids of the documents that a generation has forgotten."""
    if not manifest.tombstones:
        return set()
    ids = read_tombstones(path / manifest.tombstones, n_documents=manifest.n_documents)
    return set(ids.tolist())


def live_places(index: Index, *, without: Set[int] = frozenset()) -> Iterator[tuple[str, Origin]]:
    """The sha256 of each live document, but for some, with each place it was found in."""
    for document_id in index.live_document_ids():
        if document_id not in without:
            document = index.document(document_id)
            for origin in document.origins:
                yield document.sha256, origin


def entomb(path: Path, current: Manifest, document_ids: Set[int]) -> dict[str, Any]:
    """Write the tombstones of the next generation; what its manifest says of them."""
    name = f"{TOMBSTONES_NAME}/{next_name(current)}.npy"
    ids = sorted(tombstones_of(path, current) | document_ids)
    write_tombstones(path / name, np.array(ids, dtype=np.uint32))
    entry = seal_file(path / name)
    sync_folder(path / TOMBSTONES_NAME)
    files = {key: one for key, one in current.files.items() if key != current.tombstones}
    return {"tombstones": name, "n_tombstones": len(ids), "files": {**files, name: entry}}


def _counts_alike(current: Manifest, earlier: Manifest) -> bool:
    lineage = earlier.lineage or earlier.checksum
    n_segments = len(earlier.segments)
    return (current.lineage or current.checksum) == lineage and (
        current.segments[:n_segments] == earlier.segments
    )
