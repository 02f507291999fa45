"""Writes shards so that a run that was killed goes on where it was, with the same bytes as output.

After each shard a line of the journal says how many inputs it took and what they were. A later run
reads the inputs again, compares, and skips the work for all that the finished shards hold.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from indexer.curate.pipeline import DropCount, DropCounts, Dropped
from indexer.curate.shards import LEVEL, Shard, ShardFile
from indexer.source_file import SourceFile

JOURNAL_NAME, EXCLUDED_NAME = "journal.jsonl", "excluded.jsonl"

Read = Callable[[], Iterator[SourceFile]]
Process = Callable[[Iterator[SourceFile]], Iterator[SourceFile | Dropped]]  # one for each, in order


@dataclass(kw_only=True, slots=True)
class Written:
    """What has been read and written so far; a line of the journal, too."""

    shards: list[Shard] = field(default_factory=list)
    n_read: int = 0
    n_read_bytes: int = 0
    inputs_sha256: str = ""
    drops: list[DropCount] = field(default_factory=list)
    excluded_bytes: int = 0  # of the file of the excluded


class _InputsChangedError(Exception):
    """The inputs are not those that the finished shards were made from."""

    def __init__(self, n_good: int) -> None:
        super().__init__(f"only {n_good} shards can be kept")
        self.n_good = n_good


def write_shards(
    folder: Path,
    read: Read,
    process: Process,
    *,
    key: str,
    shard_bytes: int,
    level: int = LEVEL,
    on_read: Callable[[SourceFile], None] = lambda _: None,
    on_write: Callable[[SourceFile, str], None] = lambda _file, _shard: None,
) -> Written:
    """Write what `process` makes of the inputs as shards in `folder`; say what came of it.

    `key` stands for all that decides the outcome besides the inputs: shards that were written
    under another key are discarded. Each call of `read` gives the same inputs from the start.
    `on_write` is told of each file that is written now, and the name of its shard; not of those in
    shards that an earlier run has finished.
    """
    points = _load(folder, key)
    while True:
        try:
            return _Run(folder, points, on_read, on_write).go(read(), process, shard_bytes, level)
        except _InputsChangedError as changed:
            points = points[: changed.n_good]
            _store(folder, key, points)


class _Run:
    """One attempt, from the start of the inputs to their end."""

    def __init__(
        self,
        folder: Path,
        points: list[Written],
        on_read: Callable[[SourceFile], None],
        on_write: Callable[[SourceFile, str], None],
    ) -> None:
        self._folder, self._points = folder, points
        self._on_read, self._on_write = on_read, on_write
        self._running = hashlib.sha256()
        self._n_read = self._n_read_bytes = 0
        self._pending: deque[tuple[bytes, int]] = deque()  # read, not yet answered for
        self._drops = DropCounts()
        self._shards: list[Shard] = []

    def go(
        self, inputs: Iterator[SourceFile], process: Process, shard_bytes: int, level: int
    ) -> Written:
        self._skip_finished(inputs)
        _remove_strangers(self._folder, {shard.name for shard in self._shards})
        excluded_path = self._folder / EXCLUDED_NAME
        kept = self._points[-1].excluded_bytes if self._points else 0
        with excluded_path.open("ab") as excluded:
            excluded.truncate(kept)
            self._write(process(self._noted(inputs)), excluded, shard_bytes, level)
            return self._state(excluded)

    def _skip_finished(self, inputs: Iterator[SourceFile]) -> None:
        for position, point in enumerate(self._points):
            for file in itertools.islice(inputs, point.n_read - self._n_read):
                self._take(*_identity(file))
                self._on_read(file)
            if self._running.hexdigest() != point.inputs_sha256 or self._n_read != point.n_read:
                raise _InputsChangedError(position)
        if self._points:
            self._shards = list(self._points[-1].shards)
            self._drops = DropCounts.of(self._points[-1].drops)

    def _noted(self, inputs: Iterator[SourceFile]) -> Iterator[SourceFile]:
        for file in inputs:
            self._pending.append(_identity(file))
            self._on_read(file)
            yield file

    def _take(self, identity: bytes, n_bytes: int) -> None:
        self._running.update(identity)
        self._n_read += 1
        self._n_read_bytes += n_bytes

    def _write(
        self,
        outcomes: Iterator[SourceFile | Dropped],
        excluded: IO[bytes],
        shard_bytes: int,
        level: int,
    ) -> None:
        shard: ShardFile | None = None
        try:
            for outcome in outcomes:
                self._take(*self._pending.popleft())
                if isinstance(outcome, Dropped):
                    self._drops(outcome)
                    excluded.write(excluded_line(outcome))
                    continue
                shard = shard or ShardFile(self._folder, len(self._shards), level=level)
                shard.add(outcome)
                self._on_write(outcome, shard.name)
                if shard.n_bytes >= shard_bytes:
                    self._finish(shard, excluded)
                    shard = None
            if shard is not None:
                self._finish(shard, excluded)
                shard = None
        finally:
            if shard is not None:
                shard.discard()

    def _finish(self, shard: ShardFile, excluded: IO[bytes]) -> None:
        self._shards.append(shard.finish())
        excluded.flush()
        os.fsync(excluded.fileno())
        with (self._folder / JOURNAL_NAME).open("ab") as journal:
            journal.write(_line(self._state(excluded)).encode() + b"\n")
            journal.flush()
            os.fsync(journal.fileno())

    def _state(self, excluded: IO[bytes]) -> Written:
        return Written(
            shards=list(self._shards),
            n_read=self._n_read,
            n_read_bytes=self._n_read_bytes,
            inputs_sha256=self._running.hexdigest(),
            drops=self._drops.rows(),
            excluded_bytes=excluded.tell(),
        )


def excluded_line(dropped: Dropped) -> bytes:
    """What is written of a file that left the corpus: all but its text."""
    file, origin = dropped.file, dropped.file.origin
    record = {
        "step": dropped.step,
        "reason": dropped.drop.reason,
        "detail": dropped.drop.detail,
        "purl": origin.purl,
        "path": origin.path,
        "spdx_id": origin.spdx_id,
        "language": file.language,
        "n_bytes": len(file.text.encode(errors="surrogatepass")),
    }
    return json.dumps(record, sort_keys=True).encode() + b"\n"


def _identity(file: SourceFile) -> tuple[bytes, int]:
    data = file.text.encode(errors="surrogatepass")
    about = repr((file.language, file.kind, file.stars, file.origin, file.twins))
    digest = hashlib.sha256(data)
    digest.update(about.encode(errors="surrogatepass"))
    return digest.digest(), len(data)


def _load(folder: Path, key: str) -> list[Written]:
    """What an earlier run finished under the same key, as far as it is whole on disk."""
    points: list[Written] = []
    try:
        lines = (folder / JOURNAL_NAME).read_bytes().splitlines()
        if lines and json.loads(lines[0]) == {"key": key}:
            for line in lines[1:]:
                points.append(_point(line, points[-1].shards if points else []))
                if not _is_whole(folder, points[-1].shards[-1]):
                    points.pop()
                    break
    except (FileNotFoundError, ValueError, KeyError, TypeError, IndexError):
        pass  # the last line may be half written: what stands before it counts
    if not points:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    _store(folder, key, points)
    return points


def _line(point: Written) -> str:
    """A line names the last shard only: those before it have lines of their own."""
    return json.dumps({**asdict(point), "shards": [asdict(point.shards[-1])]})


def _point(line: bytes, before: list[Shard]) -> Written:
    record = json.loads(line)
    shards = [*before, Shard(**record.pop("shards")[0])]
    drops = [DropCount(**entry) for entry in record.pop("drops")]
    return Written(shards=shards, drops=drops, **record)


def _is_whole(folder: Path, shard: Shard) -> bool:
    try:
        with (folder / shard.name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == shard.sha256
    except FileNotFoundError:
        return False


def _store(folder: Path, key: str, points: list[Written]) -> None:
    lines = [json.dumps({"key": key}), *map(_line, points)]
    partial = folder / f"{JOURNAL_NAME}.partial"
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    partial.replace(folder / JOURNAL_NAME)


def _remove_strangers(folder: Path, shards: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in shards | {JOURNAL_NAME, EXCLUDED_NAME}:
            path.unlink()
