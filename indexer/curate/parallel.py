"""Runs steps on files in several processes; the outcomes come in the order of the files."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

from indexer.curate.pipeline import Drop, Dropped, Step, apply
from indexer.source_file import SourceFile

_BATCH_BYTES = 1_000_000
_AHEAD = 3  # batches in flight for each process: enough to keep it busy, few enough for memory

# What a process answers about a file: it stays as it is, it was changed, or a step dropped it.
_Answer = SourceFile | tuple[str, Drop] | None


def apply_all(
    files: Iterable[SourceFile], steps: Sequence[Step], *, n_workers: int = 1
) -> Iterator[SourceFile | Dropped]:
    """One outcome for each file, in order, whatever the number of processes."""
    if n_workers <= 1 or not steps:
        for file in files:
            yield apply(file, steps)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_workers, context, _start, (tuple(steps),)) as pool:
        waiting: deque[tuple[list[SourceFile], Future[list[_Answer]]]] = deque()
        try:
            for batch in _batches(files):
                waiting.append((batch, pool.submit(_apply_batch, batch)))
                if len(waiting) > _AHEAD * n_workers:
                    yield from _outcomes(*waiting.popleft())
            while waiting:
                yield from _outcomes(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)


_steps: tuple[Step, ...] = ()  # of this process, set once when it starts


def _start(steps: tuple[Step, ...]) -> None:
    global _steps  # noqa: PLW0603 - a process pool has no other way to hand over what stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends us
    _steps = steps


def _apply_batch(batch: list[SourceFile]) -> list[_Answer]:
    return [_answer(file, apply(file, _steps)) for file in batch]


def _answer(file: SourceFile, outcome: SourceFile | Dropped) -> _Answer:
    if isinstance(outcome, Dropped):
        return outcome.step, outcome.drop
    return None if outcome is file else outcome


def _outcomes(
    batch: list[SourceFile], answers: Future[list[_Answer]]
) -> Iterator[SourceFile | Dropped]:
    for file, answer in zip(batch, answers.result(), strict=True):
        if isinstance(answer, tuple):
            yield Dropped(*answer, file)
        else:
            yield file if answer is None else answer


def _batches(files: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    batch: list[SourceFile] = []
    n_chars = 0
    for file in files:
        batch.append(file)
        n_chars += len(file.text)
        if n_chars >= _BATCH_BYTES:
            yield batch
            batch, n_chars = [], 0
    if batch:
        yield batch
