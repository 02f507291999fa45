"""Raw results that outlive an interrupted run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluate.errors import EvaluateError
from training.evaluate.records import RECORDS, SETTINGS, Records, read_records
from training.evaluate.tasks import Item, measure_all


def test_a_second_run_measures_only_what_is_left(tmp_path: Path) -> None:
    """An item that was measured is not measured again; one that was interrupted is."""
    asked: list[str] = []

    def measure(key: str) -> dict[str, float]:
        asked.append(key)
        if key == "c" and asked.count("c") == 1:
            raise KeyboardInterrupt
        return {"exact": 1.0}

    items = [Item("lines", "row", key, lambda key=key: measure(key)) for key in "abcd"]
    with pytest.raises(KeyboardInterrupt):
        measure_all(items, Records(tmp_path, {}), n_workers=1, on_done=lambda _done, _of: None)
    n_before = len(list(read_records(tmp_path)))
    told: list[tuple[int, int]] = []

    measure_all(
        items,
        Records(tmp_path, {}),
        n_workers=1,
        on_done=lambda done, of: told.append((done, of)),
    )

    assert sorted(record["item"] for record in read_records(tmp_path)) == ["a", "b", "c", "d"]
    assert told[-1] == (4, 4)
    assert len(told) == 4 - n_before
    assert n_before >= 2
    assert (asked.count("a"), asked.count("b")) == (1, 1)


def test_results_of_other_settings_are_refused(tmp_path: Path) -> None:
    """Figures from different samples never stand in one table."""
    Records(tmp_path, {"seed": 1}).add("lines", "row", "a", {"exact": 1.0})

    with pytest.raises(EvaluateError, match="other settings"):
        Records(tmp_path, {"seed": 2})


@given(tail=st.binary(max_size=60))
def test_a_damaged_line_is_measured_again(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    """Whatever a crash left at the end, what stands before it is kept and can be added to."""
    folder = tmp_path_factory.mktemp("records")
    Records(folder, {}).add("lines", "row", "a", {"exact": 1.0})
    with (folder / RECORDS).open("ab") as file:
        file.write(tail)

    records = Records(folder, {})
    records.add("lines", "row", "b", {"exact": 0.0})

    assert records.has("lines", "row", "a")
    assert [record["item"] for record in read_records(folder)][-1] == "b"


def test_damaged_settings_are_told(tmp_path: Path) -> None:
    """A settings file that is no JSON ends the run in one sentence."""
    Records(tmp_path, {})
    (tmp_path / SETTINGS).write_text("{", encoding="utf-8")

    with pytest.raises(EvaluateError, match="damaged"):
        Records(tmp_path, {})
