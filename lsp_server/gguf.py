"""Reads what a GGUF file says about itself: architecture, context length, special tokens.

Layout: the "GGUF format" specification of the ggml project, versions 2 and 3 (little endian).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.errors import ModelDamagedError

MAGIC = b"GGUF"
# value types of the specification that have a fixed size, as `struct` codes
SCALARS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
UINT32, UINT64 = 4, 10
STRING, ARRAY = 8, 9


@dataclass(frozen=True, kw_only=True)
class GgufHeader:
    """The part of a GGUF file's metadata that Starcite uses."""

    architecture: str
    context_length: int  # tokens; 0 where the file does not say
    license: str  # as the file says; "" where it does not
    special_tokens: frozenset[str]  # control and user-defined tokens of the vocabulary


def read_header(path: Path) -> GgufHeader:
    """Read a GGUF file's metadata without its tensors.

    Raises:
        ModelDamagedError: the file is not GGUF, is of another version, or ends in the header.
    """
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            raise ModelDamagedError(f"{path} is not a GGUF file; give a model in GGUF format")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                values = dict(_metadata(_Reader(data, 4), path))
            except (struct.error, IndexError, KeyError) as error:
                message = f"{path} ends or breaks off in its header; get the file anew"
                raise ModelDamagedError(message) from error
    architecture = str(values.get("general.architecture", ""))
    tokens = values.get("tokenizer.ggml.tokens") or []
    kinds = values.get("tokenizer.ggml.token_type") or [1] * len(tokens)
    return GgufHeader(
        architecture=architecture,
        context_length=int(values.get(f"{architecture}.context_length", 0)),
        license=str(values.get("general.license", "")),
        special_tokens=frozenset(
            token for token, kind in zip(tokens, kinds, strict=True) if kind in (3, 4)
        ),
    )


class _Reader:
    def __init__(self, data: mmap.mmap, position: int) -> None:
        self.data, self.position = data, position

    def scalar(self, kind: int) -> Any:
        code = "<" + SCALARS[kind]
        (value,) = struct.unpack_from(code, self.data, self.position)
        self.position += struct.calcsize(code)
        return value

    def string(self) -> str:
        (size,) = struct.unpack_from("<Q", self.data, self.position)
        start = self.position + 8
        if start + size > len(self.data):
            raise IndexError(size)
        self.position = start + size
        return self.data[start : start + size].decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind != ARRAY:
            return self.scalar(kind)
        item, count = self.scalar(UINT32), self.scalar(UINT64)
        if item in (STRING, ARRAY):
            return [self.value(item) for _ in range(count)]
        values = struct.unpack_from(f"<{count}{SCALARS[item]}", self.data, self.position)
        self.position += struct.calcsize(f"<{count}{SCALARS[item]}")
        return list(values)


def _metadata(reader: _Reader, path: Path) -> Iterator[tuple[str, Any]]:
    version = reader.scalar(UINT32)
    if version not in (2, 3):
        raise ModelDamagedError(f"{path} is GGUF version {version}; this version reads 2 and 3")
    reader.scalar(UINT64)  # the number of tensors
    for _ in range(reader.scalar(UINT64)):
        key = reader.string()
        yield key, reader.value(reader.scalar(UINT32))
