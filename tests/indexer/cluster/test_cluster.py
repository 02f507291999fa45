"""The same corpus, curated by one process and by datatrove's tasks."""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from indexer.cluster import PHASES, Executor, Plan, curate_on_cluster, phases
from indexer.curate.config import CurateConfig
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.errors import CurateError
from indexer.curate.pipeline import Stage, Step
from indexer.curate.shards import read_shards, read_shards_manifest
from indexer.curate.steps import make_steps
from indexer.source_file import Origin, SourceFile

CONFIG = CurateConfig(shard_bytes=20_000)


def make_file(text: str, number: int) -> SourceFile:
    origin = Origin(
        source="pypi",
        name=f"pkg{number % 5}",
        version="1.0",
        path=f"src/{'x' * (number % 7)}/mod_{number}.py",
        spdx_id="MIT",
        license_evidence="metadata: MIT; LICENSE: MIT",
    )
    return SourceFile(text=text, language="python", origin=origin)


@pytest.fixture(scope="module")
def inputs() -> list[list[SourceFile]]:
    """Five inputs with exact and near twins across them, one file that a step drops, one empty."""
    rng = random.Random(11)  # noqa: S311 - reproducible test data
    texts = []
    for family in range(12):
        lines = [f"name_{family}_{n} = call_{n}(value_{family}, {n})" for n in range(40)]
        for _ in range(4):
            edited = list(lines)
            edited[rng.randrange(40)] = f"edited_{rng.randrange(2)} = 1"
            texts.append("\n".join(edited) + "\n")
    texts += ["x = 1\n", "y = 2\n", "z = '" + "long " * 400 + "'\n", texts[0], texts[5]]
    files = [make_file(text, number) for number, text in enumerate(texts)]
    rng.shuffle(files)
    return [files[:20], files[20:21], [], files[21:40], files[40:]]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger of opt-outs of whoever runs the tests decides nothing."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))


def plan_of(inputs: list[list[SourceFile]], folder: Path, n_tasks: int) -> Plan:
    return Plan(
        reads=tuple(partial(iter, some) for some in inputs),
        work=folder / "work",
        folder=folder / "cluster",
        n_tasks=n_tasks,
        config=CONFIG,
    )


def read_all(inputs: list[list[SourceFile]]) -> Iterator[SourceFile]:
    return (file for some in inputs for file in some)


def test_local_tasks_and_one_process_give_the_same_shards(
    inputs: list[list[SourceFile]], tmp_path: Path
) -> None:
    """Two tasks of datatrove keep the same records with the same twins, under the same digest."""
    pytest.importorskip("datatrove", reason='needs: pip install "starcite[cluster]"')
    plan = plan_of(inputs, tmp_path, n_tasks=2)

    curate_on_cluster(plan, Executor(kind="local", n_workers=2))
    task = Task(read=partial(read_all, inputs), folder=tmp_path / "plain", config=CONFIG)
    curate_corpus(task)
    plain, cluster = read_shards_manifest(task.folder), read_shards_manifest(plan.folder)

    assert list(read_shards(plan.folder)) == list(read_shards(tmp_path / "plain"))
    assert cluster.corpus_digest == plain.corpus_digest
    assert {(row.step, row.reason, row.n_files, row.n_bytes) for row in cluster.drops} == {
        (row.step, row.reason, row.n_files, row.n_bytes) for row in plain.drops
    }
    assert {row.step for row in plain.drops} >= {"quality", "exact-dedup", "near-dedup"}
    assert replace(cluster, shards=(), drops=()) == replace(plain, shards=(), drops=())
    assert plain.n_twins > 20


@pytest.mark.parametrize("n_tasks", [1, 3, 9])
def test_the_number_of_tasks_decides_nothing(
    n_tasks: int, inputs: list[list[SourceFile]], tmp_path: Path
) -> None:
    """The phases, run one after the other in any number of tasks, end with the same records."""
    plan = plan_of(inputs, tmp_path, n_tasks)
    for phase in PHASES:
        for number in reversed(range(phase.n_tasks(plan))):
            phase.run(plan, number)
            if phase.name != "seal":
                phase.run(plan, number)  # a task that is repeated does no harm
    task = Task(read=partial(read_all, inputs), folder=tmp_path / "plain", config=CONFIG)
    plain = curate_corpus(task)

    assert list(read_shards(plan.folder)) == list(read_shards(tmp_path / "plain"))
    assert read_shards_manifest(plan.folder).corpus_digest == plain.corpus_digest


def test_an_existing_folder_is_refused(inputs: list[list[SourceFile]], tmp_path: Path) -> None:
    """Nothing is submitted that would end in a folder of something else."""
    plan = plan_of(inputs, tmp_path, n_tasks=1)
    plan.folder.mkdir()

    with pytest.raises(CurateError, match="exists; choose another folder"):
        curate_on_cluster(plan, Executor())
    assert not plan.work.exists()


