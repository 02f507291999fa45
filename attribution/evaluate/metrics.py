"""From judged answers to figures by class, size and system; nothing is pooled over classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from functools import partial
from typing import Any

import numpy as np

from attribution.evaluate.judge import Record
from attribution.evaluate.oracle import MIN_RUN

Figures = dict[str, Any]
GUARANTEED = 17  # lexemes of a window from which a shared fingerprint is certain
_RANKS = (1, 5, 100)
_N_RESAMPLES = 1000
_N_BINS = 15
_EXACT, _NEAR = frozenset({"E0", "E1", "E2"}), frozenset({"E3", "E4"})


def figures(records: Iterable[Record]) -> list[Figures]:
    """One row for each class, size and system, in the order of the records."""
    groups: dict[tuple[str, int, str], list[Record]] = defaultdict(list)
    for record in records:
        groups[record["class"], record["n_lines"], record["system"]].append(record)
    rows = []
    for (name, n_lines, system), group in groups.items():
        measured = unseen_figures(group) if name == "unseen" else found_figures(group)
        rows.append(
            {"class": name, "n_lines": n_lines, "system": system, "n": len(group), **measured}
        )
    return rows


def found_figures(group: Sequence[Record]) -> Figures:
    """Of code that is in the index: who was found, how exactly, under which licence, how fast."""
    long_ones = [one for one in group if one["n_lexemes"] >= GUARANTEED]
    made: Figures = {f"recall_at_{k}": _mean(group, partial(recall, k=k)) for k in _RANKS}
    for k in (1, 5):
        made[f"recall_at_{k}_ci95"] = interval(group, partial(recall, k=k))
    made["mrr"] = _mean(group, _reciprocal)
    made["n_guaranteed"] = len(long_ones)
    made["recall_at_1_guaranteed"] = _mean(long_ones, lambda one: recall(one, 1))
    made["licence_accuracy"] = _share(right for one in group for right in one["licences"])
    matches = [match for one in group for match in one.get("matches", ())]
    if any("matches" in one for one in group):
        ious = [pair for one in group for pair in one.get("iou", ())]
        made["n_matches"] = len(matches)
        made["verified_precision"] = _share(one["is_verified"] for one in matches)
        made["holder_precision"] = _share(one["is_of_holder"] for one in matches)
        made["labelled_common"] = _share(
            first["is_common"]
            for one in group
            if (first := next(iter(one.get("matches", ())), None))
        )
        for name, side in (("iou_query", 0), ("iou_document", 1)):
            values = [pair[side] for pair in ious if pair[side] is not None]
            made[name] = round(float(np.mean(values)), 4) if values else None
    return {**made, **latency(group)}


def unseen_figures(group: Sequence[Record]) -> Figures:
    """Of code that is not in the index: false claims per snippet, by tier where there is one.

    What shares a run of `MIN_RUN` lexemes with the index after all is counted apart.
    """
    screened = [one for one in group if one["shared_run"] < MIN_RUN]
    claimed = [one for one in screened if one["is_claim"]]
    made: Figures = {
        "n_screened": len(screened),
        "n_unplanned": len(group) - len(screened),
        "n_claimed": sum(one["is_claim"] for one in group),
        "n_claimed_screened": len(claimed),
        "false_claims": _mean(screened, lambda one: float(one["is_claim"])),
        "false_claims_ci95": interval(screened, lambda one: float(one["is_claim"])),
    }
    if any("matches" in one for one in group):
        made["false_alarms"] = _mean(screened, _has_alarm)  # common code raises none
        for name, tiers in (("exact", _EXACT), ("near", _NEAR)):
            made[f"{name}_claims"] = _mean(screened, partial(_has_tier, tiers=tiers))
            made[f"{name}_alarms"] = _mean(screened, partial(_has_tier, tiers=tiers, alarm=True))
    seen = sorted({match["tier"] for one in claimed for match in one.get("matches", ())})
    for tier in seen:
        made[f"false_claims_{tier}"] = _mean(screened, partial(_has_tier, tiers={tier}))
    return {**made, **latency(group)}


def calibration(records: Iterable[Record]) -> Figures:
    """How far the stated probabilities are from what came true, on each split by itself.

    Expected calibration error over bins of equal mass (Naeini et al. 2015) and the Brier score. A
    match came true if its first source holds the code that the query was made of; on unseen code
    that shares no run with the index, none does.
    """
    of_split: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for record in records:
        if record["class"] == "unseen" and record["shared_run"] >= MIN_RUN:
            continue
        for match in record.get("matches", ()):
            if match["probability"] is not None:
                of_split[record["split"]].append((match["probability"], match["is_of_holder"]))
    return {split: _calibration(pairs) for split, pairs in sorted(of_split.items())}


def recall(record: Record, k: int) -> float:
    """The part of a query's sources that stand among the first `k` documents named for them."""
    ranks = record["ranks"]
    n_found = sum(rank is not None and rank <= k for rank in ranks)
    return float(n_found / max(1, len(ranks)))


def interval(group: Sequence[Record], value: Callable[[Record], float]) -> list[float] | None:
    """The 95 % bootstrap interval of a mean, resampling owners: files of one owner are alike."""
    if not group:
        return None
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for record in group:
        sums[record["owner"]][0] += value(record)
        sums[record["owner"]][1] += 1
    table = np.array(list(sums.values()))
    rng = np.random.default_rng(0)
    drawn = table[rng.integers(len(table), size=(_N_RESAMPLES, len(table)))].sum(axis=1)
    low, high = np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def latency(group: Sequence[Record]) -> Figures:
    """Percentiles of wall time and of the thread's own processor time, in ms."""
    made = {}
    for name in ("wall_ms", "cpu_ms"):
        values = np.percentile([one[name] for one in group], [50, 95, 99]).round(2).tolist()
        made[name] = dict(zip(("p50", "p95", "p99"), values, strict=True))
    return made


def _calibration(pairs: list[tuple[float, bool]]) -> Figures:
    stated, true = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    order = np.argsort(stated, kind="stable")
    bins = [part for part in np.array_split(order, _N_BINS) if len(part)]
    gaps = [abs(stated[part].mean() - true[part].mean()) * len(part) for part in bins]
    return {
        "n": len(pairs),
        "true": round(float(true.mean()), 4),
        "ece": round(float(sum(gaps)) / len(pairs), 4),
        "brier": round(float(np.mean((stated - true) ** 2)), 4),
    }


def _reciprocal(record: Record) -> float:
    ranks = record["ranks"]
    return float(sum(1 / rank for rank in ranks if rank is not None) / max(1, len(ranks)))


def _has_tier(record: Record, *, tiers: Set[str], alarm: bool = False) -> float:
    return float(
        any(
            match["tier"] in tiers and (match["is_alarm"] or not alarm)
            for match in record.get("matches", ())
        )
    )


def _has_alarm(record: Record) -> float:
    return float(any(match["is_alarm"] for match in record.get("matches", ())))


def _mean(group: Sequence[Record], value: Callable[[Record], float]) -> float | None:
    return round(float(np.mean([value(one) for one in group])), 4) if group else None


def _share(values: Iterable[bool | None]) -> float | None:
    known = [one for one in values if one is not None]
    return round(sum(known) / len(known), 4) if known else None
