"""Figures computed by hand and by the module."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.evaluate import metrics, report
from attribution.evaluate.judge import is_verified, overlap_of, split_of


def record(**changed: Any) -> dict[str, Any]:
    return {
        "key": "verbatim/5/0",
        "system": "starcite",
        "class": "verbatim",
        "n_lines": 5,
        "n_lexemes": 40,
        "owner": "a",
        "split": "test",
        "origin": "a/x.py:1",
        "n_owners": 1,
        "shared_run": 40,
        "is_claim": True,
        "ranks": [1],
        "licences": [True],
        "wall_ms": 2.0,
        "cpu_ms": 1.0,
        **changed,
    }


def match(**changed: Any) -> dict[str, Any]:
    return {
        "tier": "E1",
        "n_lexemes": 40,
        "n_packages": 1,
        "probability": None,
        "is_common": False,
        "is_alarm": True,
        "is_verified": True,
        "is_of_holder": True,
        **changed,
    }


def test_recall_and_reciprocal_rank() -> None:
    """Found first, third, not at all: 1/3 at 1, 2/3 at 5, (1 + 1/3) / 3."""
    records = [record(), record(ranks=[3], licences=[False]), record(ranks=[None], licences=[None])]

    (row,) = metrics.figures(records)

    assert row["recall_at_1"] == pytest.approx(1 / 3, abs=1e-4)
    assert row["recall_at_5"] == pytest.approx(2 / 3, abs=1e-4)
    assert row["mrr"] == pytest.approx(4 / 9, abs=1e-4)
    assert row["licence_accuracy"] == 0.5


def test_each_part_of_a_splice_counts() -> None:
    """One of two sources found is half."""
    assert metrics.recall(record(ranks=[1, None]), 1) == 0.5


def test_classes_sizes_and_systems_are_never_pooled() -> None:
    """Each has a row of its own."""
    rows = metrics.figures(
        [record(), record(n_lines=10), record(**{"class": "insert"}), record(system="bm25")]
    )

    assert [row["n"] for row in rows] == [1, 1, 1, 1]


def test_unseen_code_that_shares_a_run_is_no_false_claim() -> None:
    """Of three windows one shares a run; of the other two one is claimed, near and common."""
    near = match(tier="E4", is_alarm=False, is_common=True, is_of_holder=False)
    unseen = {"class": "unseen", "ranks": [], "licences": []}
    records = [
        record(**unseen, shared_run=20, matches=[match()]),
        record(**unseen, shared_run=14, matches=[near]),
        record(**unseen, shared_run=0, is_claim=False),
    ]

    (row,) = metrics.figures(records)

    assert (row["n_screened"], row["n_unplanned"]) == (2, 1)
    assert row["false_claims"] == 0.5
    assert row["false_claims_E4"] == 0.5
    assert row["false_alarms"] == 0.0
    assert "false_claims_E1" not in row


def test_calibration_error_of_a_known_case() -> None:
    """Ten matches of 0.8, of which six are true: the error is 0.2; the other split has its own."""
    matches = [match(probability=0.8, is_of_holder=n < 6) for n in range(10)]
    sure = record(split="dev", matches=[match(probability=1.0)])

    measured = metrics.calibration([record(matches=matches), sure])

    assert measured["test"]["brier"] == pytest.approx(0.6 * 0.04 + 0.4 * 0.64)
    assert measured["test"]["true"] == 0.6
    assert measured["dev"]["ece"] == 0.0


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_the_interval_holds_the_mean(found: list[bool]) -> None:
    """Resampling owners gives an interval round the mean, within 0 and 1."""
    records = [record(ranks=[1 if one else None], owner=str(n)) for n, one in enumerate(found)]

    low, high = metrics.interval(records, lambda one: metrics.recall(one, 1)) or (2.0, -1.0)

    assert 0 <= low <= sum(found) / len(found) <= high <= 1


def test_overlap_leaves_whitespace_out() -> None:
    """`ab` of `ab cd` is half of it."""
    assert overlap_of("ab cd", [(0, 3)], [(0, 5)]) == 0.5
    assert overlap_of("ab cd", [(0, 5)], [(0, 5)]) == 1.0
    assert overlap_of("ab cd", [], [(0, 5)]) == 0.0
    assert overlap_of("ab cd", [(0, 5)], [(0, 2)], aside=[(3, 5)]) == 1.0
    assert overlap_of("ab cd", [(0, 5)], [(0, 2)], aside=[(4, 5)]) == 0.6667


@pytest.mark.parametrize(
    ("claimed", "held", "tier", "expected"),
    [
        ("a = b + 1\n", "a = b + 1\n", "E1", True),
        ("a = b + 1\n", "a  = b + 1\n", "E1", False),
        ("a = b + 1  # x\n", "a  =  b + 1\n", "E2", True),
        ("a = b + 1\n", "a = c + 1\n", "E2", False),
        ("a = b + a\n", "x = y + x\n", "E3", True),
        ("a = b + a\n", "x = x + x\n", "E3", False),
        ("a = b + a\n", "x = y - x\n", "E3", False),
        ("a = f(b, c, 1)\nd = 2\n", "a = f(b, c, 1)\nx()\nd = 2\n", "E4", True),
        ("a = f(b, c, 1)\n", "while True: pass\n", "E4", False),
    ],
)
def test_a_tier_is_checked_anew(claimed: str, held: str, tier: str, *, expected: bool) -> None:
    """A match is verified only if the two texts are what its tier says."""
    assert is_verified(claimed, held, tier) is expected


def test_owners_stay_in_their_split() -> None:
    """Both splits have owners, and an owner is always in the same one."""
    splits = {name: split_of(name) for name in map(str, range(40))}

    assert set(splits.values()) == {"dev", "test"}
    assert splits == {name: split_of(name) for name in splits}


def test_a_class_in_which_a_baseline_is_better_is_named() -> None:
    """More found by another, or fewer false claims, is said; a tie is not."""
    unseen = {"class": "unseen", "ranks": [], "licences": [], "shared_run": 0}
    records = [
        record(ranks=[None]),
        record(system="bm25"),
        record(system="layer_e"),
        record(n_lines=10),
        record(n_lines=10, system="bm25"),
        record(**unseen),
        record(**unseen, system="exact_65", is_claim=False),
    ]

    worse = list(report.not_better(metrics.figures(records)))

    assert [(row["class"], row["n_lines"], row["system"]) for row in worse] == [
        ("verbatim", 5, "bm25"),
        ("unseen", 5, "exact_65"),
    ]


def test_a_target_is_reached_or_missed() -> None:
    """3 lines found by one in two miss 90 %; what was not measured is not judged."""
    rows = metrics.figures([record(n_lines=3), record(n_lines=3, ranks=[None])])

    (target,) = report.targets(rows)

    assert (target["measured"], target["bound"], target["is_reached"]) == (0.5, 0.9, False)
