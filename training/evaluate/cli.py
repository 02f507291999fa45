"""`starcite eval model`: one table of what models and baselines know, write and repeat."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from indexer.config import data_home
from indexer.console import bars, one_line_errors
from training.evaluate import heldout, tasks
from training.evaluate.answerer import Answerer
from training.evaluate.errors import EvaluateError
from training.evaluate.records import RECORDS, Records
from training.evaluate.rows import Rows, open_rows
from training.evaluate.table import as_json, as_text, cells

LANES = "starcite.lanes"  # how the front door hands in lanes of the language server
_IN_PARALLEL = ("canonical",)  # tasks that only wait for processes of their own


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is measured on how much; equal plans measure the same items."""

    heldout: str
    seed: int
    n_files: int
    n_cursors: int
    n_problems: int
    n_prompts: int
    n_samples: int
    temperatures: tuple[float, ...]


@click.command("model")
@click.argument("names", metavar="[TASK]...", nargs=-1)
@click.option("--model", "models", multiple=True, type=click.Path(path_type=Path))
@click.option("--lane", "lanes", multiple=True, help="copy, MODEL of `starcite model`, copy+MODEL.")
@click.option("--variants", is_flag=True, help="Each model with and without healing and suffix.")
@click.option("--baselines/--no-baselines", default=True, show_default=True)
@click.option("--train", "train", type=click.Path(path_type=Path), help="What baselines learn.")
@click.option("--train-mb", default=20.0, show_default=True, help="How much of it, in MB.")
@click.option("--heldout", "heldout_path", type=click.Path(path_type=Path))
@click.option("--index", "index_path", type=click.Path(path_type=Path), help="For memorization.")
@click.option("--files", default=200, show_default=True, help="Files of `bits`.")
@click.option("--cursors", default=200, show_default=True, help="Places of `lines` and `fim`.")
@click.option("--problems", default=164, show_default=True, help="Problems of HumanEval.")
@click.option("--prompts", default=50, show_default=True, help="Prompts of `memorization`.")
@click.option("--samples", default=1, show_default=True, help="Samples a HumanEval problem.")
@click.option("--temperature", "temperatures", multiple=True, type=float, default=(0.0, 0.8))
@click.option("--seed", default=1, show_default=True)
@click.option("--workers", default=2, show_default=True, help="Sandboxes of `canonical` at a time.")
@click.option("--device", default="cpu", show_default=True, help="Where models run.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder of the raw results.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the table there.")
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    *,
    names: tuple[str, ...],
    heldout_path: Path | None,
    out: Path | None,
    json_path: Path | None,
    workers: int,
    **options: Any,
) -> None:
    """Compare models, lanes and baselines on held-out code, HumanEval and the index.

    TASK is bits, lines, fim, infilling, humaneval, memorization or canonical; by default all but
    the last. Every item's raw figures are kept in the folder of --out, and a run that was
    interrupted goes on from them. Programs that a model writes run in a sandbox; the results say
    how far that isolates. Exit codes: 0 measured, 2 wrong usage, 3 something is missing or
    damaged, 130 interrupted.

    Example: starcite eval model lines fim --model runs/tiny --lane copy --cursors 100
    """
    with one_line_errors():
        chosen = _chosen(names)
        folder = heldout_path or data_home() / "corpus" / "heldout"
        plan = _plan(folder, options)
        target = out or data_home() / "eval" / "results"
        records = Records(target, _settings(plan))
        obj = context.obj if isinstance(context.obj, dict) else {}
        started = time.monotonic()
        with open_rows(options, opened=obj.get(LANES, [None])[0], tasks=chosen) as rows:
            for row, identity in rows.identities.items():
                records.identify(row, identity)
            _measure(chosen, rows, records, Data(plan, options["index_path"]), n_workers=workers)
            isolation = (
                rows.isolation() if {"canonical", "humaneval", "infilling"} & {*chosen} else {}
            )
            about = _about(plan, rows, isolation, started)
        _finish(records, target, json_path, about)


def _measure(
    chosen: Sequence[str], rows: Rows, records: Records, data: Data, *, n_workers: int
) -> None:
    with bars() as progress:
        for task in chosen:
            items = list(_items(task, rows, data))
            tasks.measure_all(
                items,
                records,
                n_workers=n_workers if task in _IN_PARALLEL else 1,
                on_done=partial(progress, task),
            )


