"""The header of a GGUF file, whole or cut anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp_server.errors import ModelDamagedError
from lsp_server.gguf import read_header
from tests.lsp_server.models_on_disk import gguf_bytes

WHOLE = gguf_bytes({"<fim_prefix>": 3, "user": 4, "plain": 1}, context_length=4096)


def test_the_header_says_what_the_model_is(tmp_path: Path) -> None:
    """Architecture, context length and the special tokens are read."""
    path = tmp_path / "m.gguf"
    path.write_bytes(WHOLE + b"tensors")
    header = read_header(path)

    assert (header.architecture, header.context_length) == ("llama", 4096)
    assert header.special_tokens == {"<fim_prefix>", "user"}


@pytest.mark.parametrize("n_bytes", range(0, len(WHOLE), 7))
def test_a_truncated_header_is_an_error_of_ours(tmp_path: Path, n_bytes: int) -> None:
    """Wherever the file was cut, the message names it."""
    path = tmp_path / "m.gguf"
    path.write_bytes(WHOLE[:n_bytes])

    with pytest.raises(ModelDamagedError, match=r"m\.gguf"):
        read_header(path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    """Version 1 of the format had another layout."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF\x01" + WHOLE[5:])

    with pytest.raises(ModelDamagedError, match="version 1"):
        read_header(path)
