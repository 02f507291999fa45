"""An exported encoder answers as its checkpoint does, and its card says what it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from stareencoder import Encoder, verify_encoder
from stareencoder.config import EncoderConfig
from stareencoder.model import StarEncoder, TokenTagger
from training.config import ObjectiveConfig, Recipe
from training.docstrings import write_docstrings
from training.encoder_card import write_encoder_card
from training.encoder_export import export_encoder
from training.encoder_graph import build_encoder_graph
from training.errors import CheckpointError
from training.export import open_session
from training.fit import Task, fit
from training.tokenizer import load_tokenizer

MODEL = EncoderConfig(n_layer=2, n_embd=32, n_head=2, n_positions=64, vocab_size=324)


@pytest.fixture(scope="module")
def ids() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Six texts, two of them padded."""
    ids = np.random.default_rng(2).integers(0, 320, (6, 48))
    ids[:, 0] = 322
    ids[2, 20:], ids[4, 33:] = 320, 320
    return ids


def _drawn(model: torch.nn.Module) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    torch.manual_seed(1)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("n_lexical", [0, 40])
@pytest.mark.parametrize("pooling", ["mean", "sep"])
@pytest.mark.parametrize(("int8", "wanted"), [(False, 0.999999), (True, 0.99)])
def test_a_graph_gives_the_vectors_of_the_checkpoint(
    int8: bool,
    wanted: float,
    pooling: Literal["mean", "sep"],
    n_lexical: int,
    ids: np.ndarray[tuple[int, int], np.dtype[np.int64]],
) -> None:
    """float32 to rounding, eight bits to a cosine of 0.99; padded texts, too."""
    config = replace(MODEL, pooling=pooling, n_lexical=n_lexical)
    model = StarEncoder(config).eval()
    graph = build_encoder_graph(config, _drawn(model), int8=int8)
    vectors = open_session(graph.SerializeToString()).run(["vectors"], {"ids": ids})[0]
    with torch.no_grad():
        expected = model.embed(torch.from_numpy(ids)).numpy()

    assert ((vectors * expected).sum(axis=1) > wanted).all()


def test_a_graph_gives_the_labels_of_a_tagger(
    ids: np.ndarray[tuple[int, int], np.dtype[np.int64]],
) -> None:
    """Logits of every token that is text."""
    model = TokenTagger(MODEL, 5).eval()
    graph = build_encoder_graph(MODEL, _drawn(model), int8=False)
    logits = open_session(graph.SerializeToString()).run(["logits"], {"ids": ids})[0]
    with torch.no_grad():
        expected = model(torch.from_numpy(ids)).numpy()

    assert np.allclose(logits[ids != 320], expected[ids != 320], atol=1e-4)


@pytest.fixture
def served(recipe: Recipe, tokens: Path, tmp_path: Path) -> Path:
    """A run of a few steps, exported."""
    from dataclasses import replace

    write_docstrings(tokens / "train", load_tokenizer(tokens))
    objective = ObjectiveConfig(kind="retrieval")
    whole = replace(recipe, model=MODEL, objective=objective)
    run = fit(
        Task(run=tmp_path / "run", recipe=whole, packed=(tokens / "train",), tokenizer=tokens)
    )
    windows = np.random.default_rng(1).integers(19, 320, (4, 14))
    folder = tmp_path / "served"
    export_encoder(run, folder, windows)
    return folder


def test_a_run_becomes_a_folder_that_is_served(served: Path) -> None:
    """It opens without torch's help, reads as much as a view had, and every file is checked."""
    verify_encoder(served)
    encoder = Encoder(served)
    text = (served / "README.md").read_text("utf-8")

    assert encoder.encode(["x = 1", ""]).shape == (2, 32)
    assert encoder.max_tokens == 16
    assert "c" * 64 in text
    assert "has not been scored" in text


def test_scores_go_into_the_card_if_they_are_of_these_weights(served: Path, tmp_path: Path) -> None:
    """Those of another encoder, and what is no result, are refused."""
    manifest = json.loads((served / "manifest.json").read_bytes())
    scores = {
        "encoder_sha256": manifest["sha256"],
        "n_fragments": 12_000,
        "queries": {"renamed": 10},
        "rankers": {"BM25": {"renamed": {"mrr": 0.25}}},
    }
    path = tmp_path / "scores.json"
    path.write_text(json.dumps(scores))
    write_encoder_card(served, path)
    verify_encoder(served)

    assert "| BM25 | 0.250 |" in (served / "README.md").read_text("utf-8")
    for other in (json.dumps({**scores, "encoder_sha256": "0" * 64}), "[]", "{}", ""):
        path.write_text(other)
        with pytest.raises(CheckpointError, match=r"scores\.json"):
            write_encoder_card(served, path)
