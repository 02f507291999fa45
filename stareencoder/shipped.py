"""The encoder that comes with the package, and whether it is what was shipped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from stareencoder.errors import EncoderFolderError

ENCODER = "starencoder-tiny"
SHIPPED = Path(__file__).with_name("shipped") / ENCODER
GRAPH, TOKENIZER, CONFIG, MANIFEST = "model.onnx", "tokenizer.json", "config.json", "manifest.json"


def verify_encoder(folder: Path = SHIPPED) -> None:
    """Compare every file of a served folder with the digest in its manifest.

    Raises:
        EncoderFolderError: one differs or is missing, or there is no manifest.
    """
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"].items()
        wrong = [
            name
            for name, wanted in files
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EncoderFolderError(
            f"{folder} holds no whole encoder: {error}; install Starcite again"
        ) from error
    if wrong:
        raise EncoderFolderError(
            f"{folder / wrong[0]} is not what its manifest says; install Starcite again"
        )
