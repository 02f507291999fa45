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


class Merged:
    """Records in which whatever stands for others has their origins; a `Records` itself."""

    def __init__(self, records: Records, keepers: NDArray[np.int64], relation: Relation) -> None:
        gone = np.flatnonzero(keepers != np.arange(len(keepers)))
        self._records, self._relation = records, relation
        self._gone = gone[np.argsort(keepers[gone], kind="stable")]
        self._stands_for = keepers[self._gone]

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, number: int) -> SourceFile:
        first, last = np.searchsorted(self._stands_for, [number, number + 1])
        twins = [self._records[twin] for twin in self._gone[first:last].tolist()]
        file = self._records[number]
        return _with_origins(file, twins, self._relation) if twins else file


def merge_twins(
    records: Records,
    keepers: NDArray[np.int64],
    relation: Relation,
    on_drop: OnDropInStage,
    *,
    describe: Callable[[int, int], Drop],
    numbers: Iterable[int],
) -> Iterator[SourceFile]:
    """Those of some documents that stand for themselves, in order, with their twins' origins.

    Args:
        records: all documents.
        keepers: for each the number of the document that stands for it, (N,).
        relation: how the text of a twin relates to the one that stays.
        on_drop: told of each document that goes.
        describe: why a document goes, from its number and its keeper's.
        numbers: the documents to go through.
    """
    merged = Merged(records, keepers, relation)
    for number in numbers:
        keeper = int(keepers[number])
        if keeper == number:
            yield merged[number]
        else:
            on_drop(records[number], describe(number, keeper))


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
