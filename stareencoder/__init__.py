"""The code encoder (BERT style, after the StarCoder paper's StarEncoder); the leaf of the house.

`Encoder` turns texts into unit vectors without torch. The model itself, in torch, is `model`; it is
imported by who trains it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stareencoder.errors import EncoderError, EncoderFolderError
from stareencoder.shipped import verify_encoder

if TYPE_CHECKING:
    from stareencoder.encoder import Encoder as Encoder

__all__ = ["Encoder", "EncoderError", "EncoderFolderError", "verify_encoder"]


def __getattr__(name: str) -> Any:
    if name != "Encoder":  # which needs ONNX Runtime
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("stareencoder.encoder").Encoder
