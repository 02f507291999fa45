"""Trains a tagger of personal data from an encoder, and writes the folder that is served.

The task is StarPII's (bigcode-dataset, pii/ner): the encoder's trunk with a label for each token.
Optimisers and schedule are ours; a step is a few dozen short windows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from stareencoder.checkpoint import load_encoder
from stareencoder.config import hf_config
from stareencoder.errors import EncoderError
from stareencoder.model import TokenTagger
from stareencoder.shipped import CONFIG, GRAPH, MANIFEST, TOKENIZER
from stareencoder.tokens import special_ids
from training import checkpoint
from training.checkpoint import json_text
from training.config import OptimConfig, RunConfig
from training.encoder_graph import build_encoder_graph
from training.errors import CheckpointError, DivergedError
from training.hardware import autocast, choose_device, choose_precision
from training.optim import make_optimizers, peak_lrs
from training.tagger_samples import LABELS, Ids, TaggedText, token_rows
from training.tokenizer import save_tokenizer

_WARMUP = 50  # steps
_ROUND_TO = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class TaggerPlan:
    """How a tagger is trained."""

    steps: int = 1200
    batch: int = 48  # windows of a step
    window: int = 128  # tokens, `<cls>` and `<sep>` included
    lr: float = 1e-3  # AdamW's
    muon_lr: float = 4e-3  # of the matrices
    seed: int = 0


def fit_tagger(
    samples: Sequence[TaggedText],
    source: Path,
    plan: TaggerPlan,
    on_progress: Callable[[int, float], None] = lambda *_: None,
) -> tuple[TokenTagger, Tokenizer]:
    """A tagger that begins with the trunk of an encoder, and its tokenizer.

    Args:
        samples: labelled texts.
        source: a checkpoint of an encoder.
        plan: steps, sizes and seed; the same ones give the same tagger on the same machine.
        on_progress: told the steps that are done, and the loss.

    Raises:
        CheckpointError: the source is missing or damaged.
        DivergedError: the loss is no number.
    """
    torch.manual_seed(plan.seed)
    try:
        encoder, _ = load_encoder(source)
    except EncoderError as error:
        raise CheckpointError(str(error)) from error
    tokenizer = checkpoint.load_model_tokenizer(source)
    tokenizer.encode_special_tokens = True
    model = TokenTagger(encoder.config, len(LABELS))
    model.bert.load_state_dict(encoder.bert.state_dict())
    special = special_ids(encoder.config.vocab_size)
    rows = token_rows(samples, tokenizer, special, min(plan.window, encoder.config.n_positions))
    device = choose_device(RunConfig())
    precision = choose_precision(RunConfig(), device)
    model.to(device).train()
    config = OptimConfig(lr=plan.lr, muon_lr=plan.muon_lr, weight_decay=0.01)
    optimizers = make_optimizers(model, config, ns_dtype=precision)
    peaks = peak_lrs(optimizers, config)
    rng = np.random.default_rng(plan.seed)
    for step in range(plan.steps):
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * _lr_ratio(step, plan.steps)
        chosen = rng.choice(len(rows), size=min(plan.batch, len(rows)), replace=False)
        ids, labels = _batch([rows[number] for number in chosen], special.pad)
        with autocast(device, precision):
            logits = model(torch.from_numpy(ids).to(device))
        targets = torch.from_numpy(labels).to(device).flatten()
        loss = functional.cross_entropy(logits.float().flatten(0, 1), targets)
        if not torch.isfinite(loss):
            raise DivergedError(f"the loss is {float(loss)} in step {step}; lower the --lr")
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        on_progress(step + 1, float(loss.detach()))
    return model.cpu().eval(), tokenizer


def write_tagger(
    folder: Path, model: TokenTagger, tokenizer: Tokenizer, record: dict[str, Any]
) -> Path:
    """Write the served folder, in eight bits; `record` is what its manifest says of the training.

    Raises:
        CheckpointError: it cannot be written.
    """
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    graph = build_encoder_graph(model.config, weights, int8=True).SerializeToString()
    config = {
        **hf_config(model.config),
        "architectures": ["BertForTokenClassification"],
        "id2label": {str(number): name for number, name in enumerate(LABELS)},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        (folder / GRAPH).write_bytes(graph)
        (folder / CONFIG).write_text(json_text(config), encoding="utf-8")
        save_tokenizer(tokenizer, folder)
        names = (GRAPH, CONFIG, TOKENIZER)
        digests = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}
        manifest = {**record, "bytes": len(graph), "sha256": digests[GRAPH], "files": digests}
        (folder / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
    except OSError as error:
        raise CheckpointError(
            f"cannot write {folder}: {error.strerror}; choose another folder"
        ) from error
    return folder


def _batch(rows: Sequence[tuple[Ids, Ids]], pad: int) -> tuple[Ids, Ids]:
    width = -(-max(len(ids) for ids, _ in rows) // _ROUND_TO) * _ROUND_TO
    ids = np.full((len(rows), width), pad, dtype=np.int64)
    labels = np.full((len(rows), width), -100, dtype=np.int64)
    for number, (own_ids, own_labels) in enumerate(rows):
        ids[number, : len(own_ids)] = own_ids
        labels[number, : len(own_labels)] = own_labels
    return ids, labels


def _lr_ratio(step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / _WARMUP)
    return warm * 0.5 * (1 + math.cos(math.pi * step / steps))
