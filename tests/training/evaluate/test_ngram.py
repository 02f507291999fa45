"""Kneser-Ney on arrays against a slow one on dictionaries."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluate.decode import Drawer, Filler, Vocabulary
from training.evaluate.ngram import NGram

LETTERS = "abcd\n"


class Letters:
    """A tokenizer of single letters; id 0 starts a document."""

    vocabulary = Vocabulary(
        tokens=(b"", *(letter.encode() for letter in LETTERS)),
        ends=frozenset({0}),
        start=(0,),
        fim=None,
    )

    def encode(self, text: str) -> list[int]:
        return [1 + LETTERS.index(letter) for letter in text]


def chance_by_hand(
    stream: Sequence[int], context: Sequence[int], token: int, order: int, n_vocab: int
) -> float:
    """Chen and Goodman's formula, word for word, from counts in dictionaries."""
    chance = 1 / n_vocab
    for n in range(1, order + 1):
        if n - 1 > len(context):
            break
        grams = [tuple(stream[i : i + n]) for i in range(len(stream) - n + 1)]
        counts: Counter[tuple[int, ...]] = Counter(grams)
        if n < order:
            left: dict[tuple[int, ...], set[int]] = defaultdict(set)
            for i in range(1, len(stream) - n + 1):
                left[tuple(stream[i : i + n])].add(stream[i - 1])
            counts = Counter({gram: len(left[gram]) for gram in counts})
        of = Counter(counts.values())
        discounts = [0.0, 0.5, 1.0, 1.5]
        if all(of[k] for k in (1, 2, 3, 4)):
            y = of[1] / (of[1] + 2 * of[2])
            discounts = [0.0] + [
                min(k, max(0.0, k - (k + 1) * y * of[k + 1] / of[k])) for k in (1, 2, 3)
            ]
        history = tuple(context[len(context) - n + 1 :]) if n > 1 else ()
        here = {gram: count for gram, count in counts.items() if gram[:-1] == history}
        total = sum(here.values())
        if not total:
            break
        gamma = sum(discounts[min(count, 3)] for count in here.values()) / total
        count = here.get((*history, token), 0)
        chance = (count - discounts[min(count, 3)]) / total + gamma * chance
    return chance


TEXTS = st.lists(st.text(alphabet=LETTERS, min_size=1, max_size=25), min_size=1, max_size=5)


@settings(max_examples=40)
@given(texts=TEXTS, context=st.text(alphabet=LETTERS, max_size=4), order=st.integers(1, 4))
def test_every_chance_is_the_formulas(texts: list[str], context: str, order: int) -> None:
    """The array model equals the dictionary one; chances are positive and sum to one."""
    letters = Letters()
    model = NGram(letters, texts, order)
    stream = [token for text in texts for token in (0, *letters.encode(text))] + [0]
    history = [0, *letters.encode(context)][-(order - 1) or len(context) + 1 :]

    chances = model.distribution(history if order > 1 else [])

    expected = [
        chance_by_hand(stream, history if order > 1 else [], token, order, 6) for token in range(6)
    ]
    np.testing.assert_allclose(chances, expected, atol=1e-12)
    assert chances.min() > 0
    assert abs(chances.sum() - 1) < 1e-9


@settings(max_examples=40)
@given(texts=TEXTS, text=st.text(alphabet=LETTERS, max_size=20))
def test_a_text_costs_the_sum_of_its_steps(texts: list[str], text: str) -> None:
    """Scoring a whole text at once equals asking for one token after the other."""
    letters = Letters()
    model = NGram(letters, texts, 4)
    total = 0.0
    scores, state = model.begin([0])
    for token in letters.encode(text):
        total -= scores[token]
        scores, state = model.step(token, state)

    assert model.nats(text) == pytest.approx(total, abs=1e-9)


def test_it_writes_what_it_has_seen() -> None:
    """Greedy decoding walks along the training text and stops at the end of the line."""
    model = NGram(Letters(), ["abcd\nabcd\n"] * 3)

    assert Filler(model, "prefix", heal=False).complete("a", "", one_line=True) == "bcd"
    assert Filler(model, "prefix", heal=True).complete("ab", "", one_line=True) == "cd"


def test_drawing_is_the_same_for_the_same_seed() -> None:
    """A seed decides the text, another one changes it, and temperature 0 needs none."""
    drawer = Drawer(NGram(Letters(), ["abcdabdcacbd"] * 3))

    def draw(seed: int, temperature: float) -> str:
        return drawer.sample("a", temperature=temperature, max_tokens=20, stop=(), seed=seed)

    assert draw(1, 1.0) == draw(1, 1.0)
    assert len({draw(seed, 1.0) for seed in range(5)}) > 1
    assert draw(1, 0.0) == draw(2, 0.0)


def test_a_draw_ends_before_a_stop() -> None:
    """What comes from the first stop on is cut off."""
    drawer = Drawer(NGram(Letters(), ["abcd\nabcd\n"] * 3))
    text = drawer.sample("a", temperature=0, max_tokens=20, stop=("d",), seed=0)

    assert text == "bc"
