"""The tasks: each turns answerers and data into items, and an item into its raw figures.

bits           bits per byte of held-out files
lines          the rest of a line, from a random place in it
fim            a whole line that was taken out
infilling      the same in HumanEval's canonical solutions, run in the sandbox
humaneval      whole functions, run in the sandbox
memorization   what of the written text stands word for word in the index
canonical      HumanEval's own solutions in the sandbox: what the sandbox is checked by
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import Any

from attribution import Tracer
from training.evaluate.answerer import Answerer, Sampler, Scorer
from training.evaluate.heldout import Cursor, HeldoutFile
from training.evaluate.humaneval import STOP, Gap, Problem
from training.evaluate.memorization import memorized
from training.evaluate.records import Records
from training.evaluate.sandbox import Limits, Outcome, run_program
from training.evaluate.similarity import compare

TASKS = ("bits", "lines", "fim", "infilling", "humaneval", "memorization", "canonical")
_N_FUNCTION_TOKENS = 256
_N_MEMORY_TOKENS = 128
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be measured; `measure` takes the time."""

    task: str
    row: str
    key: str
    measure: Callable[[], Values]


def bits_items(scorer: Scorer, files: Sequence[HeldoutFile]) -> Iterator[Item]:
    """One item a file."""
    for file in files:
        yield Item("bits", scorer.name, f"{file.package}/{file.path}", partial(_bits, scorer, file))


def completion_items(
    task: str, answerer: Answerer, cursors: Sequence[Cursor], *, one_line: bool
) -> Iterator[Item]:
    """One item a cursor."""
    for cursor in cursors:
        yield Item(task, answerer.name, cursor.key, partial(_fill, answerer, cursor, one_line))


def infilling_items(answerer: Answerer, gaps: Sequence[Gap]) -> Iterator[Item]:
    """One item a line; what is not the canonical line is run."""
    for gap in gaps:
        yield Item("infilling", answerer.name, gap.key, partial(_infill, answerer, gap))


def humaneval_items(
    sampler: Sampler,
    problems: Sequence[Problem],
    *,
    temperatures: Sequence[float],
    n_samples: int,
    seed: int,
) -> Iterator[Item]:
    """One item a problem and temperature; one sample is enough at temperature 0."""
    for temperature in temperatures:
        for problem in problems:
            n = n_samples if temperature else 1
            key = f"{problem.task_id} T={temperature:g}"
            yield Item(
                "humaneval",
                sampler.name,
                key,
                partial(_solve, sampler, problem, temperature, n, _seed(key, seed)),
            )


def memorization_items(
    sampler: Sampler,
    tracer: Tracer,
    cursors: Sequence[Cursor],
    *,
    temperatures: Sequence[float],
    seed: int,
) -> Iterator[Item]:
    """One item a prompt and temperature; prompts are held-out files up to a line."""
    for temperature in temperatures:
        for cursor in cursors:
            key = f"{cursor.key} T={temperature:g}"
            yield Item(
                "memorization",
                sampler.name,
                key,
                partial(_remember, sampler, tracer, cursor, temperature, _seed(key, seed)),
            )


def canonical_items(problems: Sequence[Problem]) -> Iterator[Item]:
    """One item a problem."""
    for problem in problems:
        yield Item(
            "canonical", "canonical solutions", problem.task_id, partial(_canonical, problem)
        )


def measure_all(
    items: Sequence[Item],
    records: Records,
    *,
    n_workers: int,
    on_done: Callable[[int, int], None],
) -> None:
    """Measure what is not in the records yet; what is done is kept whatever happens then.

    `on_done` is told how many items are done, and of how many.
    """
    left = [item for item in items if not records.has(item.task, item.row, item.key)]
    n_done = len(items) - len(left)
    with ThreadPoolExecutor(n_workers) as pool:
        try:
            waiting = {pool.submit(item.measure): item for item in left}
            for future in as_completed(waiting):
                item = waiting[future]
                records.add(item.task, item.row, item.key, future.result())
                n_done += 1
                on_done(n_done, len(items))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _bits(scorer: Scorer, file: HeldoutFile) -> Values:
    n_bytes = len(file.text.encode("utf-8", "replace"))
    return {"nats": scorer.nats(file.text), "n_bytes": n_bytes, "package": file.package}


def _fill(answerer: Answerer, cursor: Cursor, one_line: bool) -> Values:
    written = answerer.complete(cursor.prefix, cursor.suffix, one_line=one_line)
    return {**compare(written, cursor.expected), "is_code": float(cursor.is_code)}


def _infill(answerer: Answerer, gap: Gap) -> Values:
    written = answerer.complete(gap.prefix, gap.suffix, one_line=False)
    figures = compare(written, gap.expected)
    lines = [line for line in written.split("\n") if line.strip()]
    first = lines[0].rstrip() if lines else ""
    if first and not first[0].isspace():  # baselines write no indentation
        first = gap.expected[: len(gap.expected) - len(gap.expected.lstrip())] + first
    is_right = first == gap.expected.rstrip()
    outcome = Outcome(status="passed") if is_right else run_program(gap.program(first))
    return {**figures, "passed": float(outcome.status == "passed"), "status": outcome.status}


def _solve(sampler: Sampler, problem: Problem, temperature: float, n: int, seed: int) -> Values:
    outcomes = [
        run_program(
            problem.program(
                sampler.sample(
                    problem.prompt,
                    temperature=temperature,
                    max_tokens=_N_FUNCTION_TOKENS,
                    stop=STOP,
                    seed=seed + number,
                )
            )
        ).status
        for number in range(n)
    ]
    return {
        "temperature": temperature,
        "n": n,
        "n_passed": outcomes.count("passed"),
        "outcomes": {status: outcomes.count(status) for status in sorted(set(outcomes))},
    }


def _remember(
    sampler: Sampler, tracer: Tracer, cursor: Cursor, temperature: float, seed: int
) -> Values:
    text = sampler.sample(
        cursor.prefix,
        temperature=temperature,
        max_tokens=_N_MEMORY_TOKENS,
        stop=(),
        seed=seed,
    )
    return {**memorized(tracer, text), "temperature": temperature}


def _canonical(problem: Problem) -> Values:
    outcome = run_program(problem.program(problem.canonical_solution), Limits())
    return {
        "passed": float(outcome.status == "passed"),
        "detail": outcome.detail,
        "seconds": outcome.seconds,
    }


def _seed(key: str, seed: int) -> int:
    return zlib.crc32(f"{seed} {key}".encode())
