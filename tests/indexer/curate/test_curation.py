from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.build import build_index
from indexer.curate.config import CurateConfig
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.errors import CurateError
from indexer.curate.parallel import apply_all
from indexer.curate.pipeline import Drop, Step
from indexer.curate.records import dump_record
from indexer.curate.shards import read_shards
from indexer.source_file import SourceFile

SMALL = CurateConfig(shard_bytes=6000)  # about eight shards of the records here


def contents(folder: Path) -> dict[str, str]:
    """The digest of every file of a folder, by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture
def mixed_records(make_record, some_records: list[SourceFile]) -> list[SourceFile]:
    """Good files with some to be dropped by rules, and an exact and a near twin, among them."""
    near = make_record(some_records[3].text + "\nLAST = 1\n", "other/place/near.py", name="zz")
    return [
        *some_records[:10],
        make_record("x" * 2000, "long.py"),
        make_record("x = 1\n", "a.bin"),
        *some_records[10:25],
        make_record(some_records[2].text, "other/place/copy.py", name="zz"),
        near,
        *some_records[25:],
        make_record("x = 2\n", "gpl.py", spdx_id="GPL-3.0-only"),
    ]


def test_a_corpus_becomes_shards_with_counted_drops(
    tmp_path: Path, mixed_records: list[SourceFile], some_records: list[SourceFile]
) -> None:
    """Each dropped file is counted and listed without its text; twins leave their origins."""
    excluded = tmp_path / "excluded.jsonl"
    task = Task(
        read=lambda: iter(mixed_records), folder=tmp_path / "out", config=SMALL, excluded=excluded
    )

    manifest = curate_corpus(task)

    kept = list(read_shards(tmp_path / "out"))
    assert [file.text for file in kept] == [file.text for file in some_records]
    counts = {(row.step, row.reason): row.n_files for row in manifest.drops}
    assert counts == {
        ("language", "unknown extension"): 1,
        ("quality", "line too long"): 1,
        ("licence", "licence not allowed"): 1,
        ("exact-dedup", "exact duplicate"): 1,
        ("near-dedup", "near duplicate"): 1,
    }
    assert [(t.name, t.relation) for t in kept[2].twins] == [("zz", "same")]
    assert [(t.name, t.relation) for t in kept[3].twins] == [("zz", "near")]
    listed = [json.loads(line) for line in excluded.read_text().splitlines()]
    assert {entry["path"] for entry in listed} == {
        "long.py", "a.bin", "gpl.py", "other/place/copy.py", "other/place/near.py"
    }  # fmt: skip
    assert all("text" not in entry for entry in listed)
    assert manifest.n_read == manifest.n_files + sum(counts.values())
    assert len(manifest.shards) > 3


def test_an_index_of_the_shards_has_their_digest(
    tmp_path: Path, mixed_records: list[SourceFile]
) -> None:
    """Shards and an index that is built from them name the same corpus."""
    manifest = curate_corpus(Task(read=lambda: iter(mixed_records), folder=tmp_path / "out"))

    report = build_index(read_shards(tmp_path / "out"), tmp_path / "index")

    assert report.manifest.corpus_digest == manifest.corpus_digest


def test_processes_do_not_change_the_bytes(tmp_path: Path, mixed_records: list[SourceFile]) -> None:
    """One process and two write the same files."""
    for n_workers in (1, 2):
        curate_corpus(
            Task(
                read=lambda: iter(mixed_records),
                folder=tmp_path / str(n_workers),
                config=SMALL,
                n_workers=n_workers,
            )
        )

    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def _mark(file: SourceFile) -> SourceFile | Drop:
    return Drop("odd") if len(file.text) % 2 else file


def test_outcomes_come_in_the_order_of_the_files(make_record) -> None:
    """However many batches and processes, each file has its own outcome in its place."""
    files = [make_record(f"{n:04}" * 90_000 + "x" * (n % 2), f"{n}.py") for n in range(9)]
    steps = [Step("mark", _mark)]

    alone = list(apply_all(files, steps))
    together = list(apply_all(iter(files), steps, n_workers=2))

    assert alone == together


_KILLED = """
import sys
from pathlib import Path
from indexer.curate.config import CurateConfig
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.records import parse_record

records, folder = map(Path, sys.argv[1:3])
stop_after, which = int(sys.argv[3]), sys.argv[4]

