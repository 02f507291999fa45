"""Raw records to one table: a block a task, a line an answerer, 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.evaluate.intervals import Estimate, mean, pass_at_k, ratio
from training.evaluate.records import Record
from training.evaluate.tasks import TASKS

KS = (1, 10, 100)
BY_PACKAGE = "bits by package"  # its lines are packages and its columns are answerers


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure; shares are from 0 to 1, bits are bits per byte."""

    task: str
    row: str
    column: str
    estimate: Estimate

    @property
    def is_share(self) -> bool:
        """Whether it is shown in percent."""
        return self.task not in {"bits", BY_PACKAGE}


def cells(records: Iterable[Record]) -> list[Cell]:
    """Every figure of the table, in the order of the tasks; rows as they came."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        if record["task"] in TASKS:
            groups.setdefault((record["task"], record["row"]), []).append(record["values"])
    ordered = sorted(groups.items(), key=lambda group: TASKS.index(group[0][0]))
    found = [
        Cell(task, row, column, estimate)
        for (task, row), values in ordered
        for column, estimate in _columns(task, values).items()
    ]
    by_package = [
        Cell(BY_PACKAGE, package, row, estimate)
        for (task, row), values in ordered
        if task == "bits"
        for package, estimate in _by_package(values).items()
    ]
    return [*found, *by_package]


def as_json(found: Sequence[Cell]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "task": cell.task,
            "row": cell.row,
            "column": cell.column,
            **{key: _rounded(value) for key, value in asdict(cell.estimate).items()},
        }
        for cell in found
    ]


def as_text(found: Sequence[Cell]) -> list[str]:
    """The lines of the table for people."""
    lines: list[str] = []
    for task in dict.fromkeys(cell.task for cell in found):
        block = [cell for cell in found if cell.task == task]
        columns = list(dict.fromkeys(cell.column for cell in block))
        rows = list(dict.fromkeys(cell.row for cell in block))
        n_items = max(cell.estimate.n for cell in block)
        shown = {(cell.row, cell.column): _shown(cell) for cell in block}
        table = [[f"{task} (n = {n_items:,})", *columns]]
        table += [[row, *(shown.get((row, column), "-") for column in columns)] for row in rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
            for line in table
        ]
        lines.append("")
    return lines[:-1]


def _columns(task: str, values: list[dict[str, Any]]) -> dict[str, Estimate]:
    if task == "bits":
        return {"bits/byte": _bits(values)}
    if task == "humaneval":
        return _passes(values)
    if task == "memorization":
        return _memorized(values)
    names = [name for name in ("exact", "first_line", "similarity", "passed") if name in values[0]]
    columns = {name: mean([one[name] for one in values]) for name in names}
    code = [one["first_line"] for one in values if one.get("is_code")]
    return columns | ({"first_line, code": mean(code)} if code else {})


def _bits(values: list[dict[str, Any]]) -> Estimate:
    bits = [one["nats"] / math.log(2) for one in values]
    return ratio(bits, [one["n_bytes"] for one in values])


def _by_package(values: list[dict[str, Any]]) -> dict[str, Estimate]:
    packages = sorted({one["package"] for one in values})
    return {name: _bits([one for one in values if one["package"] == name]) for name in packages}


def _passes(values: list[dict[str, Any]]) -> dict[str, Estimate]:
    columns = {}
    for temperature in sorted({one["temperature"] for one in values}):
        chosen = [one for one in values if one["temperature"] == temperature]
        for k in KS:
            if all(k <= one["n"] for one in chosen):
                chances = [pass_at_k(one["n"], one["n_passed"], k) for one in chosen]
                columns[f"pass@{k} T={temperature:g}"] = mean(chances)
    return columns


def _memorized(values: list[dict[str, Any]]) -> dict[str, Estimate]:
    columns = {}
    for temperature in sorted({one["temperature"] for one in values}):
        chosen = [one for one in values if one["temperature"] == temperature]
        columns[f"lines T={temperature:g}"] = ratio(
            [one["n_found_lines"] for one in chosen], [one["n_lines"] for one in chosen]
        )
        columns[f"texts T={temperature:g}"] = mean([one["has_run"] for one in chosen])
    return columns


def _shown(cell: Cell) -> str:
    estimate = cell.estimate
    scale, digits = (100, 1) if cell.is_share else (1, 3)
    numbers = (estimate.value, estimate.low, estimate.high)
    value, low, high = (f"{number * scale:.{digits}f}" for number in numbers)
    return value if math.isnan(estimate.low) else f"{value} ({low}-{high})"


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 5)
