"""Which files of a folder are worth tracing: what git would keep, or what its ignore files leave.

Only files whose name tells a language count. Links are not followed: they lead out of the folder,
or to a file that is listed anyway.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attribution.git import GitError, run_git
from indexer.text.languages import language_of

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_NAME = ".gitignore"
_MAX_IGNORE_BYTES = 1 << 20  # of an ignore file; no longer one is read
_LISTED = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")


def files_in(folder: Path, *, excluded: tuple[str, ...] = ()) -> list[Path]:
    """The files below a folder whose name tells a language, in order of their paths.

    Args:
        folder: in a git work tree, git says what is tracked or not ignored; elsewhere hidden
            folders and what `.gitignore` files name are left out.
        excluded: patterns as in a `.gitignore`, of what to leave out besides.
    """
    unwanted = _spec(excluded)
    try:
        names = run_git(folder, *_LISTED).split(b"\0")
        paths: Iterable[str] = (os.fsdecode(name) for name in names if name)
    except GitError:
        paths = _walked(folder)
    kept = (path for path in paths if language_of(path) and not unwanted.match_file(path))
    return sorted(one for path in kept if _is_plain(one := folder / path))


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _walked(folder: Path) -> Iterator[str]:
    """Paths below a folder, with forward slashes; the nearest ignore file has the last word."""
    ignores: list[tuple[str, GitIgnoreSpec]] = []
    for place, folders, files in os.walk(folder):
        base = "" if Path(place) == folder else Path(place).relative_to(folder).as_posix() + "/"
        ignores = [one for one in ignores if base.startswith(one[0])]
        if IGNORE_NAME in files:
            ignores.append((base, _read_ignore_file(Path(place) / IGNORE_NAME)))
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".") and not _is_ignored(f"{base}{name}/", ignores)
        ]
        yield from (base + name for name in files if not _is_ignored(base + name, ignores))


def _is_ignored(path: str, ignores: list[tuple[str, GitIgnoreSpec]]) -> bool:
    for base, spec in reversed(ignores):
        said = spec.check_file(path[len(base) :]).include
        if said is not None:
            return said
    return False


def _read_ignore_file(path: Path) -> GitIgnoreSpec:
    try:
        with path.open("rb") as file:
            lines = file.read(_MAX_IGNORE_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return _spec(line for line in lines if is_pattern(line))  # as git: no pattern, no match


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only who traces a folder needs it

    return GitIgnoreSpec.from_lines(lines)


def is_pattern(line: str) -> bool:
    """Whether a line can stand in an ignore file."""
    try:
        _spec([line])
    except (ValueError, re.error):
        return False
    return True
