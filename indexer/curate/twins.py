"""Which of several twins stays, and how it takes over the origins of those that go.

An opt-out must find a text wherever it was published, so what goes leaves its origins behind in
`SourceFile.twins`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.curate.pipeline import Drop, OnDropInStage
from indexer.curate.spool import Spool
from indexer.source_file import Origin, SourceFile
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


def merge_twins(
    spool: Spool,
    keepers: NDArray[np.int64],
    relation: Literal["same", "near"],
    describe: Callable[[int, int], Drop],
    on_drop: OnDropInStage,
) -> Iterator[SourceFile]:
    """The documents that stand for themselves, in order, with the origins of their twins.

    Args:
        spool: all documents.
        keepers: for each the number of the document that stands for it, (N,).
        relation: how the text of a twin relates to the one that stays.
        describe: why a document goes, from its number and its keeper's.
        on_drop: told of each document that goes.
    """
    gone = np.flatnonzero(keepers != np.arange(len(keepers)))
    by_keeper = gone[np.argsort(keepers[gone], kind="stable")]
    ordered = keepers[by_keeper]
    for number, file in enumerate(spool):
        keeper = int(keepers[number])
        if keeper != number:
            on_drop(file, describe(number, keeper))
            continue
        first, last = np.searchsorted(ordered, [number, number + 1])
        twins = [spool[twin] for twin in by_keeper[first:last].tolist()]
        yield _with_origins(file, twins, relation) if twins else file


def _with_origins(
    file: SourceFile, twins: list[SourceFile], relation: Literal["same", "near"]
) -> SourceFile:
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
