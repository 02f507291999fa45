"""What the commands of this package share: errors in one line, exit codes and progress."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import click

from indexer.collect import BuildProgress
from indexer.errors import IndexerError

FAILED, INTERRUPTED = 3, 130
_SHOWN_EVERY = 50  # files between two drawings of a bar
_PLAIN_STEP_S = 5.0  # seconds between lines of progress where there is no terminal
_PLAIN_STEPS = 10  # such lines a stage where a stage counts files
_PLAIN_COUNT = 10_000  # files between them where nobody knows how many there are


@contextlib.contextmanager
def one_line_errors(
    interrupted: str = "run the same command again to go on",
) -> Iterator[None]:
    """End with one line on stderr and the documented exit code instead of a traceback."""
    try:
        yield
    except IndexerError as error:
        click.echo(f"starcite: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        click.echo(f"starcite: interrupted; {interrupted}", err=True)
        sys.exit(INTERRUPTED)


@contextlib.contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar a stage on a terminal; elsewhere a plain line now and then."""
    with contextlib.ExitStack() as stack:
        bars: dict[str, Any] = {}

        def draw(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                stack.close()
                bar = click.progressbar(length=total, label=stage, file=sys.stderr, show_pos=True)
                bars[stage] = stack.enter_context(bar)
            bars[stage].update(done - bars[stage].pos)

        told: dict[str, int] = {}

        def tell(stage: str, done: int, total: int) -> None:
            step = done * _PLAIN_STEPS // total if total else done // _PLAIN_COUNT
            if told.get(stage) != step:
                told[stage] = step
                click.echo(f"{stage}: {done} of {total}" if total else f"{stage}: {done}", err=True)

        def show(stage: str, done: int, total: int) -> None:
            (draw if total and sys.stderr.isatty() else tell)(stage, done, total)

        yield show


def now_and_then(progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    """The same progress for what is told of each of many files."""

    def show(stage: str, done: int, total: int) -> None:
        if done % _SHOWN_EVERY == 0 or done == total:
            progress(stage, done, total)

    return show


class Bar:
    """Progress on stderr: a bar on a terminal, elsewhere a line every few seconds.

    Where nobody knows how many bytes there will be, `n_bytes` is 0 and there are lines only.
    """

    def __init__(self, label: str, n_bytes: int) -> None:
        self._label, self._n_bytes = label, n_bytes
        self._n_shown = 0
        self._said_at = time.monotonic()
        self._bar: Any = None
        if sys.stderr.isatty() and n_bytes:
            self._bar = click.progressbar(
                length=n_bytes,
                label=label,
                file=sys.stderr,
                item_show_func=lambda step: step,
                update_min_steps=n_bytes // 200,
            )

    def __enter__(self) -> Bar:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*exception)

    def show(self, n_bytes: int, step: str) -> None:
        """Show that so many bytes are done, and what is being done."""
        if self._bar is not None:
            self._bar.update(n_bytes - self._n_shown, step)
            if n_bytes == self._n_shown:  # another step; no bytes to draw for
                self._bar.render_progress()
            self._n_shown = n_bytes  # the bar's own position lags behind between two drawings
        elif time.monotonic() - self._said_at >= _PLAIN_STEP_S:
            self._said_at = time.monotonic()
            total = f" of {self._n_bytes / 1e6:.0f}" if self._n_bytes else ""
            click.echo(f"{self._label}: {n_bytes / 1e6:.0f}{total} MB, {step}", err=True)


def step_of(now: BuildProgress) -> str:
    """What is being done, for a bar."""
    return f"{now.step}, {now.n_documents:,} documents"
