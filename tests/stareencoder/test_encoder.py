"""What is served: unit vectors without torch, the same for the same text; damage is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stareencoder import Encoder, EncoderFolderError, verify_encoder
from stareencoder.encoder import batches
from stareencoder.shipped import SHIPPED

ADD = "def add_items(items):\n    total = 0\n    for item in items:\n        total += item\n"
RENAMED = "def plus_all(rows):\n    result = 0\n    for row in rows:\n        result += row\n"
OTHER = "class Reader:\n    def open(self, path):\n        return self.client.get(path).json()\n"
GIVEN = sorted(["model.onnx", "tokenizer.json", "config.json", "manifest.json", "README.md"])


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The one that ships."""
    return Encoder()


def test_the_shipped_encoder_is_whole_and_small() -> None:
    """Every file is what the manifest says, there are no others, and all are under 12 MB."""
    verify_encoder()

    assert sorted(path.name for path in SHIPPED.iterdir()) == GIVEN
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 12e6


def test_the_card_names_corpus_and_licences() -> None:
    """It says what the encoder was trained on, by the digest of the frozen corpus."""
    manifest = json.loads((SHIPPED / "manifest.json").read_bytes())
    card = (SHIPPED / "README.md").read_text("utf-8")

    assert manifest["corpus_digest"] in card
    assert manifest["recipe_digest"][:16] in card
    assert "| MIT |" in card


def test_renamed_code_is_nearer_than_other_code(encoder: Encoder) -> None:
    """What vectors are for: the same lines with other names, and words about them, stand out."""
    asked = encoder.encode([RENAMED, "Return the sum of all items."])
    held = encoder.encode([ADD, OTHER])

    assert ((asked @ held.T)[:, 0] > (asked @ held.T)[:, 1]).all()


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(st.characters()), max_size=6))
def test_any_texts_have_unit_vectors(encoder: Encoder, texts: list[str]) -> None:
    """Empty, long, lone surrogates, special tokens: (N, C) float32 of unit length."""
    vectors = encoder.encode([*texts, "", "<pad><sep>\ud800" * 200])

    assert vectors.shape == (len(texts) + 2, encoder.width)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_same_texts_give_the_same_bits(encoder: Encoder) -> None:
    """Twice, and from a second encoder; beside other texts only rounding differs."""
    texts = [ADD, OTHER, RENAMED * 9, "x = 1"]
    vectors = encoder.encode(texts)

    assert np.array_equal(vectors, encoder.encode(texts))
    assert np.array_equal(vectors, Encoder().encode(texts))
    assert np.allclose(vectors[1], encoder.encode([OTHER])[0], atol=1e-5)


def test_text_that_spells_a_special_token_stays_text(encoder: Encoder) -> None:
    """`<sep>` in a source file is five characters."""
    assert encoder.count_tokens(["<sep>"]) > 3


def test_a_long_text_is_cut(encoder: Encoder) -> None:
    """What stands behind the last token that is read changes nothing."""
    text = ADD * 40
    one, other = encoder.encode([text]), encoder.encode([text + OTHER])

    assert encoder.count_tokens([text]) == encoder.max_tokens
    assert np.array_equal(one, other)


@given(st.lists(st.integers(2, 128), max_size=60))
def test_batches_hold_every_text_once(lengths: list[int]) -> None:
    """In batches of one padded length."""
    found = list(batches(lengths))

    assert sorted(number for batch in found for number in batch) == list(range(len(lengths)))
    assert all(len({-(-lengths[number] // 16) for number in batch}) == 1 for batch in found)


def test_progress_reaches_the_last_text(encoder: Encoder) -> None:
    """It counts up to all of them."""
    seen: list[int] = []
    encoder.encode([ADD, OTHER, "x"] * 5, seen.append)

    assert seen == sorted(seen)
    assert seen[-1] == 15


@pytest.mark.parametrize("name", GIVEN[1:])
@pytest.mark.parametrize("damage", [None, b"", b"\x00garbage", b"[]", b'{"model_type": 3}'])
def test_a_damaged_folder_is_refused(name: str, damage: bytes | None, tmp_path: Path) -> None:
    """Missing, empty, overwritten: one error that names the folder; verify finds each."""
    folder = tmp_path / "encoder"
    shutil.copytree(SHIPPED, folder)
    (folder / name).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    with pytest.raises(EncoderFolderError, match=str(folder)):
        verify_encoder(folder)
    if name != "manifest.json" or damage not in (b"[]", b'{"model_type": 3}'):
        with pytest.raises(EncoderFolderError, match=str(folder)):
            Encoder(folder)


def test_serving_needs_no_torch() -> None:
    """An encoder is opened and used without it."""
    script = (
        "import sys; from stareencoder import Encoder; Encoder().encode(['x = 1']); "
        "print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "False"
