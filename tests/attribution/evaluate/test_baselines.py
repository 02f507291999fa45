"""The baselines keep what their descriptions promise."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.evaluate import baselines
from attribution.evaluate.baselines import BloomFilter
from attribution.evaluate.windows import seeded

WORDS = [f"word{number}" for number in range(500)]


def prose(seed: int, n: int = 200) -> str:
    rng = seeded(seed)
    lines = (" ".join(rng.choices(WORDS, k=8)) for _ in range(n // 8))
    return "\n".join(lines) + "\n"


DOCUMENTS = [(number, prose(number).encode()) for number in range(5)]


def test_a_filter_misses_no_member_and_errs_as_it_says() -> None:
    """No false negative, and at capacity a false-positive rate within the bound."""
    rng = np.random.default_rng(0)
    members = rng.integers(0, 2**63, size=20_000, dtype=np.uint64)
    others = rng.integers(2**63, 2**64 - 1, size=200_000, dtype=np.uint64)
    held = BloomFilter(members, error=1e-3)

    assert held.n_hashes == 10
    assert held.holds(members).all()
    assert 0 < held.holds(others).mean() < 1.4e-3


def test_99_characters_always_hold_a_tile_of_a_portrait() -> None:
    """Any 99 characters of a document hit; 49 characters never do."""
    system = baselines.data_portraits(DOCUMENTS)
    text = baselines.squeezed(DOCUMENTS[2][1]).decode()

    for start in range(0, len(text) - 99, 37):
        answer = system.ask("x" + text[start : start + 99] + "x")
        assert answer.is_claim
        assert answer.ranked[0] == 2
    assert not system.ask(text[:49]).is_claim


def test_a_portrait_sees_blanks_and_breaks_as_described() -> None:
    """Breaks collapse, blanks collapse, a blank after a break goes."""
    assert baselines.squeezed(b"a  b\n\n\n\tc\r\n d \n") == b"a b\nc\nd"


def test_93_letters_and_digits_share_a_winnowed_hash() -> None:
    """The guarantee of winnowing: any shared run of 30 + 64 - 1 has a hash in common."""
    whole = set(baselines.winnowed_characters(DOCUMENTS[1][1]).tolist())
    letters = "".join(DOCUMENTS[1][1].decode().split())

    for start in range(0, len(letters) - 93, 11):
        part = baselines.winnowed_characters(letters[start : start + 93].encode())
        assert whole & set(part.tolist())


def test_the_cut_says_nothing_of_short_inputs() -> None:
    """Up to 256 bytes the SCANOSS variant is silent, after that both agree."""
    winnowing, scanoss = baselines.scanoss(DOCUMENTS)
    text = DOCUMENTS[3][1].decode()

    assert winnowing.ask(text[:250]).is_claim
    assert not scanoss.ask(text[:250]).is_claim
    assert scanoss.ask(text).ranked == winnowing.ask(text).ranked == (3,)


def test_a_run_of_65_is_found_and_one_of_64_is_not() -> None:
    """The length is exact."""
    system = baselines.exact_65(DOCUMENTS)
    words = DOCUMENTS[4][1].decode().split()

    assert system.ask(" ".join(words[10:75])).ranked == (4,)
    assert not system.ask(" ".join(words[10:74])).is_claim


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "x", "ÿ" * 300, "\r\n" * 50])
def test_any_text_has_an_answer(text: str) -> None:
    """Garbage names nothing and breaks nothing."""
    asked = [
        baselines.data_portraits(DOCUMENTS),
        *baselines.scanoss(DOCUMENTS),
        baselines.exact_65(DOCUMENTS),
    ]

    assert [system.ask(text).ranked for system in asked] == [()] * 4
