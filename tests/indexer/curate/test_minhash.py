"""Shingles, signatures and bands against sets of strings."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.minhash import (
    N_BANDS,
    N_PERMUTATIONS,
    N_ROWS,
    band_keys,
    estimate,
    jaccard,
    shingles,
    sign,
)

WORDS = st.lists(
    st.sampled_from(["a", "b", "c", "dd", "_e", "f1", "é", "9", "A", "(", ",", "\n"]), max_size=60
)


def oracle_shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[A-Za-z_0-9]+", text)
    return {tuple(words[at : at + 5]) for at in range(len(words) - 4)}


@given(left=WORDS, right=WORDS)
def test_the_jaccard_similarity_is_that_of_the_sets_of_word_5_grams(
    left: list[str], right: list[str]
) -> None:
    """Hashed shingles and sorted arrays give exactly what sets of tuples of words give."""
    ours = jaccard(*(shingles(" ".join(words).encode()) for words in (left, right)))
    one, other = (oracle_shingles(" ".join(words)) for words in (left, right))

    assert ours == (len(one & other) / len(one | other) if one | other else 0.0)


def test_words_are_ascii_and_joined_by_nothing_else() -> None:
    """Punctuation, other alphabets and line ends part words; case and underscores make them."""
    text = "Foo_1.bar(baz)\r\nqüux é a_b Foo_1"

    assert len(shingles(text.encode())) == len(oracle_shingles(text)) == 3
    assert len(shingles(b"a b c d")) == 0
    assert len(shingles(b"a b c d e")) == 1


def test_signatures_are_the_same_in_every_process() -> None:
    """A signature depends on the text and the seed alone: not on hash randomisation."""
    script = (
        "from indexer.curate.minhash import shingles, sign;"
        "print(sign([shingles(b'one two three four five six seven')]).tobytes().hex())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    here = sign([shingles(b"one two three four five six seven")]).tobytes().hex()
    assert runs == {here + "\n"}


def test_a_signature_does_not_depend_on_what_is_signed_with_it() -> None:
    """Signing in batches of any size gives the same rows."""
    sets = [shingles(" ".join(f"w{n * k}" for n in range(9 + k)).encode()) for k in range(1, 7)]

    together = sign(sets)
    alone = np.concatenate([sign([one]) for one in sets])

    np.testing.assert_array_equal(together, alone)
    assert sign([]).shape == (0, N_PERMUTATIONS)


@pytest.mark.parametrize("target", [0.3, 0.7, 0.85, 0.95])
def test_the_estimate_is_as_near_as_250_permutations_allow(target: float) -> None:
    """Over 200 pairs of a known similarity the error is unbiased and as small as theory says."""
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(200):
        n_shared = round(2000 * target)
        both = rng.integers(0, 2**64, size=2000, dtype=np.uint64)
        cut = n_shared + (2000 - n_shared) // 2
        left = np.unique(both[:cut])
        right = np.unique(np.concatenate([both[:n_shared], both[cut:]]))
        rows = sign([left, right])
        errors.append(float(estimate(rows[0], rows[1:])[0]) - jaccard(left, right))
    expected = (target * (1 - target) / N_PERMUTATIONS) ** 0.5

    assert abs(np.mean(errors)) < 4 * expected / len(errors) ** 0.5
    assert np.std(errors) < 1.25 * expected


@given(st.lists(st.integers(0, 3), min_size=N_PERMUTATIONS, max_size=N_PERMUTATIONS))
def test_bands_have_equal_keys_exactly_where_all_rows_are_equal(values: list[int]) -> None:
    """A key stands for its ten rows, in their order, and for nothing else."""
    left = np.array([values], dtype=np.uint32)
    right = left.copy()
    right[0, ::37] ^= 1  # some bands stay, some change in one row
    changed = np.unique(np.arange(0, N_PERMUTATIONS, 37) // N_ROWS)

    differs = np.flatnonzero(band_keys(left)[0] != band_keys(right)[0])

    assert differs.tolist() == changed.tolist()
    assert band_keys(left).shape == (1, N_BANDS)
