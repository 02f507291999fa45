"""Local models of `transformers`, against their own plain forward pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.evaluate.decode import Drawer, Filler
from training.evaluate.errors import EvaluateError

torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
pytest.importorskip("transformers", reason="transformers is not installed (extra `train`)")

TEXT = "def lamp_river_3(first, second=None):\n    total = first * 3\n    return [total]\n" * 8


@pytest.fixture(scope="module")
def model(tiny_model: Path):
    from training.evaluate.torch_model import load_model

    return load_model(tiny_model)


@pytest.fixture(scope="module")
def reference(tiny_model: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_model, local_files_only=True).eval()


def log_probs(reference, ids: list[int]) -> np.ndarray:
    with torch.inference_mode():
        logits = reference(torch.tensor([ids])).logits[0]
    return torch.log_softmax(logits.double(), dim=-1).numpy()


def test_step_by_step_is_the_whole_forward_pass(model, reference) -> None:
    """With the cache, every position has the probabilities that it has without."""
    ids = [0, *model.encode(TEXT)][:40]
    expected = log_probs(reference, ids)

    scores, state = model.begin(ids[:10])
    found = [scores]
    for token in ids[10:]:
        scores, state = model.step(token, state)
        found.append(scores)

    np.testing.assert_allclose(np.array(found), expected[9:], atol=1e-4)


def test_a_long_text_is_scored_in_overlapping_windows(model, reference) -> None:
    """Each token once, in the first window that holds it, each window half a context further."""
    ids = [0, *model.encode(TEXT)]
    assert len(ids) > 2 * 64
    expected, n_done = 0.0, 1
    for first in range(0, len(ids), 32):
        scores = log_probs(reference, ids[first : first + 64])
        for place in range(n_done, min(first + 64, len(ids))):
            expected -= scores[place - first - 1, ids[place]]
        n_done = max(n_done, min(first + 64, len(ids)))

    assert model.nats(TEXT) == pytest.approx(expected, abs=1e-3)


def test_literal_sentinels_are_text(model) -> None:
    """A file that speaks of <fim_middle> is encoded letter by letter and decodes to itself."""
    text = "x = '<fim_middle><|endoftext|>'"
    ids = model.encode(text)

    assert b"".join(model.vocabulary.tokens[one] for one in ids).decode() == text
    assert not model.vocabulary.ends & set(ids)


@pytest.mark.parametrize("layout", ["prefix", "psm", "spm"])
@pytest.mark.parametrize("heal", [False, True])
def test_prompts_fit_and_what_is_forced_comes_first(model, layout: str, heal: bool) -> None:
    """However long the texts round the cursor are, an answer comes and repeats no forced text."""
    filler = Filler(model, layout, heal=heal, max_tokens=16)
    for prefix, suffix in [("", ""), (TEXT, ""), (TEXT + "    ret", "\n" + TEXT), ("é" * 99, "🌊")]:
        ids, forced = filler._prompt(prefix, suffix)

        assert len(ids) + 16 <= 64
        assert prefix.encode().endswith(forced)
        assert isinstance(filler.complete(prefix, suffix, one_line=False), str)


def test_the_prompts_are_the_published_layouts(model) -> None:
    """PSM and SPM with the sentinels' ids, as the family was trained."""
    a, b = model.encode("first = "), model.encode("\nsecond")

    psm, _ = Filler(model, "psm", heal=False)._prompt("first = ", "\nsecond")
    spm, _ = Filler(model, "spm", heal=False)._prompt("first = ", "\nsecond")

    assert psm == [1, *a, 3, *b, 2]
    assert spm == [1, 3, *b, 2, *a]


def test_greedy_decoding_is_the_references(model, reference) -> None:
    """Temperature 0 gives the tokens that an argmax over full passes gives."""
    ids = [0, *model.encode("total = ")]
    written = b""
    for _ in range(12):
        ids.append(int(log_probs(reference, ids)[-1].argmax()))
        written += model.vocabulary.tokens[ids[-1]]

    text = Drawer(model).sample("total = ", temperature=0, max_tokens=12, stop=(), seed=0)

    assert text == written.decode("utf-8", "ignore")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_damaged_folder_is_refused_in_one_sentence(
    tiny_model: Path, tmp_path: Path, name: str
) -> None:
    """Missing or garbled files end with a message that names the folder."""
    from training.evaluate.torch_model import load_model

    for path in tiny_model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(b"\x00{")
    with pytest.raises(EvaluateError, match=str(tmp_path)):
        load_model(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(EvaluateError, match=str(tmp_path)):
        load_model(tmp_path)
