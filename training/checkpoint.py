"""Checkpoints and model folders: everything that a run needs to go on as if nothing had happened.

    step-00001200/
      model.safetensors    the weights, float32, by the names of transformers' GPTBigCode
      config.json          the shape, as transformers reads it
      tokenizer.json       the tokenizer
      optimizer.pt         the optimisers' states and the random generators'
      manifest.json        recipe, step, tokens, seconds, data order, corpus; written last

A **model folder** is the same without `optimizer.pt`; `transformers` loads it, too. Folders are
written under another name and renamed, so that none is ever seen half-written.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from indexer.manifest import sync_folder
from stareencoder import config as encoders
from stareencoder.config import EncoderConfig
from stareencoder.errors import EncoderError
from training.config import DecoderConfig
from training.decoder import Decoder
from training.errors import CheckpointError
from training.tokenizer import load_tokenizer, save_tokenizer

FORMAT = 1
WEIGHTS, CONFIG, OPTIMIZER, MANIFEST = (
    "model.safetensors",
    "config.json",
    "optimizer.pt",
    "manifest.json",
)
_PREFIX = "step-"


def write_model(
    folder: Path,
    weights: Mapping[str, Tensor],
    config: DecoderConfig | EncoderConfig,
    tokenizer: Tokenizer,
    manifest: Mapping[str, Any],
    *,
    state: Mapping[str, Any] | None = None,
) -> None:
    """Write a model folder, or a checkpoint where `state` is what `optimizer.pt` shall hold.

    Raises:
        CheckpointError: it cannot be written.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()},
            partial / WEIGHTS,
            metadata={"format": "pt"},
        )
        _write_json(partial / CONFIG, hf_config(config))
        save_tokenizer(tokenizer, partial)
        if state is not None:
            torch.save(state, partial / OPTIMIZER)
        _write_json(partial / MANIFEST, {"format": FORMAT, **manifest})
        for file in partial.iterdir():
            _sync(file)
        sync_folder(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise CheckpointError(
            f"cannot write {folder}: {error.strerror or error}; free some space and run again"
        ) from error


def checkpoints(run: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(path for path in run.glob(f"{_PREFIX}*") if (path / MANIFEST).is_file())


def checkpoint_path(run: Path, step: int) -> Path:
    """Where the checkpoint after so many steps goes."""
    return run / f"{_PREFIX}{step:08}"


def prune(run: Path, keep: int) -> None:
    """Remove all but the newest checkpoints, and what a killed run left half-written."""
    for path in [*checkpoints(run)[:-keep], *run.glob(f".{_PREFIX}*.partial")]:
        shutil.rmtree(path, ignore_errors=True)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a model folder says of itself.

    Raises:
        CheckpointError: there is none, or it is damaged or of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        found = manifest["format"]
    except OSError as error:
        raise CheckpointError(
            f"no model in {folder}: {error.strerror}; train one: starcite train fit --help"
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error!r}; use another checkpoint") from error
    if found != FORMAT:
        raise CheckpointError(f"{path} has format {found!r}, this version reads {FORMAT}")
    return dict(manifest)


def read_config(folder: Path) -> DecoderConfig | EncoderConfig:
    """The shape of a model folder, a decoder's or an encoder's.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    path = folder / CONFIG
    try:
        is_encoder = json.loads(path.read_bytes())["model_type"] == "bert"
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        is_encoder = False
    if not is_encoder:
        return read_decoder_config(folder)
    try:
        return encoders.config_from_hf(json.loads(path.read_bytes()), where=str(path))
    except EncoderError as error:
        raise CheckpointError(str(error)) from error


def read_decoder_config(folder: Path) -> DecoderConfig:
    """The shape of a decoder's folder, ours or one that transformers has written.

    Raises:
        CheckpointError: it is missing, damaged or no multi-query GPTBigCode.
    """
    path = folder / CONFIG
    try:
        table = json.loads(path.read_bytes())
        if table["model_type"] != "gpt_bigcode" or not table.get("multi_query", True):
            raise CheckpointError(
                f"{path} describes a {table['model_type']} model, not a multi-query gpt_bigcode; "
                "load it with the engine `transformers`"
            )
        return DecoderConfig(
            n_layer=table["n_layer"],
            n_embd=table["n_embd"],
            n_head=table["n_head"],
            n_inner=table.get("n_inner") or 0,
            n_positions=table["n_positions"],
            vocab_size=table["vocab_size"],
            dropout=table.get("resid_pdrop", 0.0),
        )
    except OSError as error:
        raise CheckpointError(f"no model in {folder}: {error.strerror}; check the path") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: {error!r}; use another model folder") from error


def load_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a folder, by name, float32; in one file or in transformers' shards.

    Raises:
        CheckpointError: they are missing or damaged.
    """
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise CheckpointError(f"no model*.safetensors in {folder}; check the path")
    weights: dict[str, Tensor] = {}
    for file in files:
        try:
            weights |= load_file(file)
        except (OSError, SafetensorError, ValueError) as error:
            raise CheckpointError(f"{file} is damaged: {error}; use another copy") from error
    weights.pop("lm_head.weight", None)  # tied to the embedding
    return {name: tensor.float() for name, tensor in weights.items()}


def load_decoder(folder: Path) -> Decoder:
    """The decoder of a model folder, in evaluation mode, on the CPU.

    Raises:
        CheckpointError: it is missing, damaged or of another shape than it says.
    """
    model = Decoder(read_decoder_config(folder))
    load_into(model, load_weights(folder), folder)
    return model.eval()


def load_into(
    model: nn.Module, weights: Mapping[str, Tensor], folder: Path, *, may_lack: str | None = None
) -> None:
    """Put weights into a model; those whose names begin with `may_lack` can stay as they are.

    Raises:
        CheckpointError: names or shapes do not fit.
    """
    own = model.state_dict()
    kept = {name: own[name] for name in own if may_lack and name.startswith(may_lack)}
    try:
        model.load_state_dict({**kept, **weights})
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise CheckpointError(f"the weights in {folder} do not fit: {reason}") from error


def load_state(folder: Path) -> dict[str, Any]:
    """What `optimizer.pt` holds.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    path = folder / OPTIMIZER
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except OSError as error:
        raise CheckpointError(
            f"no {OPTIMIZER} in {folder}: {error.strerror}; start from its weights with --from"
        ) from error
    except Exception as error:
        raise CheckpointError(f"{path} is damaged: {error}; use an older checkpoint") from error
    return state


def load_model_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder.

    Raises:
        TokenizerError: it is missing or not of the family.
    """
    return load_tokenizer(folder)


def hf_config(config: DecoderConfig | EncoderConfig) -> dict[str, Any]:
    """`config.json` as transformers' `GPTBigCodeConfig` or `BertConfig` has it."""
    if isinstance(config, EncoderConfig):
        return encoders.hf_config(config)
    return {
        "architectures": ["GPTBigCodeForCausalLM"],
        "model_type": "gpt_bigcode",
        "activation_function": "gelu_pytorch_tanh",
        "attention_softmax_in_fp32": True,
        "attn_pdrop": config.dropout,
        "bos_token_id": 0,
        "embd_pdrop": config.dropout,
        "eos_token_id": 0,
        "initializer_range": config.std,
        "layer_norm_epsilon": 1e-05,
        "multi_query": True,
        "n_embd": config.n_embd,
        "n_head": config.n_head,
        "n_inner": config.inner,
        "n_layer": config.n_layer,
        "n_positions": config.n_positions,
        "resid_pdrop": config.dropout,
        "scale_attention_softmax_in_fp32": True,
        "scale_attn_weights": True,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": config.vocab_size,
    }


def half(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as float16, for a copy that is kept and from which training can go on."""
    return {name: tensor.detach().cpu().half() for name, tensor in weights.items()}


def json_text(table: Mapping[str, Any]) -> str:
    """The JSON of a manifest or a configuration: the same values, the same bytes."""
    return json.dumps(table, indent=1, sort_keys=True) + "\n"


def _write_json(path: Path, table: Mapping[str, Any]) -> None:
    path.write_text(json_text(table), encoding="utf-8")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
