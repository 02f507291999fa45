"""Small files that look like models: a GGUF header, and folders with a manifest."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from lsp_server.models import ModelManifest, models_path, write_manifest


def gguf_bytes(tokens: dict[str, int], context_length: int = 2048) -> bytes:
    """A GGUF header with a vocabulary of `{token: kind}`; kinds 3 and 4 are special."""

    def string(text: str) -> bytes:
        data = text.encode()
        return struct.pack("<Q", len(data)) + data

    def pair(key: str, kind: int, value: bytes) -> bytes:
        return string(key) + struct.pack("<I", kind) + value

    names = struct.pack("<IQ", 8, len(tokens)) + b"".join(map(string, tokens))
    kinds = struct.pack(f"<IQ{len(tokens)}i", 5, len(tokens), *tokens.values())
    pairs = [
        pair("general.architecture", 8, string("llama")),
        pair("llama.context_length", 4, struct.pack("<I", context_length)),
        pair("llama.rope.freq_base", 6, struct.pack("<f", 1e4)),
        pair("tokenizer.ggml.tokens", 9, names),
        pair("tokenizer.ggml.token_type", 9, kinds),
    ]
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs)


def install(name: str, data: bytes = b"GGUF", *, family: str = "smollm2") -> Path:
    """Make a model folder under STARCITE_HOME; returns the model's file."""
    folder = models_path() / name
    folder.mkdir(parents=True)
    file = folder / "model.gguf"
    file.write_bytes(data)
    write_manifest(
        folder,
        ModelManifest(
            name=name,
            file=file.name,
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            family=family,
            license="Apache-2.0",
            source="a test",
            context_length=2048,
            fim=None,
        ),
    )
    return file
