"""Arrays on disk are .npy files that come back as they were, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import IndexDamagedError
from indexer.store.arrays import Spill, open_array, open_bytes, write_array

DTYPES = st.sampled_from(["u1", "u4", "i8"])


@given(st.lists(st.lists(st.integers(0, 255), max_size=20), max_size=5), DTYPES)
def test_chunks_come_back_as_one_array(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[list[int]], dtype: str
) -> None:
    """Our reader and numpy's own both read what was written in chunks."""
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    expected = [value for chunk in chunks for value in chunk]
    write_array(path, (np.array(c, dtype=dtype) for c in chunks), dtype=dtype, length=len(expected))

    assert open_array(path, dtype=dtype).tolist() == expected
    assert np.load(path).tolist() == expected


def test_an_array_cannot_be_written_to(tmp_path: Path) -> None:
    """A reader never changes an index."""
    write_array(tmp_path / "a.npy", [np.arange(3)], dtype=np.int64, length=3)
    with pytest.raises(ValueError, match="read-only"):
        open_array(tmp_path / "a.npy", dtype=np.int64)[0] = 1


@given(data=st.data())
def test_no_damaged_header_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any other byte in the header, another length or another type is damage, named by file."""
    path = tmp_path_factory.mktemp("arrays") / "a.npy"
    write_array(path, [np.arange(50)], dtype=np.int64, length=50)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[data.draw(st.integers(0, 127))] ^= data.draw(st.integers(1, 255))
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    for content, dtype in ((flipped, "i8"), (cut, "i8"), (whole + b"\0", "i8"), (whole, "u4")):
        path.write_bytes(content)

        with pytest.raises(IndexDamagedError, match=r"a\.npy is damaged"):
            open_array(path, dtype=dtype)


def test_missing_and_empty_files_are_damage(tmp_path: Path) -> None:
    """Each is an error that names the file."""
    (tmp_path / "empty").touch()
    for name in ("missing", "empty"):
        with pytest.raises(IndexDamagedError, match=name):
            open_array(tmp_path / name, dtype=np.int64)
        with pytest.raises(IndexDamagedError, match=name):
            open_bytes(tmp_path / name)


def test_a_wrong_length_is_a_mistake_of_the_writer(tmp_path: Path) -> None:
    """The declared length is held against what was written."""
    with pytest.raises(ValueError, match="2 values written, 3 declared"):
        write_array(tmp_path / "a.npy", [np.arange(2)], dtype=np.int64, length=3)


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=9), max_size=9))
def test_a_spill_can_be_read_as_often_as_wanted(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[list[int]]
) -> None:
    """What was put aside comes back in order, also between two appends, and is then gone."""
    path = tmp_path_factory.mktemp("spill") / "values"
    spill = Spill(path)
    seen: list[int] = []
    for chunk in chunks:
        spill.append(np.array(chunk, dtype=np.uint64))
        seen += chunk

        assert [v for values in spill.chunks() for v in values.tolist()] == seen
        assert len(spill) == len(seen)
    spill.discard()

    assert not path.exists()
