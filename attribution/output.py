"""Where a report goes: standard output, or a file that is put in its place when it is whole."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO, TypeVar

import click

from attribution.errors import OutputError

_WORTH_A_BAR = 32  # files
T = TypeVar("T")


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[TextIO | None]:
    """The file to write to; None is standard output.

    Raises:
        OutputError: it cannot be written.
    """
    if path is None:
        yield None
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="replace") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


@contextlib.contextmanager
def progress(things: Iterable[T], n_things: int, *, is_report_shown: bool) -> Iterator[Iterable[T]]:
    """The same things with a bar on stderr, unless few come, or the report runs down there."""
    if n_things < _WORTH_A_BAR or not sys.stderr.isatty() or is_report_shown:
        yield things
        return
    with click.progressbar(
        things, length=n_things, label="tracing", file=sys.stderr, show_pos=True
    ) as bar:
        yield bar
