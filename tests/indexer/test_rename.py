"""View P against an oracle that numbers names by hand and compares every pair of k-grams."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from indexer.text.keywords import keywords_of
from indexer.text.lex import lex
from indexer.text.rename import P_K, P_W, renamed_gram_hashes, winnow_renamed

K, W = 5, 3
KEYWORDS = {word.decode() for word in keywords_of("python")}
WORDS = ("a", "b", "c", "d", "if", "return", "(", ")", ".", "=", "7", "12")

Shape = tuple[str, ...]


def shape_by_hand(words: list[str]) -> Shape:
    """Names numbered by first occurrence in these words; numbers all alike."""
    numbers: dict[str, str] = {}
    shape = []
    for word in words:
        if word[0].isdigit():
            shape.append("0")
        elif re.match(r"\w", word) and word not in KEYWORDS:
            shape.append(numbers.setdefault(word, f"v{len(numbers) + 1}"))
        else:
            shape.append(word)
    return tuple(shape)


def shapes(words: list[str], k: int) -> list[Shape]:
    return [shape_by_hand(words[at : at + k]) for at in range(len(words) - k + 1)]


def grams(words: list[str], k: int) -> list[int]:
    data = " ".join(words).encode()
    return renamed_gram_hashes(data, lex(data, "python"), "python", k=k).tolist()


def values(words: list[str], k: int, w: int) -> set[int]:
    data = " ".join(words).encode()
    return set(winnow_renamed(data, lex(data, "python"), "python", k=k, w=w).values.tolist())


texts = st.lists(st.sampled_from(WORDS), max_size=60)


@given(left=texts, right=texts)
def test_grams_are_equal_where_their_numbered_names_are(left: list[str], right: list[str]) -> None:
    """Two k-grams have one hash if and only if they are equal once names are numbered."""
    by_hand = [(one, other) for one in shapes(left, K) for other in shapes(right, K)]
    hashed = [(one, other) for one in grams(left, K) for other in grams(right, K)]

    assert [a == b for a, b in by_hand] == [a == b for a, b in hashed]


@given(
    before=texts,
    after=texts,
    run=st.lists(st.sampled_from(WORDS), min_size=K + W - 1, max_size=60),
    renaming=st.permutations(["a", "b", "c", "d", "x", "y"]),
)
def test_every_renamed_run_of_the_guaranteed_length_shares_a_fingerprint(
    before: list[str], after: list[str], run: list[str], renaming: list[str]
) -> None:
    """A run of k + w - 1 lexemes under any consistent renaming, in any surroundings, is found."""
    new_names = dict(zip("abcd", renaming, strict=False))
    renamed = [new_names.get(word, word) for word in run]

    assert values(before + run, K, W) & values(renamed + after, K, W)


def test_a_renaming_that_merges_two_names_is_none() -> None:
    """`x = y` is not `x = x`, and a keyword is never a name."""
    assert grams(["x", "=", "y", "+", "1"], K) == grams(["u", "=", "v", "+", "2"], K)
    assert grams(["x", "=", "y", "+", "1"], K) != grams(["x", "=", "x", "+", "1"], K)
    assert grams(["if", "=", "y", "+", "1"], K) != grams(["x", "=", "y", "+", "1"], K)


@given(st.binary(max_size=300))
def test_any_bytes_have_as_many_grams_as_lexemes_allow(data: bytes) -> None:
    """No input is refused."""
    lexemes = lex(data, "python")

    assert len(renamed_gram_hashes(data, lexemes, "python")) == max(0, len(lexemes) - P_K + 1)
    assert len(winnow_renamed(data, lexemes, "none", k=P_K, w=P_W)) <= max(1, len(lexemes))
