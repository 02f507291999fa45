"""Weights on disk: our folders, transformers', and the published StarEncoder's and StarPII's.

They differ in three ways, and all are read: weights in `model.safetensors` or `pytorch_model.bin`;
names with or without `bert.`; heads that are there or not.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from stareencoder.config import EncoderConfig, config_from_hf, labels_of
from stareencoder.errors import EncoderFolderError
from stareencoder.model import LEXICAL, StarEncoder, TokenTagger

CONFIG = "config.json"
_HEADS = ("cls.", "classifier.")
_OTHERS = (*_HEADS, LEXICAL)  # what does not belong to the trunk
# Tied to the embedding and its bias, or constant: written by some versions of transformers.
_SUPERFLUOUS = ("cls.predictions.decoder.", "bert.embeddings.position_ids")


def read_table(folder: Path) -> dict[str, Any]:
    """What `config.json` says.

    Raises:
        EncoderFolderError: it is missing or damaged.
    """
    path = folder / CONFIG
    try:
        table = json.loads(path.read_bytes())
    except OSError as error:
        raise EncoderFolderError(
            f"no encoder in {folder}: {error.strerror}; check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise EncoderFolderError(f"{path} is damaged: {error}; use another copy") from error
    if not isinstance(table, dict):
        raise EncoderFolderError(f"{path} is damaged: it holds no table; use another copy")
    return table


def read_config(folder: Path) -> EncoderConfig:
    """The shape of the model in a folder.

    Raises:
        EncoderFolderError: `config.json` is missing, damaged or of another kind of model.
    """
    return config_from_hf(read_table(folder), where=str(folder / CONFIG))


def load_encoder(folder: Path) -> tuple[StarEncoder, list[str]]:
    """The encoder of a folder in evaluation mode, and the parameters that it had no weights for.

    A folder without the heads of training gives an encoder whose vectors are right and whose heads
    are as they were drawn.

    Raises:
        EncoderFolderError: it is missing, damaged or of another shape than it says.
    """
    model = StarEncoder(read_config(folder))
    return model.eval(), _load(model, load_weights(folder), folder)


def load_tagger(folder: Path) -> tuple[TokenTagger, list[str]]:
    """The tagger of a folder in evaluation mode, and its labels in the order of the logits.

    Raises:
        EncoderFolderError: it is missing, damaged or no tagger.
    """
    labels = labels_of(read_table(folder), where=str(folder / CONFIG))
    model = TokenTagger(read_config(folder), len(labels))
    missing = _load(model, load_weights(folder), folder)
    if any(name.startswith("classifier.") for name in missing):
        raise EncoderFolderError(f"{folder} holds no classifier; use the folder of a tagger")
    return model.eval(), labels


def load_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a folder, float32, all under the names that our models have.

    Raises:
        EncoderFolderError: there are none, or they are damaged.
    """
    files = sorted([*folder.glob("model*.safetensors"), *folder.glob("pytorch_model*.bin")])
    if not files:
        raise EncoderFolderError(
            f"no model.safetensors or pytorch_model.bin in {folder}; check the path"
        )
    weights: dict[str, Tensor] = {}
    for file in files:
        weights |= _read(file)
    named = {
        name if name.startswith(("bert.", *_OTHERS)) else f"bert.{name}": tensor.float()
        for name, tensor in weights.items()
    }
    return {name: one for name, one in named.items() if not name.startswith(_SUPERFLUOUS)}


def _read(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, ValueError, RuntimeError, EOFError) as error:
        raise EncoderFolderError(f"{file} is damaged: {error}; use another copy") from error
    except pickle.UnpicklingError as error:
        raise EncoderFolderError(f"{file} holds more than weights; use another copy") from error
    if not isinstance(found, dict) or not all(isinstance(one, Tensor) for one in found.values()):
        raise EncoderFolderError(f"{file} holds no table of weights; use another copy")
    return found


def _load(model: nn.Module, weights: Mapping[str, Tensor], folder: Path) -> list[str]:
    """Put weights into a model; heads may be missing, and heads of another task are left out."""
    known = model.state_dict()
    used = {name: one for name, one in weights.items() if name in known}
    odd = [name for name in weights if name not in known and not name.startswith(_OTHERS)]
    missing = [name for name in known if name not in used]
    needed = [one for one in missing if not one.startswith((*_HEADS, "bert.pooler."))]
    if odd or needed:
        raise EncoderFolderError(
            f"the weights in {folder} do not fit: {(odd or needed)[0]} is "
            f"{'unknown' if odd else 'missing'}; use another copy"
        )
    try:
        model.load_state_dict(used, strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise EncoderFolderError(f"the weights in {folder} do not fit: {reason}") from error
    return missing
