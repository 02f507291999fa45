"""What a reader says about a record that it left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from indexer.corpus.filters import SkipReason
from indexer.corpus.inventory import Archive


@dataclass(frozen=True, slots=True)
class Skip:
    """A file or a record that was left out, and why."""

    reason: SkipReason
    archive: Archive | None  # of a fetched corpus; other sources have none
    path: str  # in the archive; elsewhere the file and, of a record, its number: "a.jsonl:12"
    detail: str = ""  # the value that decided, never text of the record


OnSkip = Callable[[Skip], None]


def ignore(_: Skip) -> None:
    """For callers that do not count what is left out."""
