"""Which lines of which files git says were added or changed since a revision."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from attribution.git import GitError, run_git

_HUNK = re.compile(rb"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
# No external diff or filter of the repository's choice.
_DIFF = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--no-color",
    "--no-relative",
    "--ignore-submodules",
    "--diff-filter=AM",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)

Lines = list[tuple[int, int]]  # half-open ranges, from 0


def changed_lines(revision: str, *, folder: Path) -> dict[Path, Lines]:
    """The added and changed lines of tracked files in the work tree that `folder` lies in.

    `REV...` means the commit at which this branch left REV.

    Raises:
        GitError: git is missing, this is no repository, or there is no such revision.
    """
    top = Path(run_git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n"))
    commit = _commit(top, revision)
    names = [
        name for name in run_git(top, *_DIFF, "--name-only", "-z", commit).split(b"\0") if name
    ]
    ranges = _hunks(run_git(top, *_DIFF, "--unified=0", commit).split(b"\n"))
    if len(names) != len(ranges):
        raise GitError(f"git's answers about {revision} differ: the files were being changed")
    paths = (top / name.decode("utf-8", "surrogateescape") for name in names)
    return {path: lines for path, lines in zip(paths, ranges, strict=True) if lines}


def touches(lines: Iterable[tuple[int, int]], start: int, end: int) -> bool:
    """Whether any of the lines lies in [start, end)."""
    return any(first < end and last > start for first, last in lines)


def _commit(top: Path, revision: str) -> str:
    name = revision.removesuffix("...")
    try:
        verified = run_git(top, "rev-parse", "--verify", "--quiet", "--end-of-options",
                        f"{name}^{{commit}}")  # fmt: skip
    except GitError as error:
        raise GitError(f"there is no revision {name!r} in {top}; see: git branch --all") from error
    commit = verified.decode().strip()
    if name == revision:
        return commit
    return run_git(top, "merge-base", commit, "HEAD").decode().strip()


def _hunks(patch: Iterable[bytes]) -> list[Lines]:
    """One list for each file; with no context, every line of content begins with a sign."""
    found: list[Lines] = []
    for line in patch:
        if line.startswith(b"diff --git "):
            found.append([])
        elif hunk := _HUNK.match(line):
            first, n_lines = int(hunk[1]), int(hunk[2] or 1)
            if n_lines and found:
                found[-1].append((first - 1, first - 1 + n_lines))
    return found
