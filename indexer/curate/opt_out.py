"""Leaves out what somebody asked to be left out, once and for all: the opt-out ledger's stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from indexer.curate.pipeline import Drop, OnDropInStage, Stage
from indexer.optout.ledger_filter import LedgerFilter
from indexer.source_file import SourceFile


def opt_out(ledger: LedgerFilter) -> Stage:
    """The stage that drops what a request of the ledger means, near-duplicates included.

    It is a stage and no step, so that a run that goes on after a kill compares what passes it with
    what passed before: somebody may have asked to be left out in between.
    """

    def sweep(files: Iterable[SourceFile], on_drop: OnDropInStage) -> Iterator[SourceFile]:
        for file in files:
            why = ledger.why_not(file)
            if why is None:
                yield file
            else:
                on_drop(file, Drop("opted out", why))

    return Stage("opt-out", sweep)
