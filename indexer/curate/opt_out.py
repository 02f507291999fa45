"""Leaves out what somebody asked to be left out, once and for all: the opt-out ledger's stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from indexer.curate.pipeline import Drop, OnDropInStage, Stage
from indexer.optout.ledger_filter import LedgerFilter
from indexer.source_file import SourceFile


def opt_out(ledger: Path | None = None) -> Stage:
    """The stage that asks the ledger, by default that of the data home, when it begins.

    It is a stage and no step, so that a run that goes on after a kill asks again: somebody may
    have asked to be left out in between.

    Raises:
        LedgerBrokenError: when it runs, and the ledger is not what was written.
    """

    def sweep(files: Iterable[SourceFile], on_drop: OnDropInStage) -> Iterator[SourceFile]:
        filtered = LedgerFilter.open(ledger)
        for file in files:
            why = filtered.why_not(file)
            if why is None:
                yield file
            else:
                on_drop(file, Drop("opted out", why))

    return Stage("opt-out", sweep)
