"""Places in held-out files."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.evaluate.errors import EvaluateError
from training.evaluate.heldout import HeldoutFile, heldout_files, line_ends, whole_lines


def test_a_cursor_and_its_line_are_the_file_again(corpus: Path) -> None:
    """Prefix, expected text and suffix are the file, whitespace at the line's end aside."""
    files = heldout_files(corpus, n_files=8, seed=3)
    texts = [file.text for file in files]
    for cursor in [*line_ends(files, n=8, seed=1), *whole_lines(files, n=8, seed=1)]:
        assert cursor.prefix + cursor.expected + cursor.suffix in texts
        assert cursor.expected.strip() == cursor.expected.rstrip() != "" or cursor.prefix[-1] != " "
        assert "\n" not in cursor.expected


def test_a_whole_line_begins_behind_its_indentation(corpus: Path) -> None:
    """Before the cursor there is nothing but whitespace on its line."""
    files = heldout_files(corpus, n_files=8, seed=3)
    for cursor in whole_lines(files, n=8, seed=2):
        assert cursor.prefix.rpartition("\n")[2].strip() == ""


def test_more_files_begin_with_the_same_ones(corpus: Path) -> None:
    """A larger sample contains the smaller, so that a run can be extended."""
    assert heldout_files(corpus, n_files=8, seed=1)[:3] == heldout_files(corpus, n_files=3, seed=1)


def test_comments_and_long_strings_are_no_code() -> None:
    """What stands in them is marked."""
    text = '"""A doc\nof two lines."""\n# a comment\nvalue = compute(1)\n' * 20
    marked = {
        cursor.expected: cursor.is_code
        for seed in range(60)
        for cursor in whole_lines([HeldoutFile(package="p", path="a", text=text)], n=1, seed=seed)
    }

    assert marked == {
        '"""A doc': False,
        'of two lines."""': False,
        "# a comment": False,
        "value = compute(1)": True,
    }


def test_a_folder_without_a_corpus_is_refused(tmp_path: Path) -> None:
    """The message names the folder and the command that fills it."""
    with pytest.raises(EvaluateError, match="corpus fetch"):
        heldout_files(tmp_path, n_files=1, seed=1)
