"""What a model folder is, in one number: results are of these very weights or of others."""

from __future__ import annotations

import hashlib
from pathlib import Path

_WEIGHTS = ("*.safetensors", "*.bin", "*.onnx")


def model_digest(folder: Path) -> str:
    """Equal for model folders that hold the same weights and the same tokenizer."""
    total = hashlib.sha256()
    files = [file for pattern in _WEIGHTS for file in folder.glob(pattern)]
    for path in sorted([*files, folder / "tokenizer.json"]):
        total.update(path.name.encode())
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
