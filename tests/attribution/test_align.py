"""Alignment of lexemes, and the widening of a run over equal raw text."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attribution.align import (
    Extent,
    Lexed,
    Run,
    best_diagonals,
    seed_diagonals,
    shared_runs,
    widened_extent,
)
from indexer.text.lex import lex

SMALL_TEXTS = st.lists(st.integers(0, 3), max_size=40)


def hashes(numbers: list[int]) -> NDArray[np.uint64]:
    return np.array(numbers, dtype=np.uint64)


def lexed(text: str) -> Lexed:
    data = text.encode()
    return Lexed(data=data, lexemes=lex(data, "python"))


def maximal_runs_by_hand(query: list[int], document: list[int], min_length: int) -> set[Run]:
    """Walk every pair of places: slow and obvious."""
    found = set()
    for i in range(len(query)):
        for j in range(len(document)):
            if i and j and query[i - 1] == document[j - 1]:
                continue
            length = 0
            while (
                i + length < len(query)
                and j + length < len(document)
                and query[i + length] == document[j + length]
            ):
                length += 1
            if length >= min_length:
                found.add(Run(i, j, length))
    return found


@given(query=SMALL_TEXTS, document=SMALL_TEXTS, min_length=st.integers(1, 6))
def test_runs_are_all_the_maximal_ones(
    query: list[int], document: list[int], min_length: int
) -> None:
    """On all diagonals together, exactly the maximal equal runs are found, each once."""
    diagonals = np.arange(-len(query), len(document) + 1)

    found = shared_runs(hashes(query), hashes(document), diagonals, min_length=min_length)

    assert sorted(found) == sorted(maximal_runs_by_hand(query, document, min_length))


@given(query=SMALL_TEXTS, document=SMALL_TEXTS, k=st.integers(1, 5))
def test_seeds_lie_on_the_diagonals_of_equal_k_grams(
    query: list[int], document: list[int], k: int
) -> None:
    """Every diagonal with k equal lexemes in a row has a seed, unless one repeats too often."""
    expected = {
        j - i
        for i in range(len(query) - k + 1)
        for j in range(len(document) - k + 1)
        if query[i : i + k] == document[j : j + k]
    }

    found = set(seed_diagonals(hashes(query), hashes(document), k=k).tolist())

    assert found <= expected
    grams = [tuple(document[j : j + k]) for j in range(len(document) - k + 1)]
    if all(grams.count(gram) <= 16 for gram in grams):
        assert found == expected


def test_the_best_supported_diagonals_come_first() -> None:
    """Diagonals are ranked by their number of seeds and cut."""
    assert best_diagonals(np.array([5, 1, 5, 9, 5, 1]), 2).tolist() == [5, 1]


def only_extent(query: str, document: str) -> tuple[str, str]:
    one, other = lexed(query), lexed(document)
    diagonals = np.arange(-len(one.lexemes), len(other.lexemes))
    runs = shared_runs(one.lexemes.hashes, other.lexemes.hashes, diagonals, min_length=4)
    assert len(runs) == 1
    extent = widened_extent(one, other, runs[0])
    assert extent == Extent(*extent)
    return (
        one.data[extent.query_start : extent.query_end].decode(),
        other.data[extent.document_start : extent.document_end].decode(),
    )


def test_equal_comments_and_blank_lines_at_both_ends_belong_to_the_run() -> None:
    """A window that begins with a comment and ends with a blank line is matched whole."""
    window = "# how many\n\nn = len(rows)  # all\n\n"

    assert only_extent(window, "import a\n" + window + "b = 2\n") == (window, window)


def test_a_comment_that_differs_is_left_out_whole() -> None:
    """A run ends at its last lexeme if the comment behind it differs half-way."""
    query = "# a count\nn = len(rows)  # of good rows\n"
    document = "# the count\nn = len(rows)  # of bad rows\n"

    assert only_extent(query, document) == ("n = len(rows)", "n = len(rows)")


def test_widening_stops_at_the_last_equal_line() -> None:
    """Of two comment lines, the equal one next to the code belongs to the run."""
    query = "# mine\n# shared\nn = len(rows)\n# shared\n# mine\n"
    document = "# theirs\n# shared\nn = len(rows)\n# shared\n# theirs\n"
    common = "# shared\nn = len(rows)\n# shared\n"

    assert only_extent(query, document) == (common, common)


def test_different_indentation_is_no_part_of_the_run() -> None:
    """The first line's indentation counts only if it is equal from the start of the line."""
    query = "do\n    n = len(rows)\n"

    assert only_extent(query, "if x:\n        n = len(rows)\n")[0] == "n = len(rows)\n"
    assert only_extent(query, "if x:\n    n = len(rows)\n")[0] == "    n = len(rows)\n"


def test_a_query_that_ends_inside_a_comment_is_matched_to_its_end() -> None:
    """What the query does not have cannot differ."""
    query = "n = len(rows)  # of all the"

    assert only_extent(query, "n = len(rows)  # of all the rows\n") == (query, query)