class Data:
    """What items are made of, each read when a task first needs it."""

    def __init__(self, plan: Plan, index_path: Path | None) -> None:
        self.plan, self._index_path = plan, index_path
        self._files: list[heldout.HeldoutFile] | None = None

    def files(self) -> list[heldout.HeldoutFile]:
        """The held-out files, in the order in which they were drawn."""
        if self._files is None:
            self._files = heldout.heldout_files(
                Path(self.plan.heldout), n_files=1 << 30, seed=self.plan.seed
            )
        return self._files

    def cursors(self, *, whole_lines: bool, n: int) -> list[heldout.Cursor]:
        """Places in them."""
        draw = heldout.whole_lines if whole_lines else heldout.line_ends
        return draw(self.files(), n=n, seed=self.plan.seed)

    def problems(self) -> list[Any]:
        """Of HumanEval."""
        from training.evaluate.humaneval import load_problems  # noqa: PLC0415

        return load_problems()[: self.plan.n_problems]

    def tracer(self) -> Any:
        """On the index."""
        from training.evaluate.memorization import open_tracer  # noqa: PLC0415

        return open_tracer(self._index_path)


def _items(task: str, rows: Rows, data: Data) -> Iterator[tasks.Item]:
    plan = data.plan
    if task == "canonical":
        yield from tasks.canonical_items(data.problems())
    elif task == "bits":
        for scorer in rows.scorers:
            yield from tasks.bits_items(scorer, data.files()[: plan.n_files])
    elif task == "humaneval":
        problems = data.problems()
        for sampler in rows.samplers:
            yield from tasks.humaneval_items(
                sampler,
                problems,
                temperatures=plan.temperatures,
                n_samples=plan.n_samples,
                seed=plan.seed,
            )
    elif task == "memorization":
        yield from _memory_items(rows, data)
    else:
        for answerer in rows.answerers:
            yield from _fill_items(task, answerer, data)


def _memory_items(rows: Rows, data: Data) -> Iterator[tasks.Item]:
    if not rows.samplers:
        return
    tracer = data.tracer()
    prompts = data.cursors(whole_lines=True, n=data.plan.n_prompts)
    for sampler in rows.samplers:
        yield from tasks.memorization_items(
            sampler,
            tracer,
            prompts,
            temperatures=data.plan.temperatures,
            seed=data.plan.seed,
        )


def _fill_items(task: str, answerer: Answerer, data: Data) -> Iterator[tasks.Item]:
    if task == "infilling":
        from training.evaluate.humaneval import gaps  # noqa: PLC0415

        yield from tasks.infilling_items(answerer, gaps(data.problems()))
        return
    cursors = data.cursors(whole_lines=task == "fim", n=data.plan.n_cursors)
    yield from tasks.completion_items(task, answerer, cursors, one_line=task == "lines")


def _chosen(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in tasks.TASKS]
    if unknown:
        raise click.UsageError(f"no task {unknown[0]!r}; there are {', '.join(tasks.TASKS)}")
    return [name for name in tasks.TASKS if name in names] if names else list(tasks.TASKS[:-1])


def _plan(folder: Path, options: dict[str, Any]) -> Plan:
    plan = Plan(
        heldout=str(folder.absolute()),
        seed=options["seed"],
        n_files=options["files"],
        n_cursors=options["cursors"],
        n_problems=options["problems"],
        n_prompts=options["prompts"],
        n_samples=options["samples"],
        temperatures=tuple(sorted(set(options["temperatures"]))),
    )
    too_small = [
        name
        for name in ("n_files", "n_cursors", "n_problems", "n_prompts", "n_samples")
        if getattr(plan, name) < 1
    ]
    if too_small:
        raise click.UsageError(f"{too_small[0]} is {getattr(plan, too_small[0])}; give 1 or more")
    if any(not 0 <= value <= 10 for value in plan.temperatures):
        raise click.UsageError(f"a temperature is outside 0 to 10: {plan.temperatures}")
    return plan


def _settings(plan: Plan) -> dict[str, Any]:
    """What must be the same for results to stand in one folder; amounts may grow."""
    return {"format": 1, "heldout": plan.heldout, "seed": plan.seed, "n_samples": plan.n_samples}


def _about(plan: Plan, rows: Rows, isolation: dict[str, str], started: float) -> dict[str, Any]:
    about = {**{name: getattr(plan, name) for name in Plan.__dataclass_fields__}}
    about["heldout"] = Path(plan.heldout).name
    return {
        "plan": about,
        "rows": rows.described,
        "identities": rows.identities,
        "sandbox": isolation,
        "seconds": round(time.monotonic() - started, 1),
    }


def _finish(records: Records, target: Path, json_path: Path | None, about: dict[str, Any]) -> None:
    found = cells(records)
    for line in as_text(found):
        click.echo(line)
    for line in (*about["rows"], *(f"{name}: {how}" for name, how in about["sandbox"].items())):
        click.echo(line, err=True)
    click.echo(f"{about['seconds']} s; raw results in {target / RECORDS}", err=True)
    if json_path:
        text = json.dumps({**about, "table": as_json(found)}, indent=1) + "\n"
        try:
            json_path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise EvaluateError(
                f"cannot write {json_path}: {error.strerror}; choose another --json"
            ) from error
