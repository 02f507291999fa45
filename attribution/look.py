"""Traces what was gathered, in this process or in several; the outcomes come in order.

Each process opens the index for itself: it is memory-mapped, so all of them share its pages.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from pathlib import Path

from attribution.absence import QUICK, absence_of
from attribution.errors import LookError, TargetError
from attribution.gather import Found, Item
from attribution.outcomes import Absence, Looked, Outcome, Skipped
from attribution.target import Target, read_target
from attribution.tracer import Tracer
from attribution.types import Verdict
from indexer import IndexerError

_AHEAD = 8  # files in flight for each process: enough to keep it busy, few enough for memory
_WORTH_A_PROCESS = 16  # files; starting a process takes as long as tracing so many


def look(
    items: Sequence[Item], tracer: Tracer, *, leads: bool = False, n_jobs: int = 1
) -> Iterator[Outcome]:
    """One outcome for each item, in order, whatever the number of processes.

    Raises:
        LookError: a process was ended from outside.
        IndexerError: a process cannot open the index.
    """
    n_workers = min(n_jobs, len(items) // _WORTH_A_PROCESS)
    if n_workers <= 1:
        for item in items:
            yield _look_at(item, tracer, leads=leads)
        return
    context = multiprocessing.get_context("spawn")
    start = (tracer.index.path, leads)
    with ProcessPoolExecutor(n_workers, context, _start, start) as pool:
        waiting: deque[Future[Outcome]] = deque()
        try:
            for item in items:
                with _interrupts_held_back():  # this may start processes
                    waiting.append(pool.submit(_look, item))
                if len(waiting) > _AHEAD * n_workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise LookError("a process that traced was ended; try again with --jobs 1") from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C is for this process, and comes afterwards; one that starts meanwhile never sees it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_own: tuple[Tracer, bool] | None = None  # of a worker, set once when it starts


def _start(index_path: Path, leads: bool) -> None:
    global _own  # noqa: PLW0603 - a process pool has no other way to hand over what stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and ends us
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _own = Tracer.open(index_path), leads


def _leave_with_parent() -> None:
    """A parent that was killed can no longer end its workers."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _look(item: Item) -> Outcome:
    if _own is None:
        raise LookError("a process was asked to trace before it had opened the index")
    tracer, leads = _own
    return _look_at(item, tracer, leads=leads)


def _look_at(item: Item, tracer: Tracer, *, leads: bool) -> Outcome:
    if isinstance(item, Found):
        try:
            target = read_target(
                item.name,
                language=item.language,
                is_path=True,
                max_bytes=tracer.config.max_query_bytes,
            )
        except TargetError as error:
            return Skipped(name=item.name, reason=str(error), is_binary=error.is_nothing_to_trace)
    else:
        target = item
    trace = tracer.trace(target.text, language=target.language, with_leads=leads)
    absence = _absence(target, tracer) if trace.verdict is Verdict.NONE else None
    is_named = not isinstance(item, Found)
    return Looked(target=target, trace=trace, absence=absence, is_named=is_named)


def _absence(target: Target, tracer: Tracer) -> Absence:
    n = tracer.config.min_lexemes
    data = target.text.encode("utf-8", "replace")
    try:
        return absence_of(tracer.index, data, target.language, min_lexemes=n, bounds=QUICK)
    except (IndexerError, ValueError) as error:
        return Absence(min_lexemes=n, is_proved=False, reason=str(error))
