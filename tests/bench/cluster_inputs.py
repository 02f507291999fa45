"""The inputs of bench_cluster.py: a module of its own, which every task of a cluster can import."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from indexer.corpus import read_corpus
from indexer.source_file import SourceFile

N_INPUTS = 4


def read_share(corpus: Path, number: int) -> Iterator[SourceFile]:
    """Every N_INPUTS-th file of a fetched corpus, from one of the first on."""
    return islice(read_corpus(corpus), number, None, N_INPUTS)


def read_all(corpus: Path) -> Iterator[SourceFile]:
    """The same files, in the order in which the shares come."""
    for number in range(N_INPUTS):
        yield from read_share(corpus, number)
