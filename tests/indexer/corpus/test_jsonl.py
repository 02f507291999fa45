"""JSON lines become records, whatever else is in the file."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.corpus import streams
from indexer.corpus.filters import MAX_FILE_BYTES, SkipReason
from indexer.corpus.jsonl import read_jsonl
from indexer.corpus.rows import COLUMNS
from indexer.corpus.skips import Skip
from indexer.corpus.streams import LineTooLong, read_lines
from indexer.source_file import Origin, SourceFile

_PLAIN = {"content": "x = 1\n", "path": "pkg/a.py", "repo": "ann/tools", "license": "MIT"}


def _read(path: Path) -> tuple[list[SourceFile], list[Skip]]:
    skips: list[Skip] = []
    return list(read_jsonl(path, on_skip=skips.append)), skips


def _read_row(folder: Path, row: object) -> SourceFile | SkipReason:
    path = folder / "data.jsonl"
    path.write_text(json.dumps(row) + "\n")
    files, skips = _read(path)
    assert len(files) + len(skips) == 1
    return files[0] if files else skips[0].reason


def test_plain_fields(tmp_path: Path) -> None:
    """A row with content, path, repo and license says where its text was published."""
    expected = SourceFile(
        text="x = 1\n",
        language="python",
        origin=Origin(
            source="jsonl",
            name="ann/tools",
            version="",
            path="pkg/a.py",
            spdx_id="MIT",
            license_evidence="license: MIT",
            repository="ann/tools",
        ),
    )

    assert expected == _read_row(tmp_path, _PLAIN)


def test_starcoderdata_fields(tmp_path: Path) -> None:
    """The columns of StarCoderData are known, with the stars."""
    row = {
        "max_stars_repo_path": "src/a.h",
        "max_stars_repo_name": "ann/tools",
        "max_stars_count": 12.0,
        "max_stars_repo_licenses": ["MIT", "Apache-2.0 OR ISC"],
        "max_stars_repo_head_hexsha": "0123456789abcdef0123",
        "lang": "C++",
        "content": "int x;\n",
    }
    file = _read_row(tmp_path, row)

    assert isinstance(file, SourceFile)
    assert (file.stars, file.language, file.origin.source) == (12, "cpp", "stack")
    assert (file.origin.version, file.origin.revision) == ("0123456789ab", "0123456789abcdef0123")
    assert file.origin.spdx_id == "(Apache-2.0 OR ISC) AND MIT"


def test_row_without_a_license(tmp_path: Path) -> None:
    """A licence's mere kind is no licence: the row says NOASSERTION and keeps what was stated."""
    row = {"content": "x = 1\n", "path": "a.py", "license_type": "permissive"}
    file = _read_row(tmp_path, row)

    assert isinstance(file, SourceFile)
    assert file.origin.spdx_id == "NOASSERTION"
    assert file.origin.license_evidence == "license_type: permissive"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"content": ""}, SkipReason.NO_TEXT),
        ({"content": " \n"}, SkipReason.EMPTY),
        ({"content": "a\0b"}, SkipReason.BINARY),
        ({"content": "\ud800"}, SkipReason.UNDECODABLE),
        ({"content": "x" * (MAX_FILE_BYTES + 1)}, SkipReason.TOO_LARGE),
        ({"content": 7}, SkipReason.WRONG_TYPE),
        ({"path": ["a.py"]}, SkipReason.WRONG_TYPE),
        ({"path": "\ud800.py"}, SkipReason.WRONG_TYPE),
        ({"stars": "many"}, SkipReason.WRONG_TYPE),
        ({"license": [1]}, SkipReason.WRONG_TYPE),
        ({"path": "a\n.py"}, SkipReason.NOT_SOURCE),
        ({"path": "data.bin"}, SkipReason.NOT_SOURCE),
        ({"path": "vendor/a.py"}, SkipReason.VENDORED),
        ({"is_vendor": True}, SkipReason.VENDORED),
        ({"is_generated": True}, SkipReason.GENERATED),
        ({"is_generated": "yes"}, SkipReason.WRONG_TYPE),
    ],
)
def test_row_that_is_left_out(
    tmp_path: Path, change: dict[str, object], reason: SkipReason
) -> None:
    """A row that can be no text of the corpus is told with its reason."""
    assert reason == _read_row(tmp_path, {**_PLAIN, **change})


