"""Runs git on a work tree that may be anybody's: nothing that it configures is run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from attribution.errors import AttributionFailure

# No file-system monitor of the repository's choice; names as they are.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=off")


class GitError(AttributionFailure):
    """Git cannot say what it was asked."""


def run_git(folder: Path, *arguments: str) -> bytes:
    """What git prints in a folder.

    Raises:
        GitError: git is missing, this is no repository, or git refuses.
    """
    try:
        done = subprocess.run(
            [*_GIT, "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror or error}; install git") from error
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise GitError(f"git {arguments[0]} failed in {folder}: {told[0] if told else 'no reason'}")
    return done.stdout
