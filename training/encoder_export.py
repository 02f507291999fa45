"""A trained encoder as the folder that is served: an ONNX graph that agrees with the checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from indexer.curate.shards import write_durably
from stareencoder.checkpoint import load_encoder
from stareencoder.config import EncoderConfig, hf_config
from stareencoder.errors import EncoderError
from stareencoder.model import StarEncoder
from stareencoder.shipped import CONFIG, GRAPH, MANIFEST, TOKENIZER
from training import checkpoint
from training.checkpoint import json_text
from training.encoder_card import write_encoder_card
from training.encoder_graph import build_encoder_graph
from training.errors import CheckpointError
from training.export import open_session
from training.tokenizer import save_tokenizer

MIN_COSINE = 0.99  # of any text; a graph that is further from the checkpoint is another model
_KINDS = ("int8", "fp32")  # smallest first
_BATCH = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderAgreement:
    """How near a graph's vectors are to those of the checkpoint in float32."""

    kind: str
    n_bytes: int
    mean_cosine: float
    min_cosine: float
    n_texts: int


def export_encoder(
    source: Path,
    folder: Path,
    windows: NDArray[np.int64],
    *,
    data_licenses: Mapping[str, Any] | None = None,
) -> tuple[EncoderAgreement, ...]:
    """Write the served folder of an encoder, with a model card; how near each graph came.

    Args:
        source: a checkpoint of the encoder's training.
        folder: where it goes; files of the same names are replaced.
        windows: held-out tokens (N, T) on which graphs are compared with the checkpoint.
        data_licenses: what `model_card.licenses_of` says of the data, for the card.

    Raises:
        CheckpointError: the source is missing or damaged, or the folder cannot be written.
    """
    try:
        model, _ = load_encoder(source)
    except EncoderError as error:
        raise CheckpointError(str(error)) from error
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    ids = framed(model.config, windows)
    graphs = {
        kind: build_encoder_graph(model.config, weights, int8=kind == "int8").SerializeToString()
        for kind in _KINDS
    }
    measured = tuple(_agreement(kind, graph, model, ids) for kind, graph in graphs.items())
    chosen = next(
        one.kind for one in measured if one.kind == "fp32" or one.min_cosine >= MIN_COSINE
    )
    extra = {
        "agreement": [asdict(one) for one in measured],
        "data_licenses": dict(data_licenses or {}),
        "graph": chosen,
    }
    _write(folder, source, model.config, graphs[chosen], extra)
    return measured


def framed(config: EncoderConfig, windows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ids (N, T + 2) of `<cls> window <sep>`."""
    special = StarEncoder(config).bert.special
    return np.pad(windows, ((0, 0), (1, 1)), constant_values=((0, 0), (special.cls, special.sep)))


def _agreement(
    kind: str, graph: bytes, model: StarEncoder, ids: NDArray[np.int64]
) -> EncoderAgreement:
    session = open_session(graph)
    cosines = []
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        with torch.no_grad():
            wanted = model.embed(torch.from_numpy(batch)).numpy()
        cosines.append((session.run(["vectors"], {"ids": batch})[0] * wanted).sum(axis=1))
    all_cosines = np.concatenate(cosines)
    return EncoderAgreement(
        kind=kind,
        n_bytes=len(graph),
        mean_cosine=float(all_cosines.mean()),
        min_cosine=float(all_cosines.min()),
        n_texts=len(ids),
    )


def _write(
    folder: Path, source: Path, config: EncoderConfig, graph: bytes, extra: Mapping[str, Any]
) -> None:
    manifest = checkpoint.read_manifest(source)
    manifest |= {
        **extra,
        "name": folder.name,
        "file": GRAPH,
        "bytes": len(graph),
        "sha256": hashlib.sha256(graph).hexdigest(),
        "license": "Apache-2.0",
        "source": f"trained by Starcite on corpus {manifest.get('corpus_digest', '')[:12]}",
        "max_tokens": _max_tokens(manifest, config),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        (folder / GRAPH).write_bytes(graph)
        write_durably(folder / CONFIG, json_text(hf_config(config)))
        save_tokenizer(checkpoint.load_model_tokenizer(source), folder)
        manifest["files"] = {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
            for name in (GRAPH, CONFIG, TOKENIZER)
        }
        write_durably(folder / MANIFEST, json_text(manifest))
        write_encoder_card(folder)
    except OSError as error:
        raise CheckpointError(
            f"cannot write {folder}: {error.strerror}; choose another folder"
        ) from error


def _max_tokens(manifest: Mapping[str, Any], config: EncoderConfig) -> int:
    """Tokens of a view in the retrieval stage: what the vectors were made for."""
    recipe = manifest.get("recipe", {})
    if recipe.get("objective", {}).get("kind") == "retrieval":
        return int(recipe["data"]["block_size"]) // 2
    return config.n_positions
