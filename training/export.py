"""A trained model as the folder that is served: an ONNX graph, chosen by measured agreement.

model.onnx       the graph that agreed well enough with the checkpoint, smallest first
tokenizer.json   the tokenizer
config.json      the shape, as transformers reads it
manifest.json    the checkpoint's, with what was measured and the digests of the files
README.md        the model card, made of the manifest
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from indexer.curate.shards import write_durably
from training import checkpoint
from training.checkpoint import hf_config, json_text
from training.config import DecoderConfig
from training.decoder import Decoder
from training.errors import CheckpointError
from training.metrics import read_metrics
from training.model_card import curve_of, write_card
from training.onnx_graph import build_graph
from training.tokenizer import save_tokenizer

GRAPH = "model.onnx"
MAX_KL = 0.01  # nats a token; a graph that is further away is another model
_KINDS = ("int8", "fp32")  # smallest first


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """How near a graph is to the checkpoint in float32."""

    kind: str
    n_bytes: int
    top1: float  # share of positions with the same most likely token
    kl: float  # mean Kullback-Leibler divergence in nats, from the checkpoint's distribution
    bits_per_token: float  # of the windows that were read
    n_tokens: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written."""

    folder: Path
    chosen: str
    measured: tuple[Agreement, ...]


def export_model(
    source: Path,
    folder: Path,
    windows: NDArray[np.int64],
    *,
    data_licenses: Mapping[str, Any] | None = None,
    max_kl: float = MAX_KL,
) -> Exported:
    """Write the served folder of a checkpoint, with a model card.

    Args:
        source: a checkpoint or model folder.
        folder: where it goes; files of the same names are replaced.
        windows: held-out tokens (N, T + 1) on which graphs are compared with the checkpoint.
        data_licenses: what `model_card.licenses_of` says of the data, for the card.
        max_kl: how far from the checkpoint a quantized graph may be, in nats a token.

    Raises:
        CheckpointError: the source is missing or damaged, or the folder cannot be written.
    """
    model = checkpoint.load_decoder(source)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    graphs = {
        kind: build_graph(model.config, weights, int8=kind == "int8").SerializeToString()
        for kind in _KINDS
    }
    measured = [measure(kind, graph, model, windows) for kind, graph in graphs.items()]
    chosen = next(one.kind for one in measured if one.kind == "fp32" or one.kl <= max_kl)
    exported = Exported(folder=folder, chosen=chosen, measured=tuple(measured))
    _write(exported, source, model.config, graphs[chosen], data_licenses or {})
    return exported


def measure(kind: str, graph: bytes, model: Decoder, windows: NDArray[np.int64]) -> Agreement:
    """Compare a graph with a decoder, position by position."""
    session = open_session(graph)
    same = divergence = bits = 0.0
    n_tokens = 0
    for row in windows:
        ours = run_graph(session, model.config, row[:-1])
        with torch.no_grad():
            theirs = model(torch.from_numpy(row[None, :-1]))[0].double().log_softmax(-1).numpy()
        found = log_softmax(ours)
        same += float((ours.argmax(-1) == theirs.argmax(-1)).sum())
        divergence += float((np.exp(theirs) * (theirs - found)).sum())
        bits -= float(found[np.arange(len(found)), row[1:]].sum()) / np.log(2)
        n_tokens += len(found)
    return Agreement(
        kind=kind,
        n_bytes=len(graph),
        top1=same / n_tokens,
        kl=divergence / n_tokens,
        bits_per_token=float(bits / n_tokens),
        n_tokens=n_tokens,
    )


def open_session(graph: bytes | Path, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """The runtime of a graph, on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = graph if isinstance(graph, bytes) else str(graph)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run_graph(
    session: onnxruntime.InferenceSession, config: DecoderConfig, ids: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Logits (T, vocab_size) of a text that is read at once."""
    empty = np.zeros((config.n_layer, 0, 2 * config.head_dim), dtype=np.float32)
    feeds = {"ids": ids, "past": empty, "rows": np.arange(len(ids), dtype=np.int64)}
    logits: NDArray[np.float32] = session.run(["logits"], feeds)[0]
    return logits


def _write(
    exported: Exported,
    source: Path,
    config: DecoderConfig,
    graph: bytes,
    data_licenses: Mapping[str, Any],
) -> None:
    folder = exported.folder
    manifest = checkpoint.read_manifest(source)
    n_before = manifest.get("before", {}).get("tokens", 0)
    rows = [row for row in read_metrics(source.parent) if row["step"] <= manifest.get("step", 0)]
    manifest |= {
        "graph": exported.chosen,
        "name": folder.name,
        "file": GRAPH,
        "bytes": len(graph),
        "sha256": hashlib.sha256(graph).hexdigest(),
        "family": "starcoder",
        "license": "Apache-2.0",
        "source": f"trained by Starcite on corpus {manifest.get('corpus_digest', '')[:12]}",
        "context_length": config.n_positions,
        "fim": "psm",
        "claim": "trained_on",
        "agreement": [asdict(one) for one in exported.measured],
        "curve": curve_of(rows, n_before),
        "data_licenses": dict(data_licenses),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / checkpoint.MANIFEST).unlink(missing_ok=True)
        (folder / GRAPH).write_bytes(graph)
        write_durably(folder / checkpoint.CONFIG, json_text(hf_config(config)))
        save_tokenizer(checkpoint.load_model_tokenizer(source), folder)
        manifest["files"] = dict(_digests(folder))
        write_durably(folder / checkpoint.MANIFEST, json_text(manifest))
        write_card(folder)
    except OSError as error:
        raise CheckpointError(
            f"cannot write {folder}: {error.strerror}; choose another folder"
        ) from error


def _digests(folder: Path) -> Iterator[tuple[str, Any]]:
    for name in (GRAPH, checkpoint.CONFIG, "tokenizer.json"):
        yield name, hashlib.sha256((folder / name).read_bytes()).hexdigest()


def log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logarithms of the probabilities that logits (…, V) stand for, the same shape."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result
