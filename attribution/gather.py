"""What a command line asks to be traced: texts that are read at once, files that are read later.

A file that is named is read before anything is traced, so that no bad name costs a look-up. The
files of folders and diffs are read where they are traced, one after the other, so that many of them
need no more memory than few.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from attribution.errors import TargetError
from attribution.folder import files_in, is_pattern
from attribution.git_diff import Lines
from attribution.target import STDIN, Target, read_target


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A file of a folder or of a diff: it was not named, so it may turn out to be no text."""

    name: str
    language: str | None = None


Item = Target | Found
Changed = dict[Path, Lines]  # the lines that count, by absolute path


def gather(
    arguments: Iterable[str],
    *,
    language: str | None = None,
    excluded: tuple[str, ...] = (),
    changed: Changed | None = None,
    complain: Callable[[str], object],
) -> list[Item]:
    """What the arguments stand for, in their order; without any, all changed files.

    `complain` gets a line for each argument that cannot be traced.
    """
    for pattern in excluded:
        if not is_pattern(pattern):
            complain(f"--exclude {pattern!r} is no pattern: write it as in a .gitignore")
    if changed is not None and not arguments:
        return [Found(name=os.path.relpath(path), language=language) for path in changed]
    items: list[Item] = []
    for argument in arguments:
        try:
            if argument != STDIN and Path(argument).is_dir():
                items += _folder(argument, language, excluded, changed)
            else:
                items.append(read_target(argument, language=language))
        except (TargetError, ValueError) as error:  # ValueError: a NUL in the path
            complain(str(error))
    return items


def _folder(
    name: str, language: str | None, excluded: tuple[str, ...], changed: Changed | None
) -> Iterator[Found]:
    paths = files_in(Path(name), excluded=excluded)
    if not paths:
        raise TargetError(
            f"{name} holds no file whose name tells a language, or git ignores it: name the files"
        )
    for path in paths:
        if changed is None or path.resolve() in changed:
            yield Found(name=str(path), language=language)
