"""What a reader asks git: the tree of a commit, its blobs, and when each path was first seen.

Only the object database is read: never the files of the work tree, so a record is what the commit
holds; and nothing that a repository's own configuration could make git run is asked for.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from indexer.corpus.errors import CheckoutError

_SAFE = ("--no-replace-objects", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HEADER = re.compile(rb"\n?\x01(\d+)\x01")
_ADDRESS = re.compile(r"^(?:\w+://(?:[^@/]*@)?|[^@/:]*@?)[^/:]+(?::\d+)?[:/](.+?)(?:\.git)?/?$")
_REGULAR = ("100644", "100755", "100664")  # neither links nor submodules


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of a commit."""

    oid: str
    path: str
    n_bytes: int


def head_of(folder: Path) -> str:
    """The commit that is checked out.

    Raises:
        CheckoutError: it is no git repository, or one without a commit, or git is missing.
    """
    oid = _ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    if not _OID.fullmatch(oid):
        raise CheckoutError(f"{folder} has no commit; commit its files first")
    return oid


def blobs_of(folder: Path, commit: str) -> list[Blob]:
    """The files of a commit by path, without links and submodules."""
    blobs = []
    for entry in _ask(folder, "ls-tree", "-r", "-z", "--long", "--full-tree", commit).split(b"\0"):
        about, _, path = entry.partition(b"\t")
        fields = about.decode("ascii", "replace").split()
        if len(fields) == 4 and fields[0] in _REGULAR and fields[3].isdigit():
            name = path.decode("utf-8", "surrogateescape")
            blobs.append(Blob(fields[2], name, int(fields[3])))
    return sorted(blobs, key=lambda blob: blob.path)


def first_seen(folder: Path, commit: str) -> dict[str, str]:
    """The ISO date of the commit that first added each path; empty for a shallow clone.

    Commit times are counted, not author times. Where history was cut, every path would seem to be
    added by the last commit that is left.
    """
    if _ask(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return {}
    output = _ask(
        folder,
        *("log", "--diff-filter=A", "--name-only", "--no-renames", "-z", "--no-ext-diff"),
        *("--no-textconv", "--no-show-signature", "--format=%x01%ct%x01", commit),
    )
    seen: dict[bytes, int] = {}
    now = 0
    for token in output.split(b"\0"):
        if header := _HEADER.fullmatch(token):
            now = int(header[1])
        elif path := token.removeprefix(b"\n"):
            seen[path] = min(now, seen.get(path, now))
    return {path.decode("utf-8", "surrogateescape"): _date(at) for path, at in seen.items()}


def repository_of(folder: Path) -> str:
    """`owner/name` by the address of the remote `origin`, or nothing."""
    result = _run(folder, "config", "--get", "remote.origin.url")
    found = _ADDRESS.match(result.stdout.decode("utf-8", "replace").strip())
    parts = found[1].split("/") if found else []
    return "/".join(parts[-2:]) if len(parts) >= 2 and all(parts) else ""


@contextlib.contextmanager
def open_objects(folder: Path) -> Iterator[Objects]:
    """One `git cat-file` that gives blobs one by one."""
    command = _command(folder, "cat-file", "--batch")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
    ) as process:
        if process.stdin is None or process.stdout is None:  # they are pipes, as asked for
            raise CheckoutError(f"git gives no output for {folder}")
        try:
            yield Objects(process.stdin, process.stdout)
        finally:
            process.kill()


class Objects:
    """Reads blobs by their ids."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answers = requests, answers

    def read(self, oid: str) -> bytes | None:
        """The bytes of a blob, or None if it is missing or damaged."""
        try:
            self._requests.write(f"{oid}\n".encode())
            self._requests.flush()
        except OSError:  # git ended over a damaged object
            return None
        fields = self._answers.readline().split()
        if len(fields) != 3 or fields[1] != b"blob":
            return None
        n_bytes = int(fields[2])
        data = self._answers.read(n_bytes + 1)
        return data[:-1] if len(data) == n_bytes + 1 else None


def _date(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):  # commits may claim any time
        return ""


def _ask(folder: Path, *arguments: str) -> bytes:
    result = _run(folder, *arguments)
    if result.returncode:
        said = result.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0] if said else f"git {arguments[0]} failed"
        raise CheckoutError(f"cannot read the git repository {folder}: {reason}")
    return result.stdout


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            _command(folder, *arguments), capture_output=True, check=False, env=_environment()
        )
    except FileNotFoundError as error:
        raise CheckoutError(f"git is needed to read {folder}; install it") from error


def _command(folder: Path, *arguments: str) -> list[str]:
    return ["git", *_SAFE, "-C", str(folder), *arguments]


def _environment() -> dict[str, str]:
    """This process's, without what points git at another repository or lets it fetch."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
