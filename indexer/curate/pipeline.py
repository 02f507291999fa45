"""Runs the steps of curation in order; whatever is dropped has a reason, and reasons are counted.

A `Step` looks at one file at a time and is a pure function, so that runs of steps can be shared
among processes. A `Stage` needs the whole corpus and spills to disk, not to memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from indexer.source_file import SourceFile


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a file leaves the corpus: a reason that is counted, and the value that decided."""

    reason: str  # one of a few, in words: "line too long"
    detail: str = ""  # "1,204 characters"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that left the corpus, where it left and why."""

    step: str
    drop: Drop
    file: SourceFile


Rule = Callable[[SourceFile], SourceFile | Drop]
OnDrop = Callable[[Dropped], None]
OnDropInStage = Callable[[SourceFile, Drop], None]
Sweep = Callable[[Iterable[SourceFile], OnDropInStage], Iterator[SourceFile]]


@dataclass(frozen=True, slots=True)
class Step:
    """A rule for one file: it comes back as it is or changed, or a `Drop` takes its place.

    The rule must be picklable (a function of a module, or a `functools.partial` of one).
    """

    name: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Stage:
    """A sweep over all files; it tells `on_drop` about each file that it does not give back."""

    name: str
    sweep: Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class DropCount:
    """How many files, of how many bytes, left the corpus at one step for one reason."""

    step: str
    reason: str
    n_files: int
    n_bytes: int


@dataclass(slots=True)
class DropCounts:
    """Counts dropped files and their bytes; an instance can be used as `on_drop`."""

    n_files: Counter[tuple[str, str]] = field(default_factory=Counter)  # by (step, reason)
    n_bytes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __call__(self, dropped: Dropped) -> None:
        """Count one dropped file."""
        key = (dropped.step, dropped.drop.reason)
        self.n_files[key] += 1
        self.n_bytes[key] += len(dropped.file.text.encode(errors="surrogatepass"))

    @classmethod
    def of(cls, rows: Iterable[DropCount]) -> DropCounts:
        """Counts that go on from `rows`; rows of the same step and reason are added up."""
        counts = cls()
        for row in rows:
            counts.n_files[row.step, row.reason] += row.n_files
            counts.n_bytes[row.step, row.reason] += row.n_bytes
        return counts

    def rows(self) -> list[DropCount]:
        """One row for each step and reason, in the order of their first drop."""
        return [
            DropCount(step=step, reason=reason, n_files=n, n_bytes=self.n_bytes[step, reason])
            for (step, reason), n in self.n_files.items()
        ]


def curate(
    files: Iterable[SourceFile],
    steps: Sequence[Step | Stage],
    on_drop: OnDrop,
) -> Iterator[SourceFile]:
    """The files that pass every step, as the steps leave them, in a fixed order."""
    for position, step in enumerate(steps):
        if isinstance(step, Stage):
            before = curate(files, steps[:position], on_drop)
            after = step.sweep(before, partial(_tell, on_drop, step.name))
            yield from curate(after, steps[position + 1 :], on_drop)
            return
    rules = [step for step in steps if isinstance(step, Step)]
    for file in files:
        outcome = apply(file, rules)
        if isinstance(outcome, Dropped):
            on_drop(outcome)
        else:
            yield outcome


def apply(file: SourceFile, steps: Iterable[Step]) -> SourceFile | Dropped:
    """Run steps on one file, up to the one that drops it."""
    for step in steps:
        outcome = step.rule(file)
        if isinstance(outcome, Drop):
            return Dropped(step.name, outcome, file)
        file = outcome
    return file


def _tell(on_drop: OnDrop, name: str, file: SourceFile, drop: Drop) -> None:
    on_drop(Dropped(name, drop, file))
