"""Curates a corpus into a folder of shards, and goes on where an earlier run was killed.

The steps about one file run first and leave their own shards; the stages read those, and the steps
after the stages leave the shards that stay. Everything lies in `<name>.partial` beside the target
until the manifest is written; then the folder takes the target's place.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from indexer.corpus_digest import CorpusDigest
from indexer.curate.config import CurateConfig
from indexer.curate.errors import CurateError
from indexer.curate.journal import EXCLUDED_NAME, Read, Written, excluded_line, write_shards
from indexer.curate.parallel import apply_all
from indexer.curate.pipeline import DropCount, DropCounts, Dropped, Stage, Step, curate
from indexer.curate.shards import (
    FAST_LEVEL,
    LEVEL,
    MANIFEST_NAME,
    Shard,
    ShardsManifest,
    read_shard,
    write_shards_manifest,
)
from indexer.curate.steps import MakeSteps, make_steps
from indexer.manifest import sync_folder
from indexer.source_file import SourceFile
from indexer.writing import built_by, only_writer

# Goes up when a rule changes what it decides, so that a run never goes on with older outcomes.
RULES_VERSION = 2

_FILTERED, _OUT, _SCRATCH = "filtered", "out", "scratch"
_STAGE_EXCLUDED = f"stages-{EXCLUDED_NAME}"

Progress = Callable[[str, int, int], None]  # what is being done, files so far, in all (0: unknown)


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What is to be curated, how and where to."""

    read: Read  # gives the same files in the same order each time
    folder: Path
    config: CurateConfig = field(default_factory=CurateConfig)
    excluded: Path | None = None  # where to list what was dropped
    n_files: int = 0  # how many files there are, where that is known: for progress only
    n_workers: int = 1
    make_steps: MakeSteps = make_steps
    skipped: Callable[[], Mapping[str, int]] = dict  # what the readers left out in the last pass


def curate_corpus(task: Task, progress: Progress = lambda *_: None) -> ShardsManifest:
    """Curate into `task.folder`, in place of the shards that may be there; say what came of it.

    The same files, configuration and rules give the same shards, byte for byte, whether a run was
    interrupted or not, in whatever number of processes.

    Raises:
        CurateError: nothing is left, another run writes there, the folder holds something else, or
            it cannot be written. What was finished stays for the next run.
    """
    target = task.folder.absolute()
    partial_folder = target.with_name(f"{target.name}.partial")
    with only_writer(target, refuse=CurateError, rival="another run curates into", instead="--to"):
        _refuse_foreign(target)
        try:
            manifest = _Curation(task, partial_folder, progress).run()
            _take_place(partial_folder, target)
        except OSError as error:
            raise CurateError(
                f"cannot write the shards to {target}: {error.strerror or error}; make room or "
                "choose another --to, and run the same command again to go on"
            ) from error
    return manifest


