"""One document for each text: files of equal text become one with all their origins.

The records are spilled; 32 bytes a document are resident.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.curate.behind import Behind
from indexer.curate.pipeline import Drop, OnDropInStage, Stage
from indexer.curate.spool import Spool, SpoolWriter
from indexer.curate.twins import Merged, list_twins, merge_twins, rank
from indexer.source_file import SourceFile
from indexer.text.normalize import to_bytes

NAME = "exact-dedup"
REASON = "exact duplicate"
_DIGEST_BYTES = 32


def exact_dedup(scratch: Path) -> Stage:
    """The stage; what it spills lies in a folder of its own under `scratch`, which it removes."""
    return Stage(NAME, partial(_sweep, scratch))


def text_digest(file: SourceFile) -> bytes:
    """The SHA-256 digest of a file's text; files of different kinds never have the same."""
    digest = hashlib.sha256(to_bytes(file.text))
    if file.kind != "file":
        digest.update(b"\0" + file.kind.encode())
    return digest.digest()


def exact_keepers(digests: bytes, spool: Spool) -> NDArray[np.int64]:
    """For each document the number of the best one of the same text, (N,).

    Args:
        digests: those of all documents, 32 bytes each.
        spool: the documents.
    """
    words = np.frombuffer(digests, dtype=">u8").reshape(-1, _DIGEST_BYTES // 8)
    order = np.lexsort(words.T).astype(np.int64)
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = np.any(words[order[1:]] != words[order[:-1]], axis=1)
    keepers = np.arange(len(order), dtype=np.int64)
    for twins in np.split(order, np.flatnonzero(is_new)[1:]):
        if len(twins) > 1:
            keepers[twins] = min(twins.tolist(), key=lambda number: rank(spool[number]))
    return keepers


def merge_same(
    merged: Merged,
    keepers: NDArray[np.int64],
    on_drop: OnDropInStage,
    numbers: Iterable[int],
) -> Iterator[SourceFile]:
    """Those of `numbers` that stay by `keepers`, with the origins of what goes."""

    def describe(_: int, keeper: int) -> Drop:
        origin = merged.records[keeper].origin
        return Drop(REASON, f"{origin.purl} {origin.path}")

    return merge_twins(merged, keepers, on_drop, describe=describe, numbers=numbers)


def _sweep(
    scratch: Path, files: Iterable[SourceFile], on_drop: OnDropInStage
) -> Iterator[SourceFile]:
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"{NAME}-") as name:
        folder = Path(name)
        digests = bytearray()
        with SpoolWriter(folder) as writer, Behind() as behind:
            for file in files:
                behind.do(writer.add, file)
                digests += text_digest(file)
        spool = Spool([folder])
        keepers = exact_keepers(bytes(digests), spool)
        merged = Merged(spool, list_twins(keepers), "same")
        yield from merge_same(merged, keepers, on_drop, range(len(spool)))
