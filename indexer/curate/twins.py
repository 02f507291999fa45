"""Which of several twins stays, and how it takes over the origins of those that go.

An opt-out must find a text wherever it was published, so what goes leaves its origins behind in
`SourceFile.twins`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.curate.pipeline import Drop, OnDropInStage
from indexer.source_file import Origin, Relation, SourceFile
from indexer.text.normalize import to_bytes

_NEVER = "9999"  # sorts behind every date


def rank(file: SourceFile) -> tuple[object, ...]:
    """The order in which twins are preferred, the best one first; equal only for equal records.

    A stated licence before none, the earliest first-seen date (which is nearest to the author),
    more stars, the shortest path, and then whatever makes the order total: path, release, and
    the digest of the text.
    """
    origin = file.origin
    return (
        not origin.spdx_id,
        origin.first_seen or _NEVER,
        -(file.stars or 0),
        len(origin.path),
        origin.path,
        origin.purl,
        origin.repository,
        origin.revision,
        hashlib.sha256(to_bytes(file.text)).hexdigest(),
    )


class Records(Protocol):
    """Numbered source files, as a spool has them."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> SourceFile: ...


def list_twins(keepers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(2, M): who stands for another, ascending, and the other.

    Args:
        keepers: for each document the number of the one that stands for it, (N,).
    """
    gone = np.flatnonzero(keepers != np.arange(len(keepers)))
    gone = gone[np.argsort(keepers[gone], kind="stable")]
    return np.stack([keepers[gone], gone]).astype(np.int64)


class Merged:
    """Records in which whatever stands for others has their origins; a `Records` itself."""

    def __init__(self, records: Records, twins: NDArray[np.int64], relation: Relation) -> None:
        """Take records and the twins among them, as `list_twins` gives them."""
        self.records = records
        self._keepers, self._gone = twins
        self._relation = relation

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, number: int) -> SourceFile:
        first, last = np.searchsorted(self._keepers, [number, number + 1])
        twins = [self.records[twin] for twin in self._gone[first:last].tolist()]
        file = self.records[number]
        return _with_origins(file, twins, self._relation) if twins else file


def merge_twins(
    merged: Merged,
    keepers: NDArray[np.int64],
    on_drop: OnDropInStage,
    *,
    describe: Callable[[int, int], Drop],
    numbers: Iterable[int],
) -> Iterator[SourceFile]:
    """Those of some documents that stand for themselves, in order, with their twins' origins.

    Args:
        merged: all documents.
        keepers: for each the number of the document that stands for it, (N,).
        on_drop: told of each document that goes.
        describe: why a document goes, from its number and its keeper's.
        numbers: the documents to go through.
    """
    for number in numbers:
        keeper = int(keepers[number])
        if keeper == number:
            yield merged[number]
        else:
            on_drop(merged.records[number], describe(number, keeper))


def _with_origins(file: SourceFile, twins: Iterable[SourceFile], relation: Relation) -> SourceFile:
    origins = set(file.twins)
    for twin in twins:
        origins.add(replace(twin.origin, relation=relation))
        for origin in twin.twins:
            # What equals a near twin is a near twin.
            origins.add(origin if relation == "same" else replace(origin, relation=relation))
    origins.discard(file.origin)
    return replace(file, twins=tuple(sorted(origins, key=_origin_key)))


def _origin_key(origin: Origin) -> tuple[str, ...]:
    return (origin.purl, origin.path, origin.repository, origin.revision, origin.relation)