class _Curation:
    def __init__(self, task: Task, folder: Path, progress: Progress) -> None:
        self._task, self._folder, self._progress = task, folder, progress
        self._steps = task.make_steps(task.config, folder / _SCRATCH)
        self._stage_drops = DropCounts()
        self._census = _Census()

    def run(self) -> ShardsManifest:
        self._remove_unfinished()
        before, stages, after = _split(self._steps)
        n_files = self._task.n_files
        filtered = self._write(_FILTERED, self._task.read, before, n_files, is_last=not stages)
        skipped = dict(sorted(self._task.skipped().items()))
        out = filtered
        if stages:
            read = partial(self._sweep, filtered.shards, stages)
            n_files = sum(shard.n_files for shard in filtered.shards)
            out = self._write(_OUT, read, after, n_files, is_last=True)
        if not out.shards:
            raise CurateError("nothing passed all steps; see which with --excluded, and --config")
        final = self._folder / (_OUT if stages else _FILTERED)
        manifest = self._manifest(filtered, out, final, skipped)
        self._list_excluded(filtered, out, stages=bool(stages))
        self._keep_only(final, manifest)
        return manifest

    def _remove_unfinished(self) -> None:
        """Remove what a run left that was killed while it put the parts together."""
        for path in self._folder.glob("*"):
            if path.is_file():
                path.unlink()

    def _write(
        self, name: str, read: Read, steps: Sequence[Step], total: int, *, is_last: bool
    ) -> Written:
        numbers = itertools.count(1)
        written = write_shards(
            self._folder / name,
            read,
            partial(apply_all, steps=steps, n_workers=self._task.n_workers),
            key=self._key(),
            shard_bytes=self._task.config.shard_bytes,
            on_read=lambda _: self._progress(_TITLES[name], next(numbers), total),
            level=LEVEL if is_last else FAST_LEVEL,
            on_write=self._census.add if is_last else lambda _file, _shard: None,
        )
        self._progress(_TITLES[name], total or written.n_read, total)
        return written

    def _key(self) -> str:
        """Equal for runs that make the same of the same files."""
        names = [step.name for step in self._steps]
        said = [RULES_VERSION, built_by(), self._task.config.digest(), names]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _sweep(
        self, shards: Sequence[Shard], stages: Sequence[Stage | Step]
    ) -> Iterator[SourceFile]:
        """What the stages leave of the filtered files; each call starts over."""
        shutil.rmtree(self._folder / _SCRATCH, ignore_errors=True)
        (self._folder / _SCRATCH).mkdir()
        self._stage_drops = DropCounts()
        files = self._counted(shards)
        with (self._folder / _STAGE_EXCLUDED).open("wb") as excluded:

            def on_drop(dropped: Dropped) -> None:
                self._stage_drops(dropped)
                excluded.write(excluded_line(dropped))

            yield from curate(files, stages, on_drop)

    def _counted(self, shards: Sequence[Shard]) -> Iterator[SourceFile]:
        total = sum(shard.n_files for shard in shards)
        numbers = itertools.count(1)
        for shard in shards:
            for file in read_shard(self._folder / _FILTERED, shard):
                self._progress("Comparing files", next(numbers), total)
                yield file

    def _manifest(
        self, filtered: Written, out: Written, final: Path, skipped: Mapping[str, int]
    ) -> ShardsManifest:
        for shard in out.shards:
            if shard.name not in self._census.shards:  # an earlier run has finished it
                for file in read_shard(final, shard):
                    self._census.add(file, shard.name)
        drops = filtered.drops + self._stage_drops.rows()
        if out is not filtered:
            drops = drops + out.drops
        return ShardsManifest(
            corpus_digest=self._census.digest.hexdigest(),
            built_by=built_by(),
            config=asdict(self._task.config),
            config_digest=self._task.config.digest(),
            steps=tuple(step.name for step in self._steps),
            n_read=filtered.n_read,
            n_read_bytes=filtered.n_read_bytes,
            n_files=sum(shard.n_files for shard in out.shards),
            n_bytes=sum(shard.n_bytes for shard in out.shards),
            n_twins=self._census.n_twins,
            drops=self._in_order(drops),
            skipped=skipped,
            shards=tuple(out.shards),
        )

    def _in_order(self, drops: list[DropCount]) -> tuple[DropCount, ...]:
        """By step, and the most frequent reason first."""
        names = [step.name for step in self._steps]
        rows = DropCounts.of(drops).rows()
        return tuple(
            sorted(rows, key=lambda row: (names.index(row.step), -row.n_files, row.reason))
        )

    def _list_excluded(self, filtered: Written, out: Written, *, stages: bool) -> None:
        if self._task.excluded is None:
            return
        parts = [self._folder / _FILTERED / EXCLUDED_NAME]
        if stages:
            parts += [self._folder / _STAGE_EXCLUDED, self._folder / _OUT / EXCLUDED_NAME]
        with self._task.excluded.open("wb") as listed:
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, listed)

    def _keep_only(self, final: Path, manifest: ShardsManifest) -> None:
        """Leave nothing but the shards and, last, their manifest."""
        for shard in manifest.shards:
            (final / shard.name).replace(self._folder / shard.name)
        for name in (_FILTERED, _OUT, _SCRATCH):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        (self._folder / _STAGE_EXCLUDED).unlink(missing_ok=True)
        write_shards_manifest(self._folder, manifest)


class _Census:
    """What the manifest says of all files of some shards."""

    def __init__(self) -> None:
        self.digest = CorpusDigest()
        self.n_twins = 0
        self.shards: set[str] = set()  # which ones

    def add(self, file: SourceFile, shard: str) -> None:
        self.digest.add(file.text, (file.origin, *file.twins))
        self.n_twins += len(file.twins)
        self.shards.add(shard)


_TITLES = {_FILTERED: "Filtering files", _OUT: "Finishing files"}


def _split(
    steps: Sequence[Step | Stage],
) -> tuple[list[Step], Sequence[Step | Stage], list[Step]]:
    """The steps before the first stage, those from there to the last, and those after it."""
    places = [place for place, step in enumerate(steps) if isinstance(step, Stage)]
    first, last = (places[0], places[-1] + 1) if places else (len(steps), len(steps))
    before = [step for step in steps[:first] if isinstance(step, Step)]
    after = [step for step in steps[last:] if isinstance(step, Step)]
    return before, steps[first:last], after


def _refuse_foreign(folder: Path) -> None:
    """Never delete what no run has written."""
    if not folder.exists():
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {""}
    if names and MANIFEST_NAME not in names:
        raise CurateError(f"{folder} exists and holds no shards; choose another --to")


def _take_place(partial_folder: Path, target: Path) -> None:
    replaced = target.with_name(f"{target.name}.replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if target.exists():
        target.rename(replaced)
    partial_folder.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(replaced, ignore_errors=True)
