"""The phases as datatrove blocks, chained on one of its executors."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from indexer.cluster.phases import PHASES
from indexer.cluster.plan import Plan
from indexer.curate.errors import CurateError

_CLASSES = {
    "local": "LocalPipelineExecutor",
    "slurm": "SlurmPipelineExecutor",
    "ray": "RayPipelineExecutor",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Executor:
    """Where tasks run."""

    kind: Literal["local", "slurm", "ray"] = "local"
    n_workers: int = -1  # tasks at a time; -1 for all of them
    # Whatever datatrove's executor of that kind takes: time, partition, cpus_per_task, …
    options: Mapping[str, Any] = field(default_factory=dict)


def curate_on_cluster(plan: Plan, executor: Executor) -> None:
    """Run all phases; on Slurm submit them and return at once.

    A plan that was interrupted goes on with the tasks that are not done: datatrove keeps a list of
    them under `plan.work`.

    Raises:
        CurateError: the `cluster` extra is not installed, the steps do not fit a cluster, the
            executor refuses its options, or the folder of work is another plan's.
    """
    plan.steps()  # says before anything is submitted if they do not fit
    if plan.folder.exists():
        raise CurateError(f"{plan.folder} exists; choose another folder for the shards")
    if executor.kind == "slurm" and len(str(plan.work).split()) > 1:
        raise CurateError(
            f"{plan.work} holds a blank, which datatrove's batch scripts cannot name to Slurm; "
            "choose another folder for the work"
        )
    last = chain(plan, executor)
    _claim_work(plan)
    last.run()


def _claim_work(plan: Plan) -> None:
    """Never take the finished tasks of another plan for those of this one."""
    path = plan.work / "plan.sha256"
    key = plan.key()
    if path.exists() and path.read_text(encoding="ascii") != key:
        raise CurateError(
            f"{plan.work} holds the work on other inputs, steps or tasks; choose another folder"
        )
    plan.work.mkdir(parents=True, exist_ok=True)
    path.write_text(key, encoding="ascii")


def chain(plan: Plan, executor: Executor) -> Any:
    """The executor of the last phase, which depends on all others."""
    module = _datatrove("datatrove.executor")
    blocks = importlib.import_module("indexer.cluster.blocks")
    last = None
    for phase in PHASES:
        n_tasks = phase.n_tasks(plan)
        n_workers = min(executor.n_workers, n_tasks)
        try:
            last = getattr(module, _CLASSES[executor.kind])(
                pipeline=[blocks.PhaseBlock(phase, plan)],
                tasks=n_tasks,
                workers=n_workers,
                logging_dir=str(plan.work / "logs" / phase.name),
                depends=last,
                # Sealed anew each time: the folder of the shards may have gone or be another.
                skip_completed=phase is not PHASES[-1],
                **_named(executor, phase.name),
            )
        except TypeError as error:
            raise CurateError(f"datatrove's {executor.kind} executor: {error}") from error
    return last


def _named(executor: Executor, name: str) -> dict[str, Any]:
    names = {"job_name": f"starcite-{name}"} if executor.kind == "slurm" else {}
    return names | dict(executor.options)


def _datatrove(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise CurateError(
            f'{error.name} is not installed; run: pip install "starcite[cluster]"'
        ) from error
