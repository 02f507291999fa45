"""What a reader asks git: the tree of a commit, its blobs, and when each path was first seen.

Only the object database is read: never the files of the work tree, so a record is what the commit
holds; and nothing that a repository's own configuration could make git run is asked for.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
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
        if len(fields) == 4 and fields[0] in _REGULAR:
            name = path.decode("utf-8", "surrogateescape")
            # A blob that is missing or damaged is listed with "BAD" for a size.
            n_bytes = int(fields[3]) if fields[3].isdigit() else 0
            blobs.append(Blob(fields[2], name, n_bytes))
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


class Objects:
    """Reads blobs by their ids; one `git cat-file` serves them until a damaged object ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def read(self, oid: str) -> bytes | None:
        """The bytes of a blob, or None if it is missing or damaged."""
        data = self._ask(oid)
        if data is None:
            self._stop()  # the next one is asked of a new process, whatever became of this
        return data

    def _ask(self, oid: str) -> bytes | None:
        requests, answers = self._pipes()
        try:
            requests.write(f"{oid}\n".encode())
            requests.flush()
        except OSError:
            return None
        fields = answers.readline().split()
        if len(fields) != 3 or fields[1] != b"blob":
            return None
        n_bytes = int(fields[2])
        data = answers.read(n_bytes + 1)
        return data[:-1] if len(data) == n_bytes + 1 else None

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                _command(self._folder, "cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:  # they are pipes, as asked for
            raise CheckoutError(f"git gives no output for {self._folder}")
        return requests, answers

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was not sent to a dead process
                if pipe is not None:
                    pipe.close()
        process.wait()


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