def tell(title, n_read, total):
    if title.startswith(which) and n_read == stop_after:
        print("here", flush=True)
        sys.stdin.read()  # until the parent kills us

def main():
    read = lambda: map(parse_record, records.read_bytes().splitlines())
    curate_corpus(Task(read=read, folder=folder, config=CurateConfig(shard_bytes=6000)), tell)

main()
"""


@pytest.mark.parametrize("stop_after", [1, 12, 30])
@pytest.mark.parametrize("phase", ["Filtering", "Finishing"])
def test_a_killed_run_goes_on_to_the_same_bytes(
    tmp_path: Path, mixed_records: list[SourceFile], phase: str, stop_after: int
) -> None:
    """After kill -9 at any point, the next run keeps what is finished; the bytes are the same."""
    records = tmp_path / "records"
    records.write_bytes(b"".join(map(dump_record, mixed_records)))
    arguments = [sys.executable, "-c", _KILLED, records, tmp_path / "out", str(stop_after), phase]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        os.kill(child.pid, signal.SIGKILL)
    assert not (tmp_path / "out").exists()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("shard-*.zst")}

    kept: list[bool] = []

    def watch(title: str, n_read: int, _: int) -> None:
        if title.startswith(phase) and n_read == len(mixed_records) // 2:
            kept.extend(p.exists() and p.stat().st_mtime_ns == t for p, t in before.items())

    task = Task(read=lambda: iter(mixed_records), config=SMALL, folder=tmp_path / "out")
    curate_corpus(task, watch)
    whole = Task(read=lambda: iter(mixed_records), config=SMALL, folder=tmp_path / "whole")
    curate_corpus(whole)

    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert len(kept) == len(before)
    assert all(kept)
    assert len(before) >= (stop_after >= 12)


def test_a_run_over_other_files_starts_where_they_differ(
    tmp_path: Path, mixed_records: list[SourceFile]
) -> None:
    """Finished shards of files that have changed since are made anew."""
    folder = tmp_path / "out"
    stop = _Stop(mixed_records, after=35)
    with pytest.raises(KeyboardInterrupt):
        curate_corpus(Task(read=lambda: iter(stop), folder=folder, config=SMALL))
    assert len(list(tmp_path.rglob("shard-*.zst"))) > 2
    changed = [*mixed_records]
    changed[20], changed[21] = changed[21], changed[20]

    curate_corpus(Task(read=lambda: iter(changed), folder=folder, config=SMALL))
    curate_corpus(Task(read=lambda: iter(changed), folder=tmp_path / "whole", config=SMALL))

    assert contents(folder) == contents(tmp_path / "whole")


def test_another_configuration_starts_anew(tmp_path: Path, mixed_records: list[SourceFile]) -> None:
    """Shards that other thresholds let through are never kept."""
    folder = tmp_path / "out"
    stop = _Stop(mixed_records, after=35)
    with pytest.raises(KeyboardInterrupt):
        curate_corpus(Task(read=lambda: iter(stop), folder=folder, config=SMALL))
    strict = CurateConfig(shard_bytes=6000, max_mean_line_chars=5)

    with pytest.raises(CurateError, match="nothing passed all steps"):
        curate_corpus(Task(read=lambda: iter(mixed_records), folder=folder, config=strict))

    assert list(tmp_path.rglob("shard-*.zst")) == []


def test_new_shards_take_the_place_of_old_ones(
    tmp_path: Path, some_records: list[SourceFile]
) -> None:
    """A folder is replaced whole; nothing of the former set stays."""
    folder = tmp_path / "out"
    curate_corpus(Task(read=lambda: iter(some_records), folder=folder, config=SMALL))

    curate_corpus(Task(read=lambda: iter(some_records[:4]), folder=folder, config=SMALL))

    assert list(read_shards(folder)) == some_records[:4]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["out"]


def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, some_records: list[SourceFile]
) -> None:
    """Nobody loses their files to a wrong --to."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")

    with pytest.raises(CurateError, match="choose another --to"):
        curate_corpus(Task(read=lambda: iter(some_records), folder=tmp_path / "out"))

    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


class _Stop:
    """Files that are interrupted after some of them, as by Ctrl-C."""

    def __init__(self, files: list[SourceFile], *, after: int) -> None:
        self._files, self._after = files, after

    def __iter__(self) -> Iterator[SourceFile]:
        yield from self._files[: self._after]
        raise KeyboardInterrupt
