"""Tier E3: runs that one renaming makes equal, against an oracle that tries every stretch."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attribution import Tier, Tracer
from attribution.align import Lexed
from attribution.renamed import Shaped, renamed_runs, renaming, shaped
from indexer import lex

WORDS = ("a", "b", "c", "if", "(", ".", "1")
MIN_LENGTH = 3

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=24)


def shaped_words(words: list[str]) -> Shaped:
    data = " ".join(words).encode()
    return shaped(Lexed(data=data, lexemes=lex(data, "python")), "python")


def is_renaming(left: list[str], right: list[str]) -> bool:
    """Whether names pair off one to one and the rest is equal."""
    pairs = set()
    for one, other in zip(left, right, strict=True):
        if one in "abc" and other in "abc":
            pairs.add((one, other))
        elif one != other:
            return False
    return len(pairs) == len({one for one, _ in pairs}) == len({other for _, other in pairs})


def maximal_by_hand(left: list[str], right: list[str]) -> set[tuple[int, int, int]]:
    """Every stretch of every diagonal that is a renaming and cannot grow."""
    found = set()
    for start in range(len(left)):
        for place in range(len(right)):
            limit = min(len(left) - start, len(right) - place)
            for length in range(MIN_LENGTH, limit + 1):
                ends = start + length, place + length
                if not is_renaming(left[start : ends[0]], right[place : ends[1]]):
                    continue
                grows_left = (
                    start > 0
                    and place > 0
                    and is_renaming(left[start - 1 : ends[0]], right[place - 1 : ends[1]])
                )
                grows_right = length < limit and is_renaming(
                    left[start : ends[0] + 1], right[place : ends[1] + 1]
                )
                if not grows_left and not grows_right:
                    found.add((start, place, length))
    return found


@given(left=texts, right=texts)
def test_runs_are_the_maximal_stretches_under_a_bijection(
    left: list[str], right: list[str]
) -> None:
    """All of them are found, and nothing else."""
    diagonals = np.arange(-len(left), len(right) + 1, dtype=np.int64)

    runs = renamed_runs(shaped_words(left), shaped_words(right), diagonals, min_length=MIN_LENGTH)

    assert {tuple(run) for run in runs} == maximal_by_hand(left, right)


def test_the_renaming_is_part_of_the_answer() -> None:
    """Each name of the run with what it is called in the document."""
    ours, theirs = shaped_words(["x", ".", "y", "(", "x"]), shaped_words(["u", ".", "v", "(", "u"])
    run = renamed_runs(ours, theirs, np.zeros(1, dtype=np.int64), min_length=5)[0]

    assert renaming(ours, theirs, run) == ((b"x", b"u"), (b"y", b"v"))


def test_renamed_code_is_traced_with_its_names(tracer: Tracer, texts: dict[str, str]) -> None:
    """A method under new names is E3, and undoing the names gives the source's words."""
    names = {"article": "thing", "articles": "shelf", "quantity": "n", "MAX_ARTICLES": "LIMIT"}
    lines = texts["cart"].splitlines(keepends=True)[20:31]
    query = re.sub(r"\w+", lambda found: names.get(found[0], found[0]), "".join(lines))

    matches = tracer.trace(query).matches

    assert [match.tier for match in matches] == [Tier.E3]
    renames = {one.query: one.source for one in matches[0].renames}
    assert {names[source]: source for source in names} == {
        query: source for query, source in renames.items() if query != source
    }
    assert matches[0].sources[0].origins[0].path == "vendor/cart.py"
