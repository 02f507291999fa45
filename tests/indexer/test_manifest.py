"""The manifest is what was written or a clean error."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import manifest as module
from indexer.errors import (
    IndexDamagedError,
    IndexerError,
    IndexFormatError,
    IndexMissingError,
)
from indexer.manifest import FILE_NAME, FORMAT, Manifest, read_manifest, write_manifest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def manifest(index_path: Path) -> Manifest:
    return read_manifest(index_path)


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path, manifest: Manifest) -> None:
    """Writing and reading give an equal value, and leave only the manifest behind."""
    write_manifest(tmp_path, manifest)

    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_no_manifest_is_no_index(tmp_path: Path) -> None:
    """A folder without one, a missing folder and a file are told apart from damage."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(IndexMissingError, match="run: starcite index build") as caught:
            read_manifest(path)

        assert str(path) in str(caught.value)


@pytest.mark.parametrize("found", [0, FORMAT + 1, 99])
def test_another_format_is_refused_by_number(
    tmp_path: Path, manifest: Manifest, found: int
) -> None:
    """The message names the format found, the one that is read, and what to do."""
    write_manifest(tmp_path, replace(manifest, format=found))

    with pytest.raises(IndexFormatError, match=rf"format {found}, .* reads format {FORMAT}; run:"):
        read_manifest(tmp_path)


@given(data=st.data())
def test_any_changed_byte_is_seen(
    tmp_path_factory: pytest.TempPathFactory, manifest: Manifest, data: st.DataObject
) -> None:
    """Also in whitespace and in a checksum, and wherever the manifest is cut."""
    folder = tmp_path_factory.mktemp("manifest")
    write_manifest(folder, manifest)
    written = (folder / FILE_NAME).read_bytes()
    position = data.draw(st.integers(0, len(written) - 1))
    flipped = bytearray(written)
    flipped[position] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(flipped), written[:position], written + b" "):
        (folder / FILE_NAME).write_bytes(damaged)

        with pytest.raises((IndexDamagedError, IndexFormatError)):
            read_manifest(folder)


@given(JSON)
def test_any_other_json_is_a_clean_error(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    """Whatever else a JSON file may hold is reported as damage that names the file."""
    path = tmp_path_factory.mktemp("manifest") / FILE_NAME
    path.write_text(json.dumps(value))

    with pytest.raises(IndexDamagedError, match=r"manifest\.json is damaged"):
        read_manifest(path.parent)


@given(key=st.sampled_from(["files", "segments", "k"]), value=JSON)
def test_fields_of_the_wrong_kind_are_a_clean_error(
    tmp_path_factory: pytest.TempPathFactory, manifest: Manifest, key: str, value: Any
) -> None:
    """Even under a checksum that fits, a field of another type never becomes a traceback."""
    folder = tmp_path_factory.mktemp("manifest")
    record = {**asdict(manifest), key: value}
    (folder / FILE_NAME).write_bytes(module._serialise(record))
    try:
        found = read_manifest(folder)
    except IndexerError:
        return

    assert (list(found.segments), dict(found.files), found.k) != (
        list(manifest.segments),
        dict(manifest.files),
        manifest.k,
    ) or value == getattr(manifest, key)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "a\\b", ""])
def test_names_that_lead_out_of_the_index_are_refused(
    tmp_path: Path, manifest: Manifest, name: str
) -> None:
    """A manifest cannot make a reader open files elsewhere."""
    entry = next(iter(manifest.files.values()))
    write_manifest(tmp_path, replace(manifest, files={name: entry}))

    with pytest.raises(IndexDamagedError, match="leads out of the index"):
        read_manifest(tmp_path)


def test_deeply_nested_json_is_a_clean_error(tmp_path: Path) -> None:
    """A file made to exhaust the parser is damage like any other."""
    (tmp_path / FILE_NAME).write_text("[" * 200_000)

    with pytest.raises(IndexDamagedError, match="no valid JSON"):
        read_manifest(tmp_path)
