"""Infilling: exactly invertible, as often as asked, and never at the cost of the middle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from lsp_server.prompt import FAMILIES, build_prompt
from training.config import DataConfig
from training.fim import END, MIDDLE, PAD, PREFIX, SUFFIX, join, permute, psm, split, spm
from training.tokenizer import train_tokenizer

TOKENIZER = train_tokenizer(
    ["def f(x):\n    return x + 1\n", "größer = ['naïve', '你好']\n"] * 3, 330
)
PLACES = st.tuples(*[st.floats(0, 1, exclude_max=True)] * 2)


@given(text=st.text(), places=PLACES)
def test_a_split_comes_back(text: str, places: tuple[float, float]) -> None:
    """Prefix, middle and suffix, joined, are the text that was cut."""
    assert join(psm(split(text, places, TOKENIZER)), TOKENIZER) == text


@given(text=st.text(alphabet="ab(){}\n ", max_size=60), places=PLACES)
def test_both_layouts_hold_the_same_parts(text: str, places: tuple[float, float]) -> None:
    """SPM is PSM in another order: one prefix, one suffix, one middle, one end."""
    parts = split(text, places, TOKENIZER)

    assert sorted(psm(parts)) == sorted(spm(parts))
    assert [psm(parts).count(one) for one in (PREFIX, SUFFIX, MIDDLE, END)] == [1, 1, 1, 1]


@pytest.mark.parametrize("layout", ["psm", "spm"])
def test_training_prompts_begin_with_what_the_server_sends(layout: str) -> None:
    """Up to its middle, a training document is the language server's prompt, token for token."""
    prefix, middle, suffix = "def f(x):\n    ", "return x", "\n\nf(1)\n"
    text = prefix + middle + suffix
    places = (len(prefix) / (len(text) + 1), len(prefix + middle) / (len(text) + 1))
    parts = split(text, places, TOKENIZER)
    trained = (psm if layout == "psm" else spm)(parts)
    sent = TOKENIZER.encode(build_prompt(FAMILIES["starcoder"], prefix, suffix, layout)).ids  # type: ignore[arg-type]

    assert trained[: len(sent)] == sent
    assert trained[len(sent) :] == [*parts.middle, END]


def _documents(n: int) -> np.ndarray:
    body = "    x = [x, x]\n" * 6
    text = "".join(f"def f{k}(x):\n{body}    return x + {k}\n<|endoftext|>" for k in range(n))
    return np.asarray(TOKENIZER.encode(text).ids, dtype=np.uint16)


def test_half_is_permuted_and_half_of_that_has_the_suffix_first() -> None:
    """Over 20,000 documents the shares are 50 ± 1 % and 50 ± 2 %."""
    config = DataConfig(fim_overflow="middle")  # which leaves every prefix as it was cut
    documents = _documents(21_000)
    ids = permute(documents, TOKENIZER, np.random.default_rng(5), config)
    ids = ids[: np.flatnonzero(ids == END)[19_999]]
    n_permuted = int(np.count_nonzero(ids == PREFIX))
    n_spm = int(np.count_nonzero((ids[:-1] == PREFIX) & (ids[1:] == SUFFIX)))

    assert abs(n_permuted / 20_000 - 0.5) < 0.01
    assert abs(n_spm / n_permuted - 0.5) < 0.02  # an empty prefix looks like SPM, too


@given(seed=st.integers(0, 2**32), length=st.integers(40, 200))
def test_no_middle_is_cut_where_the_prefix_gives_room(seed: int, length: int) -> None:
    """Each middle is whole and has its end; only prefixes and suffixes lose."""
    ids = _documents(8)[:length]
    sample = permute(ids, TOKENIZER, np.random.default_rng(seed), DataConfig(fim_rate=1.0)).tolist()

    assert len(sample) == length
    middles = [place for place, number in enumerate(sample) if number == MIDDLE]
    ends = [place for place, number in enumerate(sample) if number == END]
    assert all(any(end > middle for end in ends) for middle in middles)
    assert sample.count(PREFIX) == sample.count(SUFFIX) == len(middles)


def test_the_published_way_cuts_the_last_middle() -> None:
    """With `middle` a sample that has no room loses the end of what it should have learnt."""
    ids = _documents(1)
    config = DataConfig(fim_rate=1.0, fim_overflow="middle")
    sample = permute(ids[:-1], TOKENIZER, np.random.default_rng(0), config)

    assert END not in sample.tolist()
    assert len(sample) == len(ids) - 1


def test_without_infilling_a_sample_is_left_alone() -> None:
    """A rate of zero changes no token."""
    ids = _documents(5)
    sample = permute(ids, TOKENIZER, np.random.default_rng(0), DataConfig(fim_rate=0.0))

    assert sample.tolist() == ids.tolist()


def test_a_character_cut_in_two_is_read_left_to_right() -> None:
    """Where a sample begins inside a character, its segment is not permuted."""
    ids = np.asarray(TOKENIZER.encode("你好").ids[1:], dtype=np.uint16)
    sample = permute(ids, TOKENIZER, np.random.default_rng(0), DataConfig(fim_rate=1.0))

    assert sample.tolist() == ids.tolist()


def test_what_is_not_filled_is_padded(tokenizer: Tokenizer) -> None:
    """A sample keeps its length."""
    ids = _documents(30)
    sample = permute(ids, TOKENIZER, np.random.default_rng(9), DataConfig(fim_rate=1.0))
    n_pads = int(np.count_nonzero(sample == PAD))

    assert len(sample) == len(ids)
    assert (sample[len(sample) - n_pads :] == PAD).all()
