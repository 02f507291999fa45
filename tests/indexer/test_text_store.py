"""The text store gives back what it took, or says that it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import IndexDamagedError
from indexer.store.text_store import TEXT_NAME, TextReader, TextWriter
from indexer.text.normalize import to_bytes, to_text

TEXTS = st.lists(st.text(), min_size=1, max_size=8)


def build(folder: Path, texts: list[bytes]) -> TextReader:
    writer = TextWriter(folder)
    for text in texts:
        writer.add(text)
    writer.finish()
    return TextReader(folder)


@given(st.text(st.characters()))
def test_any_text_survives_the_way_to_bytes_and_back(text: str) -> None:
    """Also line endings of every kind and the lone surrogates of an editor."""
    assert to_text(to_bytes(text + "\ud800\r\n")) == text + "\ud800\r\n"


@given(TEXTS)
def test_texts_come_back_and_offsets_find_their_document(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """Every text is returned as it was, and each byte's offset leads to its own document."""
    stored = [to_bytes(text) for text in texts]
    reader = build(tmp_path_factory.mktemp("text"), stored)
    expected = [(i, k) for i, text in enumerate(stored) for k in range(len(text))]
    numbers, offsets = reader.locate(np.arange(len(expected), dtype=np.int64))

    assert [reader.read(i) for i in range(len(reader))] == stored
    assert list(zip(numbers.tolist(), offsets.tolist(), strict=True)) == expected


def test_no_flipped_bit_gives_a_wrong_text(tmp_path: Path) -> None:
    """A stored text is right or an error that names the file: frames carry checksums."""
    text = b"def f(x):\n    return x + 1\n" * 5
    build(tmp_path, [text])
    path = tmp_path / TEXT_NAME
    whole = path.read_bytes()
    wrong = []
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = TextReader(tmp_path).read(0)
        except IndexDamagedError as error:
            assert TEXT_NAME in str(error)  # noqa: PT017
            continue
        wrong += [position] if found != text else []

    assert wrong == []
