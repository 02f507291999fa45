"""Figures as tables for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attribution.evaluate import metrics
from attribution.evaluate.judge import Record
from attribution.evaluate.metrics import Figures
from attribution.evaluate.oracle import MIN_RUN
from attribution.evaluate.protocol import SCHEMA, SYSTEMS, Plan

_OURS = "starcite"
_SPANNED = ("verbatim", "layout", "comments", "rename_all", "insert", "delete")
# What was set out to be reached, before anything was measured: class, lines, figure, bound.
TARGETS: tuple[tuple[str, int, str, float], ...] = (
    ("verbatim", 3, "recall_at_1", 0.90),
    ("verbatim", 5, "recall_at_1", 0.99),
    ("layout", 10, "recall_at_1", 0.99),
    ("comments", 10, "recall_at_1", 0.99),
    ("insert", 10, "recall_at_1", 0.97),
    ("delete", 10, "recall_at_1", 0.97),
    ("rename_all", 10, "recall_at_5", 0.75),
    *((name, 10, f"iou_{side}", 0.97) for name in _SPANNED for side in ("query", "document")),
    ("boilerplate", 5, "labelled_common", 0.95),
)
# The same of what must not be more.
LIMITS: tuple[tuple[str, int, str, float], ...] = (
    *(("unseen", n_lines, "exact_alarms", 0.001) for n_lines in (3, 5, 10, 20)),
    *(("unseen", n_lines, "near_claims", 0.01) for n_lines in (3, 5, 10, 20)),
)
_NOT_A_RIVAL = {_OURS, "layer_e", "layer_p"}  # a layer is ours, too


def as_json(records: Sequence[Record], plan: Plan, index: dict[str, Any]) -> dict[str, Any]:
    """Every figure, the comparison and each claim on unseen code (without the code)."""
    rows = metrics.figures(records)
    return {
        "schema": SCHEMA,
        "seed": plan.seed,
        "sample": plan.sample,
        "split": plan.split,
        "index": index,
        "figures": rows,
        "calibration": metrics.calibration(records),
        "targets": list(targets(rows)),
        "not_better": list(not_better(rows)),
        "claims_on_unseen": [
            {name: value for name, value in claim.items() if name not in {"claimed", "held"}}
            for claim in claims_on_unseen(records)
        ],
    }


def as_text(records: Sequence[Record], plan: Plan) -> Iterator[str]:
    """The tables, line by line."""
    rows = metrics.figures(records)
    yield (
        f"seed {plan.seed}, {plan.sample} queries of each class and size, owners of {plan.split}"
    )
    yield ""
    yield from _own_table([row for row in rows if row["system"] == _OURS])
    yield ""
    yield from _comparison(rows)
    yield ""
    yield from _unseen_table([row for row in rows if row["class"] == "unseen"])
    for split, measured in metrics.calibration(records).items():
        yield ""
        yield (
            f"probability, owners of {split}: ECE {measured['ece']:.3f}, "
            f"Brier {measured['brier']:.3f}, {measured['n']} matches"
        )
    for claim in claims_on_unseen(records):
        yield ""
        yield from _claim_lines(claim)
    yield ""
    for one in targets(rows):
        word = "reached" if one["is_reached"] else "missed"
        yield (
            f"{word:<8} {one['class']} {one['n_lines']} {one['figure']}: "
            f"{_rate(one['measured'])}, "
            f"{'at most' if one['is_limit'] else 'wanted'} {one['bound']:g}"
        )
    if rivals := {row["system"] for row in rows} - _NOT_A_RIVAL:
        yield ""
        yield from _verdict(list(not_better(rows)), len(rivals))


def _verdict(worse: Sequence[Figures], n_rivals: int) -> Iterator[str]:
    """In which class which baseline is better, or that none is."""
    yield (
        "Baselines that are better:"
        if worse
        else f"In no class measured is one of {n_rivals} baselines better."
    )
    for row in worse:
        yield (
            f"  {row['class']} {row['n_lines']}: {row['system']} {row['metric']} "
            f"{row['theirs']:.3f}, starcite {row['ours']:.3f}"
        )


def targets(rows: Sequence[Figures]) -> Iterator[dict[str, Any]]:
    """Each target whose class was measured, and whether it was reached."""
    ours = {(row["class"], row["n_lines"]): row for row in rows if row["system"] == _OURS}
    for (name, n_lines, figure, bound), sign in [
        *((one, 1) for one in TARGETS),
        *((one, -1) for one in LIMITS),
    ]:
        if (name, n_lines) in ours:
            measured = ours[name, n_lines].get(figure)
            yield {
                "class": name,
                "n_lines": n_lines,
                "figure": figure,
                "bound": bound,
                "is_limit": sign < 0,
                "measured": measured,
                "is_reached": measured is not None and sign * measured >= sign * bound,
            }


def not_better(rows: Sequence[Figures]) -> Iterator[dict[str, Any]]:
    """Where a baseline finds more at rank 1 or claims less on unseen code than the tracer.

    Who answers less claims less falsely, too: read both.
    """
    ours = {(row["class"], row["n_lines"]): row for row in rows if row["system"] == _OURS}
    for row in rows:
        own = ours.get((row["class"], row["n_lines"]))
        if row["system"] in _NOT_A_RIVAL or own is None:
            continue
        metric, sign = ("false_claims", -1) if row["class"] == "unseen" else ("recall_at_1", 1)
        theirs, mine = row[metric], own[metric]
        if theirs is not None and mine is not None and sign * (theirs - mine) > 0:
            yield {
                "class": row["class"],
                "n_lines": row["n_lines"],
                "system": row["system"],
                "metric": metric,
                "theirs": theirs,
                "ours": mine,
            }


def claims_on_unseen(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Each verified match on code that is not in the index, for inspection."""
    for record in records:
        if record["class"] == "unseen":
            for match in record.get("matches", ()):
                yield {
                    "window": record["origin"],
                    "n_lines": record["n_lines"],
                    "shared_run": record["shared_run"],
                    **match,
                }


