"""The tokenizer: sentinels at their ids, digits one by one, and every text comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from indexer.curate.sentinels import SENTINEL_ID, SENTINELS, neutralise
from training.errors import TokenizerError
from training.tokenizer import load_tokenizer, save_tokenizer, tokenizer_digest, train_tokenizer

BYTES = train_tokenizer(["def f(x):\n    return x\n"] * 3, 300)


def test_the_sentinels_have_starcoders_ids(tokenizer: Tokenizer) -> None:
    """Ids 0 to 18 are the 19 control tokens, each encoded as one token."""
    assert [tokenizer.encode(text).ids for text in SENTINELS] == [[n] for n in SENTINEL_ID.values()]


def test_digits_stand_alone(tokenizer: Tokenizer) -> None:
    """A number has as many tokens as digits, however often it is seen."""
    assert tokenizer.encode("20242024").tokens == list("20242024")


@given(text=st.text())
def test_every_text_comes_back(text: str) -> None:
    """Decoding what was encoded gives the text, sentinels defused."""
    written = neutralise(text)

    assert BYTES.decode(BYTES.encode(written).ids, skip_special_tokens=False) == written


@given(before=st.text(max_size=5), sentinel=st.sampled_from(SENTINELS), after=st.text(max_size=5))
def test_no_text_spells_a_control_token(before: str, sentinel: str, after: str) -> None:
    """A literal sentinel in a text becomes ordinary tokens."""
    ids = BYTES.encode(neutralise(before + sentinel + after)).ids

    assert [number for number in ids if number < len(SENTINELS)] == []


def test_the_same_texts_give_the_same_tokenizer() -> None:
    """Training has no chance in it."""
    texts = [f"value_{n} = load(path_{n % 7})\n" for n in range(200)]

    assert tokenizer_digest(train_tokenizer(texts, 400)) == tokenizer_digest(
        train_tokenizer(texts, 400)
    )


def test_a_saved_tokenizer_is_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    """What `load_tokenizer` reads has the digest of what was saved."""
    save_tokenizer(tokenizer, tmp_path)

    assert tokenizer_digest(load_tokenizer(tmp_path)) == tokenizer_digest(tokenizer)


@pytest.mark.parametrize("text", ["", "{}", "[1, 2", '{"version": "1.0", "model": 3}', "\x00\xff"])
def test_garbage_is_refused(text: str, tmp_path: Path) -> None:
    """A damaged file is named in one line."""
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        load_tokenizer(tmp_path)


def test_another_family_is_refused(tmp_path: Path) -> None:
    """A tokenizer whose sentinels have other ids is told from ours."""
    text = BYTES.to_str().replace("<fim_prefix>", "<fim-prefix>")
    (tmp_path / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(TokenizerError, match="<fim_prefix> at id None"):
        load_tokenizer(tmp_path)
