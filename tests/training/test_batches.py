"""Which samples a run reads: each epoch all of them once, whoever asks and whenever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from training.batches import Batches, heldout_windows
from training.config import DataConfig
from training.errors import PackedError
from training.pack import open_tokens
from training.tokenizer import train_tokenizer

CONFIG = DataConfig(block_size=32, seed=7)


@pytest.fixture
def batches(tokens: Path, tokenizer: Tokenizer) -> Batches:
    return Batches([tokens / "train"], tokenizer, CONFIG)


def test_an_epoch_reads_every_sample_once(batches: Batches, tokens: Path) -> None:
    """The places of one epoch are a permutation, and the next epoch's is another one."""
    n = (len(open_tokens(tokens / "train")) - 1) // CONFIG.block_size
    first = [batches.sample(number).place for number in range(n)]
    second = [batches.sample(number).place for number in range(n, 2 * n)]

    assert sorted(first) == sorted(second) == list(range(n))
    assert first != second


def test_a_batch_does_not_depend_on_what_was_read_before(
    batches: Batches, tokens: Path, tokenizer: Tokenizer
) -> None:
    """Sample 50 is the same for who has read 49 others and for who begins there."""
    for number in range(0, 48, 4):
        batches.batch(number, 4)
    fresh = Batches([tokens / "train"], tokenizer, CONFIG)

    assert np.array_equal(batches.batch(50, 3)[0], fresh.batch(50, 3)[0])
    assert np.array_equal(batches.batch(48, 4)[1][2:], fresh.batch(50, 2)[1])


def test_targets_are_the_inputs_moved_by_one(batches: Batches) -> None:
    """Each target is the token after its input, and padding is no target."""
    ids, targets = batches.batch(0, 8)
    is_real = targets[:, :-1] != -100

    assert ids.shape == targets.shape == (8, CONFIG.block_size)
    assert np.array_equal(ids[:, 1:][is_real], targets[:, :-1][is_real])


def test_weights_decide_how_often_each_source_is_read(tokens: Path, tokenizer: Tokenizer) -> None:
    """With weights of three to one, three of four samples are of the first."""
    config = DataConfig(block_size=32, weights={"train": 3.0, "other": 1.0})
    mixed = Batches([tokens / "train", tokens / "other"], tokenizer, config)
    sources = [mixed.sample(number).source for number in range(400)]

    assert sources.count(0) == 300
    assert sources[:4].count(1) == 1


def test_each_source_goes_through_its_own_epochs(tokens: Path, tokenizer: Tokenizer) -> None:
    """Taking turns leaves out no sample of either source."""
    config = DataConfig(block_size=32, weights={"train": 1.0, "other": 2.0})
    mixed = Batches([tokens / "train", tokens / "other"], tokenizer, config)
    n = (len(open_tokens(tokens / "other")) - 1) // 32
    read = [one.place for one in map(mixed.sample, range(3 * n)) if one.source == 1][:n]

    assert sorted(read) == list(range(n))


def test_the_manifest_names_what_was_read(batches: Batches, tokens: Path) -> None:
    """It holds the digest of every source and changes with the number of samples."""
    one, other = batches.manifest(10), batches.manifest(11)

    assert one["sources"][0]["corpus_digest"] == "c" * 64
    assert one["order_sha256"] != other["order_sha256"]


def test_tokens_of_another_tokenizer_are_refused(tokens: Path) -> None:
    """Ids mean nothing to a tokenizer that did not make them."""
    with pytest.raises(PackedError, match="another tokenizer"):
        Batches([tokens / "train"], train_tokenizer(["abc"], 300), CONFIG)


def test_weights_name_the_folders(tokens: Path, tokenizer: Tokenizer) -> None:
    """A weight for a folder that is not read is a mistake."""
    with pytest.raises(PackedError, match="'tran'"):
        Batches([tokens / "train"], tokenizer, DataConfig(block_size=32, weights={"tran": 1.0}))


def test_heldout_windows_are_spread_and_always_the_same(tokens: Path) -> None:
    """They are asked for in tokens and cover the folder from its start."""
    one, packed = heldout_windows(tokens / "train", 32, 128)
    other, _ = heldout_windows(tokens / "train", 32, 128)

    assert one.shape == (4, 33)
    assert np.array_equal(one, other)
    assert np.array_equal(one[0], open_tokens(tokens / "train")[:33])
    assert packed.n_documents == 30


@pytest.mark.parametrize("damage", ["truncate", "garbage", "remove"])
def test_damaged_tokens_are_refused(
    damage: str, tokens: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    """What was cut off, overwritten or taken away is named."""
    folder = tmp_path / "train"
    folder.mkdir()
    (folder / "packed.json").write_bytes((tokens / "train" / "packed.json").read_bytes())
    (folder / "tokens.u16").write_bytes((tokens / "train" / "tokens.u16").read_bytes())
    if damage == "truncate":
        (folder / "tokens.u16").write_bytes(b"\0\0")
    elif damage == "garbage":
        (folder / "packed.json").write_text("[1, {", encoding="utf-8")
    else:
        (folder / "packed.json").unlink()
    with pytest.raises(PackedError, match="pack"):
        Batches([folder], tokenizer, CONFIG)
