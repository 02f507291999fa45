"""Commits become the lines around a change, before and after it, with the subject."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.corpus.commits import CONTEXT_LINES, changed_range, commit_of, window
from indexer.corpus.filters import SkipReason
from indexer.corpus.parts import split_parts
from indexer.corpus.rows import Left
from indexer.source_file import SourceFile

_LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n"]), max_size=12)
_SUBJECT = "Count from zero in every table"


def _row(change: tuple[int, int] = (100, 110), n_lines: int = 300, **fields: Any) -> dict[str, Any]:
    before = [f"line {n}\n" for n in range(n_lines)]
    after = [f"new {n}\n" if change[0] <= n < change[1] else line for n, line in enumerate(before)]
    return {
        "old_contents": "".join(before),
        "new_contents": "".join(after),
        "subject": _SUBJECT,
        "new_file": "a.py",
        "repo": "ann/tools",
        "commit": "c0ffee",
        **fields,
    }


def _parts(row: dict[str, Any]) -> dict[str, str]:
    found = commit_of(row, stem="commits")
    assert isinstance(found, SourceFile), found
    return dict(split_parts(found.text))


def _reason(row: dict[str, Any]) -> SkipReason | None:
    found = commit_of(row, stem="commits")
    return found.reason if isinstance(found, Left) else None


@given(before=_LINES, after=_LINES)
def test_range_against_a_slow_search(before: list[str], after: list[str]) -> None:
    """Outside of the range both files are equal, and no smaller range has that."""
    found = changed_range(before, after)

    def is_outside_equal(start: int, n_same: int) -> bool:
        ends = (before[len(before) - n_same :], after[len(after) - n_same :])
        return before[:start] == after[:start] and ends[0] == ends[1]

    n_same = len(before) - found.end_before
    assert n_same == len(after) - found.end_after
    assert is_outside_equal(found.start, n_same)
    shorter = min(len(before), len(after))
    longest = max(n for n in range(shorter + 1) if before[:n] == after[:n])
    assert found.start == longest
    if found.start + n_same < shorter:
        assert not is_outside_equal(found.start, n_same + 1)


@given(before=_LINES, after=_LINES, above=st.integers(0, 15), below=st.integers(0, 15))
def test_window_keeps_the_change(
    before: list[str], after: list[str], above: int, below: int
) -> None:
    """A window put back between the lines around it gives the file before and the file after."""
    changed = changed_range(before, after)
    old, new = window(before, after, changed, above=above, below=below)
    start = max(changed.start - above, 0)

    assert before == before[:start] + old + before[changed.end_before + below :]
    assert after == before[:start] + new + after[changed.end_after + below :]


def test_window_starts_near_the_change() -> None:
    """The window does not begin at the file's first line, wherever the change is."""
    starts = set()
    for n in range(200):
        before = _parts(_row(commit=f"c{n}"))["before"]
        if before.count("\n") < 300:
            starts.add(int(before.split("\n", 1)[0].split()[1]))

    assert min(starts) >= 100 - (CONTEXT_LINES - 1)
    assert max(starts) == 100
    assert len(starts) > 25


def test_share_of_whole_files() -> None:
    """A fifth of the commits show the whole file."""
    n_whole = sum(_parts(_row(commit=f"c{n}"))["before"].count("\n") == 300 for n in range(1000))

    assert 160 < n_whole < 240


def test_same_commit_same_record() -> None:
    """What is left to chance depends on the commit only."""
    assert commit_of(_row(), stem="a") == commit_of(_row(), stem="a")
    assert len({commit_of(_row(commit=f"c{n}"), stem="a") for n in range(20)}) == 20


@pytest.mark.parametrize(("change", "n_lines"), [((100, 102), 300), ((0, 200), 300)])
def test_small_and_large_ranges_are_sampled(change: tuple[int, int], n_lines: int) -> None:
    """One in ten changes of two lines and less, or of two hundred and more, stays."""
    reasons = [_reason(_row(change, n_lines, commit=f"c{n}")) for n in range(1000)]

    assert {SkipReason.SAMPLED, None} == set(reasons)
    assert 65 < reasons.count(None) < 140


@pytest.mark.parametrize("change", [(100, 103), (0, 199)])
def test_ranges_between_all_stay(change: tuple[int, int]) -> None:
    """Changes of three to 199 lines stay."""
    assert {_reason(_row(change, commit=f"c{n}")) for n in range(50)} == {None}


def test_short_subjects_are_sampled() -> None:
    """Half of the commits with fewer than five words in their subject stay."""
    reasons = [_reason(_row(subject="Count from zero", commit=f"c{n}")) for n in range(1000)]

    assert 430 < reasons.count(None) < 570


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"subject": ""}, SkipReason.MESSAGE),
        ({"subject": "  \n"}, SkipReason.MESSAGE),
        ({"subject": "Initial commit"}, SkipReason.MESSAGE),
        ({"subject": "v1.2.3"}, SkipReason.MESSAGE),
        ({"subject": "An auto commit by the machine today"}, SkipReason.MESSAGE),
        ({"subject": "Update contributing guide for new people"}, SkipReason.MESSAGE),
        ({"subject": "<?xml version='1.0' and so on"}, SkipReason.MESSAGE),
        ({"subject": "x" * 105 + " a b c d"}, SkipReason.MESSAGE),
        ({"subject": 7}, SkipReason.WRONG_TYPE),
        ({"new_contents": ["x"]}, SkipReason.WRONG_TYPE),
        ({"new_contents": "\ud800"}, SkipReason.UNDECODABLE),
        ({"new_contents": "a\0"}, SkipReason.BINARY),
        ({"new_contents": "x = 1\n" * 20_000}, SkipReason.TOO_LARGE),
        ({"new_file": "vendor/a.py"}, SkipReason.VENDORED),
        ({"new_file": "a\n.py"}, SkipReason.NOT_SOURCE),
        ({"new_file": "a.bin"}, SkipReason.NOT_SOURCE),
        ({"new_contents": _row()["old_contents"]}, SkipReason.UNCHANGED),
    ],
)
def test_what_is_left_out(fields: dict[str, Any], reason: SkipReason) -> None:
    """A commit that says or changes nothing, or is no text, is left out with a reason."""
    assert reason == _reason(_row(**fields))


def test_message_with_a_body() -> None:
    """The first line of a message is the subject; of several repositories the first counts."""
    row = {**_row(), "subject": None, "message": f"{_SUBJECT}\n\nMore text."}
    row = {**row, "repo": None, "repos": "ann/tools,bob/fork"}
    found = commit_of(row, stem="commits")

    assert isinstance(found, SourceFile)
    assert dict(split_parts(found.text))["message"] == _SUBJECT
    assert (found.kind, found.origin.owner, found.language) == ("commit", "ann", "python")