def test_damaged_lines_do_not_end_the_file(tmp_path: Path) -> None:
    """After broken, foreign, too deep and undecodable lines, the next record is read."""
    lines = [
        b'{"content": "x',
        b"[1, 2]",
        b"[" * 100_000,
        b'{"content": "\xff"}',
        b"9" * 5000,
        b"",
        json.dumps(_PLAIN).encode(),
    ]
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(lines))
    files, skips = _read(path)

    assert len(files) == 1
    assert [(skip.path, skip.reason) for skip in skips] == [
        ("data.jsonl:1", SkipReason.DAMAGED),
        ("data.jsonl:2", SkipReason.WRONG_TYPE),
        ("data.jsonl:3", SkipReason.TOO_DEEP),
        ("data.jsonl:4", SkipReason.UNDECODABLE),
        ("data.jsonl:5", SkipReason.DAMAGED),
    ]


def test_line_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line over the bound is counted and passed over; its neighbours are read."""
    monkeypatch.setattr(streams, "MAX_LINE_BYTES", 200)
    row = json.dumps(_PLAIN)
    path = tmp_path / "data.jsonl"
    path.write_text(f"{row}\n{'x' * 3_000_000}\n{row}\n{'y' * 201}")
    files, skips = _read(path)

    assert len(files) == 2
    assert [(skip.path, skip.reason) for skip in skips] == [
        ("data.jsonl:2", SkipReason.LONG_RECORD),
        ("data.jsonl:4", SkipReason.LONG_RECORD),
    ]


def _pack(suffix: str, data: bytes) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data)
    return zstandard.compress(data) if suffix == ".zst" else data


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@given(data=st.binary(max_size=300).map(lambda b: b * 3), n_frames=st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_lines_of_every_compression(suffix: str, data: bytes, n_frames: int) -> None:
    """Packed files give the lines of the plain file, also of several frames in one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"data.jsonl{suffix}")
        path.write_bytes(_pack(suffix, data) * n_frames)

        assert list(io.BytesIO(data * n_frames)) == list(read_lines(path))


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_truncated_archive(tmp_path: Path, suffix: str) -> None:
    """Of a truncated file all whole records before the cut are given, and the cut is told."""
    rows = [{**_PLAIN, "path": f"{n * 7919 % 1000003}.py"} for n in range(20_000)]
    whole = _pack(suffix, "".join(json.dumps(row) + "\n" for row in rows).encode())
    path = tmp_path / f"data.jsonl{suffix}"
    path.write_bytes(whole[: len(whole) // 2])
    files, skips = _read(path)

    assert 0 < len(files) < len(rows)
    assert [file.origin.path for file in files] == [row["path"] for row in rows[: len(files)]]
    assert SkipReason.DAMAGED in {skip.reason for skip in skips}


def test_zstd_that_unpacks_to_much_more(tmp_path: Path) -> None:
    """A small file of one endless line is read in bounded memory and counted once."""
    path = tmp_path / "data.jsonl.zst"
    path.write_bytes(zstandard.compress(b"0" * 60_000_000))

    assert [LineTooLong] == [type(line) for line in read_lines(path)]


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_NAMES = sorted({name for names in COLUMNS.values() for name in names})
_NAMES += ["events", "comments", "title", "body", "user", "old_contents", "new_contents"]


@given(row=st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=6))
@settings(max_examples=300, deadline=None)
def test_any_value_in_any_column(row: dict[str, Any]) -> None:
    """Whatever type stands in a column, a row is one record or one skip, and never an error."""
    with tempfile.TemporaryDirectory() as folder:
        _read_row(Path(folder), row)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@given(data=st.binary(max_size=400), cut=st.integers(0, 60), flip=st.integers(0, 500))
@settings(max_examples=60, deadline=None)
def test_any_bytes(suffix: str, data: bytes, cut: int, flip: int) -> None:
    """Random bytes, cut and flipped archives are never fatal."""
    packed = bytearray(_pack(suffix, data + json.dumps(_PLAIN).encode()))
    packed[flip % len(packed)] ^= 0x55
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"data.jsonl{suffix}")
        for content in (data, bytes(packed), bytes(packed[cut:])):
            path.write_bytes(content)
            files, _ = _read(path)
            assert all(file.text for file in files)


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A file that vanished is a skip, not an error."""
    _, skips = _read(tmp_path / "gone.jsonl")

    assert [skip.reason for skip in skips] == [SkipReason.DAMAGED]
