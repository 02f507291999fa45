"""What the commands on the index share: errors in one line, exit codes and progress."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from indexer.collect import BuildProgress
from indexer.errors import IndexerError

FAILED, INTERRUPTED = 3, 130
_PLAIN_STEP_S = 5.0  # seconds between lines of progress where there is no terminal


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """End with one line on stderr and the documented exit code instead of a traceback."""
    try:
        yield
    except IndexerError as error:
        click.echo(f"starcite: {error}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        click.echo("starcite: interrupted; nothing was changed", err=True)
        sys.exit(INTERRUPTED)


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
