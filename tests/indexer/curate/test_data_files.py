from __future__ import annotations

import pytest

from indexer.curate.config import CurateConfig
from indexer.curate.data_files import check_data_file
from indexer.curate.pipeline import Drop

CONFIG = CurateConfig()


@pytest.mark.parametrize(
    ("n_chars", "reason"),
    [(99, "short data file"), (100, None), (5000, None), (5001, "long data file")],
)
@pytest.mark.parametrize(("path", "language"), [("a.json", "json"), ("a.yml", "yaml")])
def test_data_files_are_of_100_to_5000_characters(
    make_record, n_chars: int, reason: str | None, path: str, language: str
) -> None:
    """Both bounds belong to what stays."""
    outcome = check_data_file(make_record("a" * n_chars, path, language=language), config=CONFIG)

    assert (outcome.reason if isinstance(outcome, Drop) else None) == reason


def test_half_of_a_data_file_are_letters(make_record) -> None:
    """A table of numbers goes, in JSON; digits are no letters."""
    half = make_record("a1" * 100, "a.json", language="json")
    fewer = make_record("a1" * 100 + "2", "a.json", language="json")

    assert check_data_file(half, config=CONFIG) is half
    assert check_data_file(fewer, config=CONFIG) == Drop("data file with few letters", "0.498")


def test_code_is_no_data_file(make_record) -> None:
    """A short Python file stays."""
    file = make_record("x = 1")

    assert check_data_file(file, config=CONFIG) is file
