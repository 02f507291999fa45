"""The decoder against transformers' GPTBigCode, both ways, and against itself with a cache."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

from training.checkpoint import hf_config, load_decoder, write_model
from training.config import DecoderConfig
from training.decoder import Decoder

CONFIG = DecoderConfig(n_layer=3, n_embd=48, n_head=4, n_inner=80, n_positions=64, vocab_size=320)
IDS = torch.randint(0, 320, (2, 40), generator=torch.Generator().manual_seed(3))


@pytest.fixture
def decoder() -> Decoder:
    torch.manual_seed(1)
    model = Decoder(CONFIG).eval()
    for parameter in model.parameters():  # biases and norms that are not neutral
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def test_what_we_write_transformers_reads_with_equal_logits(
    decoder: Decoder, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    """A model folder of ours is one of transformers, and both compute the same."""
    write_model(tmp_path / "model", decoder.state_dict(), CONFIG, tokenizer, {})
    theirs = GPTBigCodeForCausalLM.from_pretrained(tmp_path / "model").eval()

    assert torch.allclose(theirs(IDS).logits, decoder(IDS), atol=1e-4)


def test_what_transformers_writes_we_read_with_equal_logits(tmp_path: Path) -> None:
    """A folder that transformers has saved becomes a decoder that computes the same."""
    torch.manual_seed(2)
    theirs = GPTBigCodeForCausalLM(GPTBigCodeConfig(**hf_config(CONFIG))).eval()
    theirs.save_pretrained(tmp_path / "model")
    ours = load_decoder(tmp_path / "model")

    assert torch.allclose(theirs(IDS).logits, ours(IDS), atol=1e-4)


@pytest.mark.parametrize("pieces", [[1] * 40, [20, 20], [1, 7, 32]])
def test_decoding_from_the_cache_equals_the_full_forward_pass(
    decoder: Decoder, pieces: list[int]
) -> None:
    """However a text is cut, the logits are those of reading it at once."""
    logits, cache = [], None
    for ids in IDS.split(pieces, dim=1):
        some, cache = decoder.step(ids, cache)
        logits.append(some)

    assert torch.allclose(torch.cat(logits, dim=1), decoder(IDS), atol=1e-5)


def test_the_cache_has_two_numbers_a_head_dimension_and_layer(decoder: Decoder) -> None:
    """Multi-query attention keeps 2 · n_layer · head_dim numbers for each token."""
    _, cache = decoder.step(IDS)

    assert [tuple(part.shape) for part in cache] == [(2, 40, 2 * CONFIG.head_dim)] * CONFIG.n_layer


def test_no_token_sees_what_comes_after_it(decoder: Decoder) -> None:
    """Another last token changes only the last row of logits."""
    changed = IDS.clone()
    changed[:, -1] = (changed[:, -1] + 1) % CONFIG.vocab_size
    same = (decoder(IDS) == decoder(changed)).all(dim=-1)

    assert bool(same[:, :-1].all())
    assert not bool(same[:, -1].any())