_COLUMNS = {  # name of a column and its width
    "class": 13,
    "lines": -5,
    "n": -5,
    "recall@1 (95 %)": -22,
    "@5": -7,
    "MRR": -7,
    "≥17 lex": -8,
    "verified": -9,
    "IoU q/d": -13,
    "licence": -8,
    "common": -7,
    "cpu ms p50/p95/p99": -20,
}


def _own_table(rows: Sequence[Figures]) -> Iterator[str]:
    yield _aligned(_COLUMNS)
    for row in rows:
        if row["class"] == "unseen":
            continue
        low, high = row["recall_at_1_ci95"]
        cells = (
            row["class"],
            row["n_lines"],
            row["n"],
            f"{_rate(row['recall_at_1'])} ({low:.3f}-{high:.3f})",
            _rate(row["recall_at_5"]),
            _rate(row["mrr"]),
            _rate(row["recall_at_1_guaranteed"]),
            _rate(row.get("verified_precision")),
            f"{_rate(row.get('iou_query'))}/{_rate(row.get('iou_document'))}",
            _rate(row["licence_accuracy"]),
            _rate(row.get("labelled_common")),
            "/".join(f"{value:.1f}" for value in row["cpu_ms"].values()),
        )
        yield _aligned(cells)


def _aligned(cells: Iterable[Any]) -> str:
    widths = _COLUMNS.values()
    return "".join(
        f"{cell!s:>{-width}}" if width < 0 else f"{cell!s:<{width}}"
        for cell, width in zip(cells, widths, strict=True)
    )


def _comparison(rows: Sequence[Figures]) -> Iterator[str]:
    names = [name for name in SYSTEMS if any(row["system"] == name for row in rows)]
    yield f"{'recall@1':<20}" + "".join(f"{name:>16}" for name in names)
    yield from _by_system([row for row in rows if row["class"] != "unseen"], names, "recall_at_1")
    yield f"{'false claims':<20}" + "".join(f"{name:>16}" for name in names)
    yield from _by_system([row for row in rows if row["class"] == "unseen"], names, "false_claims")


def _by_system(rows: Sequence[Figures], names: Sequence[str], metric: str) -> Iterator[str]:
    table = {(row["class"], row["n_lines"], row["system"]): row[metric] for row in rows}
    for name, n_lines in dict.fromkeys((row["class"], row["n_lines"]) for row in rows):
        cells = (f"{_rate(table.get((name, n_lines, system))):>16}" for system in names)
        yield f"{name:<15}{n_lines:>5}" + "".join(cells)


def _unseen_table(rows: Sequence[Figures]) -> Iterator[str]:
    for row in rows:
        if row["system"] != _OURS:
            continue
        tiers = ", ".join(
            f"{name.removeprefix('false_claims_')} {value:.4f}"
            for name, value in row.items()
            if name.startswith("false_claims_E")
        )
        yield (
            f"unseen, {row['n_lines']} lines: {row['n_claimed_screened']} of {row['n_screened']} "
            f"screened windows claimed ({tiers or 'no tier'}); {row['n_unplanned']} share a run "
            f"with the index after all, claimed in all {row['n_claimed']}"
        )


def _claim_lines(claim: dict[str, Any]) -> Iterator[str]:
    planned = "shares no run" if claim["shared_run"] < MIN_RUN else "a shared run"
    yield (
        f"claim on unseen {claim['window']} ({planned}, {claim['shared_run']} lexemes): "
        f"{claim['tier']}, {claim['n_lexemes']} lexemes, {claim['n_packages']} packages, "
        f"{'verified' if claim['is_verified'] else 'NOT VERIFIED'}: {claim['source']}"
    )
    if claim["shared_run"] < MIN_RUN:
        yield from ("  | " + line for line in str(claim.get("claimed", "")).splitlines())
        yield "  held:"
        yield from ("  | " + line for line in str(claim.get("held", "")).splitlines())


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
