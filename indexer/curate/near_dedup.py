"""Near-duplicates go, their origins stay: the stage that finds and verifies them by MinHash-LSH.

Everything is spilled: the records (compressed), their signatures and band keys, 1.2 kB a document
beside the text. See `clusters` for what a cluster is and what is resident.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.curate.behind import Behind
from indexer.curate.clusters import Similarity, find_keepers
from indexer.curate.minhash import jaccard, shingles
from indexer.curate.pipeline import Drop, OnDropInStage, Stage
from indexer.curate.signatures import Signatures, SignatureWriter
from indexer.curate.spool import Spool, SpoolWriter
from indexer.curate.twins import Merged, list_twins, merge_twins, rank
from indexer.source_file import SourceFile
from indexer.text.normalize import to_bytes

NAME = "near-dedup"
REASON = "near duplicate"
_CACHED_SETS = 256  # shingles of the documents compared last; at most 1 MB a MB of text


def near_dedup(scratch: Path) -> Stage:
    """The stage; what it spills lies in a folder of its own under `scratch`, which it removes."""
    return Stage(NAME, partial(_sweep, scratch))


def spill(files: Iterable[SourceFile], folder: Path) -> None:
    """Write the records and the signatures of `files` into a folder."""
    with SpoolWriter(folder) as spool, SignatureWriter(folder) as signatures, Behind() as behind:
        for file in files:
            behind.do(signatures.add, to_bytes(file.text), file.kind)
            spool.add(file)


def exact_similarity(spool: Spool) -> Similarity:
    """The exact Jaccard similarity of the shingles of two documents of a spool."""

    @lru_cache(maxsize=_CACHED_SETS)
    def shingles_of(number: int) -> NDArray[np.uint64]:
        return shingles(to_bytes(spool[number].text))

    def similarity(left: int, right: int) -> float:
        return jaccard(shingles_of(left), shingles_of(right))

    return similarity


def merge_near(
    merged: Merged,
    keepers: NDArray[np.int64],
    similarity: Similarity,
    on_drop: OnDropInStage,
    numbers: Iterable[int],
) -> Iterator[SourceFile]:
    """Those of `numbers` that stay by `keepers`, with the origins of what goes."""

    def describe(number: int, keeper: int) -> Drop:
        origin = merged.records[keeper].origin
        alike = f"{similarity(number, keeper):.2f}"
        return Drop(REASON, f"{alike} alike: {origin.purl} {origin.path}")

    return merge_twins(merged, keepers, on_drop, describe=describe, numbers=numbers)


def _sweep(
    scratch: Path, files: Iterable[SourceFile], on_drop: OnDropInStage
) -> Iterator[SourceFile]:
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"{NAME}-") as name:
        folder = Path(name)
        spill(files, folder)
        spool = Spool([folder])
        similarity = exact_similarity(spool)
        keepers = find_keepers(Signatures([folder]), similarity, lambda number: rank(spool[number]))
        merged = Merged(spool, list_twins(keepers), "near")
        yield from merge_near(merged, keepers, similarity, on_drop, range(len(spool)))
