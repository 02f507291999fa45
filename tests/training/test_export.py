"""The exported graph computes what the checkpoint computes, and stores each weight once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from training.checkpoint import read_manifest, write_model
from training.config import DecoderConfig
from training.decoder import Decoder
from training.errors import CheckpointError
from training.export import GRAPH, export_model, open_session, run_graph
from training.graph_parts import quantize_rows
from training.onnx_graph import build_graph

CONFIG = DecoderConfig(n_layer=3, n_embd=64, n_head=4, n_positions=64, vocab_size=320)
WINDOWS = np.random.default_rng(1).integers(19, 320, (4, 33))


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    torch.manual_seed(5)
    model = Decoder(CONFIG).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return model


def _weights(decoder: Decoder) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in decoder.state_dict().items()}


@settings(max_examples=20)
@given(data=st.data())
def test_the_graph_has_the_decoders_logits_however_a_text_is_cut(
    decoder: Decoder, data: st.DataObject
) -> None:
    """Read in one piece or in several with the cache, the logits are torch's to 1e-4."""
    session = open_session(build_graph(CONFIG, _weights(decoder), int8=False).SerializeToString())
    ids = np.asarray(data.draw(st.lists(st.integers(0, 319), min_size=2, max_size=60)))
    cut = data.draw(st.integers(1, len(ids) - 1))
    past = np.zeros((CONFIG.n_layer, 0, 2 * CONFIG.head_dim), dtype=np.float32)
    pieces = []
    for piece in (ids[:cut], ids[cut:]):
        feeds = {"ids": piece, "past": past, "rows": np.arange(len(piece))}
        logits, past = session.run(["logits", "present"], feeds)
        pieces.append(logits)
    with torch.no_grad():
        expected = decoder(torch.from_numpy(ids)[None])[0].numpy()

    assert np.allclose(np.concatenate(pieces), expected, atol=1e-4)
    assert past.shape == (CONFIG.n_layer, len(ids), 2 * CONFIG.head_dim)


def test_only_the_rows_that_are_asked_for_get_logits(decoder: Decoder) -> None:
    """The last row alone is the last row of all."""
    session = open_session(build_graph(CONFIG, _weights(decoder), int8=False).SerializeToString())
    ids = WINDOWS[0]
    past = np.zeros((CONFIG.n_layer, 0, 2 * CONFIG.head_dim), dtype=np.float32)
    last = session.run(["logits"], {"ids": ids, "past": past, "rows": np.array([len(ids) - 1])})[0]

    assert last.shape == (1, 320)
    assert np.allclose(last[0], run_graph(session, CONFIG, ids)[-1], atol=1e-5)


@pytest.mark.parametrize("int8", [False, True])
def test_the_tied_embedding_is_stored_once(decoder: Decoder, int8: bool) -> None:
    """The file holds each weight once: its size is that of the parameters."""
    graph = build_graph(CONFIG, _weights(decoder), int8=int8)
    matrices = [one for one in graph.graph.initializer if list(one.dims) == [320, 64]]
    size = decoder.n_parameters() * (1 if int8 else 4)

    assert [one.name for one in matrices] == ["transformer.wte.weight"]
    assert len(graph.SerializeToString()) < size * 1.25 + 60_000


def test_rows_come_back_from_eight_bits_within_half_a_step() -> None:
    """Each number is at most half a scale away."""
    matrix = np.random.default_rng(2).normal(size=(7, 50)).astype(np.float32)
    rows, scales = quantize_rows(matrix)

    assert rows.dtype == np.int8
    assert np.all(np.abs(rows * scales[:, None] - matrix) <= scales[:, None] * 0.5001)
    assert np.abs(rows).max() == 63


@settings(max_examples=20)
@given(cut=st.integers(1, 31))
def test_eight_bits_are_the_same_however_a_text_is_cut(decoder: Decoder, cut: int) -> None:
    """What a token becomes does not depend on how many others are read with it."""
    session = open_session(build_graph(CONFIG, _weights(decoder), int8=True).SerializeToString())
    ids = WINDOWS[0][:32]
    past = np.zeros((CONFIG.n_layer, 0, 2 * CONFIG.head_dim), dtype=np.float32)
    pieces = []
    for piece in (ids[:cut], ids[cut:]):
        feeds = {"ids": piece, "past": past, "rows": np.arange(len(piece))}
        logits, past = session.run(["logits", "present"], feeds)
        pieces.append(logits)
    whole = run_graph(session, CONFIG, ids)

    # a scale for all rows together is off by whole units here
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-2)


@pytest.mark.parametrize(("allowed", "chosen"), [(100.0, "int8"), (-1.0, "fp32")])
def test_the_smallest_graph_that_agrees_is_written(
    allowed: float, chosen: str, decoder: Decoder, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    """Agreement is measured and decides; the manifest keeps the figures and the digests."""
    source = tmp_path / "source"
    write_model(source, decoder.state_dict(), CONFIG, tokenizer, {"corpus_digest": "c" * 64})
    exported = export_model(source, tmp_path / "out", WINDOWS, max_kl=allowed)
    manifest = read_manifest(tmp_path / "out")
    by_kind = {one.kind: one for one in exported.measured}

    assert exported.chosen == manifest["graph"] == chosen
    assert manifest["corpus_digest"] == "c" * 64
    assert by_kind["fp32"].top1 == 1.0
    assert by_kind["fp32"].kl == pytest.approx(0, abs=1e-5)
    assert 0.5 < by_kind["int8"].top1 <= 1.0
    assert by_kind["int8"].n_bytes < by_kind["fp32"].n_bytes / 2
    assert onnx.load(tmp_path / "out" / GRAPH).graph.name == "decoder"


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    """The message says where nothing was found."""
    with pytest.raises(CheckpointError, match="no model in"):
        export_model(tmp_path / "nowhere", tmp_path / "out", WINDOWS)


def test_every_file_of_the_folder_has_its_digest_in_the_manifest(
    decoder: Decoder, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    """What is served can be verified to the last byte, the card included."""
    write_model(tmp_path / "source", decoder.state_dict(), CONFIG, tokenizer, {})
    folder = export_model(tmp_path / "source", tmp_path / "out", WINDOWS).folder
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    del files["manifest.json"]

    assert read_manifest(folder)["files"] == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
