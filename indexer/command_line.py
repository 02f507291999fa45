"""What the commands of this package share: errors in one line, exit codes and progress."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from indexer.corpus.errors import LockError
from indexer.curate.errors import CurateConfigError
from indexer.errors import IndexerError

BAD_INPUT, FAILED, INTERRUPTED = 2, 3, 130
_PLAIN_STEPS = 10  # lines of progress where there is no terminal
_PLAIN_COUNT = 10_000  # files between such lines where nobody knows how many there are


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """End with one line to stderr and the documented exit code instead of a traceback."""
    try:
        yield
    except IndexerError as error:
        click.echo(f"starcite: {error}", err=True)
        sys.exit(BAD_INPUT if isinstance(error, LockError | CurateConfigError) else FAILED)
    except KeyboardInterrupt:
        click.echo("starcite: interrupted; run the same command again to go on", err=True)
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
