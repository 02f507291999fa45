"""The claim rule, the tiers, and which findings say the same thing."""

from __future__ import annotations

import pytest

from attribution.align import Extent, Run
from attribution.config import TraceConfig
from attribution.judge import Finding, all_hold, exact_reasons, grouped, n_bytes_covered, tier_of
from attribution.notices import is_notice
from attribution.types import Tier

CONFIG = TraceConfig()


@pytest.mark.parametrize(
    ("n_lexemes", "n_distinct_pairs", "n_query_lexemes", "expected"),
    [
        (30, 20, 3000, True),
        (29, 20, 3000, False),
        (17, 16, 34, True),
        (17, 16, 35, False),
        (16, 15, 16, True),
        (5, 4, 5, True),
        (4, 3, 4, False),
        (16, 15, 18, False),
        (500, 9, 500, False),
        (500, 10, 500, True),
    ],
)
def test_the_claim_rule(
    n_lexemes: int, n_distinct_pairs: int, n_query_lexemes: int, *, expected: bool
) -> None:
    """Long runs are claimed, shorter ones if they are half of the query, repetitive ones never."""
    reasons = exact_reasons(
        n_lexemes=n_lexemes,
        n_distinct_pairs=n_distinct_pairs,
        n_query_lexemes=n_query_lexemes,
        config=CONFIG,
    )

    assert all_hold(reasons) == expected


def test_only_equal_bytes_are_verbatim() -> None:
    """One blank more is E2."""
    assert tier_of(b"a = 1", b"a = 1") is Tier.E1
    assert tier_of(b"a = 1", b"a  = 1") is Tier.E2


def finding(document_id: int, start: int, length: int, tier: Tier = Tier.E1) -> Finding:
    extent = Extent(start * 5, (start + length) * 5, 0, length * 5)
    return Finding(
        document_id=document_id,
        run=Run(start, 0, length),
        core=extent,
        extent=extent,
        tier=tier,
    )


def documents(groups: list[list[Finding]]) -> list[list[int]]:
    return [[one.document_id for one in group] for group in groups]


def test_the_longest_run_leads_and_its_holders_follow() -> None:
    """Equal runs are one group: verbatim first, then the lowest document."""
    findings = [finding(4, 0, 40, Tier.E2), finding(3, 0, 40), finding(2, 0, 40), finding(1, 0, 39)]

    assert documents(grouped(findings, n_query_lexemes=50, config=CONFIG)) == [[2, 3, 4]]


def test_an_overlapping_run_must_add_enough() -> None:
    """A run that overlaps a longer one is a match of its own from 17 new lexemes on."""
    findings = [finding(1, 0, 100), finding(2, 80, 37), finding(3, 80, 36)]

    assert documents(grouped(findings, n_query_lexemes=200, config=CONFIG)) == [[1], [2]]
    assert documents(grouped(findings[::2], n_query_lexemes=200, config=CONFIG)) == [[1]]


def test_matches_are_limited() -> None:
    """A text put together from very many pieces names the longest of them."""
    config = TraceConfig(max_matches=2)
    findings = [finding(n, n * 50, 30 + n) for n in range(5)]

    assert documents(grouped(findings, n_query_lexemes=300, config=config)) == [[4], [3]]


def test_covered_bytes_are_counted_once() -> None:
    """Overlapping extents do not count twice."""
    findings = [finding(1, 0, 20), finding(2, 10, 20), finding(3, 12, 3), finding(4, 50, 10)]

    assert n_bytes_covered(findings) == (30 + 10) * 5


def test_a_notice_is_known_however_it_is_wrapped() -> None:
    """Comment marks, wrapping and case do not hide a licence notice."""
    notice = "#  licensed UNDER the\n#  Apache License,\n# Version 2.0 (the 'License'); you may not"

    assert is_notice(notice)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "license",
        "def license_of(name):\n    return LICENSES.get(name, 'provided as is')\n",
        "# Returns the license that applies to the file, or None if no notice was found in it.",
    ],
)
def test_code_about_licences_is_no_notice(text: str) -> None:
    """Words that notices use are no notice."""
    assert not is_notice(text)