def test_finished_tasks_of_another_plan_are_not_reused(
    inputs: list[list[SourceFile]], tmp_path: Path
) -> None:
    """A plan goes on where it was; one with other inputs or thresholds is refused."""
    pytest.importorskip("datatrove", reason='needs: pip install "starcite[cluster]"')
    plan = plan_of(inputs, tmp_path, n_tasks=1)
    curate_on_cluster(plan, Executor(n_workers=1))
    written = (plan.work / "out-00000" / "written.json").stat().st_mtime_ns
    elsewhere = replace(plan, folder=tmp_path / "again")
    curate_on_cluster(elsewhere, Executor(n_workers=1))
    other = replace(plan, folder=tmp_path / "other")
    changed = (
        replace(other, reads=plan.reads[:-1]),
        replace(other, config=CurateConfig(shard_bytes=30_000)),
        replace(other, n_tasks=2),
    )

    assert list(read_shards(elsewhere.folder)) == list(read_shards(plan.folder))
    assert (plan.work / "out-00000" / "written.json").stat().st_mtime_ns == written
    for one in changed:
        with pytest.raises(CurateError, match="choose another folder"):
            curate_on_cluster(one, Executor(n_workers=1))
    assert not other.folder.exists()


def _with_another_stage(config: CurateConfig, scratch: Path) -> tuple[Step | Stage, ...]:
    return (*make_steps(config, scratch), Stage("shuffle", lambda files, _: iter(list(files))))


def test_a_stage_without_a_phase_is_refused(inputs: list[list[SourceFile]], tmp_path: Path) -> None:
    """A stage that a cluster cannot run is named before anything runs."""
    plan = replace(plan_of(inputs, tmp_path, n_tasks=1), make_steps=_with_another_stage)

    with pytest.raises(CurateError, match="not exact-dedup, near-dedup, shuffle"):
        curate_on_cluster(plan, Executor())


def test_options_that_an_executor_does_not_know_are_refused(
    inputs: list[list[SourceFile]], tmp_path: Path
) -> None:
    """The executor's name and the option are in the message."""
    pytest.importorskip("datatrove", reason='needs: pip install "starcite[cluster]"')
    plan = plan_of(inputs, tmp_path, n_tasks=1)

    with pytest.raises(CurateError, match=r"local executor: .*'partition'"):
        curate_on_cluster(plan, Executor(options={"partition": "cpu"}))


@pytest.mark.parametrize("kind", ["slurm", "ray"])
def test_the_phases_are_chained_on_other_executors(
    kind: str, inputs: list[list[SourceFile]], tmp_path: Path
) -> None:
    """Slurm and Ray get the same phases, each depending on the one before."""
    pytest.importorskip("datatrove", reason='needs: pip install "starcite[cluster]"')
    from indexer.cluster.executors import chain

    options = {"time": "1:00:00", "partition": "cpu"} if kind == "slurm" else {"time": 3600}
    last = chain(plan_of(inputs, tmp_path, 7), Executor(kind=kind, options=options))  # type: ignore[arg-type]

    names = []
    while last is not None:
        names.append((last.pipeline[0].name, last.tasks))
        last = last.depends
    assert names[::-1] == [
        ("filter", 7),
        ("same", 1),
        ("bands", 25),
        ("join", 1),
        ("elect", 7),
        ("near", 1),
        ("write", 7),
        ("seal", 1),
    ]


def test_a_missing_extra_is_named(
    inputs: list[list[SourceFile]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without datatrove the message says what to install."""
    monkeypatch.setitem(sys.modules, "datatrove", None)
    monkeypatch.setitem(sys.modules, "datatrove.executor", None)

    with pytest.raises(CurateError, match=r"pip install \"starcite\[cluster\]\""):
        curate_on_cluster(plan_of(inputs, tmp_path, n_tasks=1), Executor())


def test_a_plan_keeps_the_order_of_its_inputs(
    inputs: list[list[SourceFile]], tmp_path: Path
) -> None:
    """Each input is read by exactly one task, neighbours by the same one."""
    plan = plan_of(inputs, tmp_path, n_tasks=3)
    for number in range(3):
        PHASES[0].run(plan, number)

    counts = [
        json.loads((part / "read.json").read_bytes()).get("n_files", 0) for part in plan.parts()
    ]
    assert sum(counts) == sum(map(len, inputs))


def test_digests_are_merged_in_blocks(tmp_path: Path) -> None:
    """The lines of parts that are longer than a block come out once each, in order."""
    folders = [tmp_path / "a", tmp_path / "b"]
    expected = {f"{number:064x}" for number in range(9_000)}
    for place, folder in enumerate(folders):
        folder.mkdir()
        part = sorted(expected)[place * 3_000 : place * 3_000 + 6_000]
        (folder / "digest-lines").write_text("\n".join(part) + "\n", encoding="ascii")
    digest = hashlib.sha256(b"".join(map(bytes.fromhex, sorted(expected)))).hexdigest()

    assert (folders[0] / "digest-lines").stat().st_size > phases._BLOCK_BYTES
    assert phases._merge_digests(folders) == digest


def test_slurm_is_given_no_blanks(inputs: list[list[SourceFile]], tmp_path: Path) -> None:
    """A folder of work that Slurm could not be told is refused before anything is submitted."""
    plan = replace(plan_of(inputs, tmp_path, 2), work=tmp_path / "my work")
    with pytest.raises(CurateError, match="my work holds a blank"):
        curate_on_cluster(plan, Executor(kind="slurm", options={"time": "1", "partition": "cpu"}))

    assert not plan.work.exists()
