from __future__ import annotations

import contextlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.corpus.errors import CorpusDamagedError, CorpusMissingError
from indexer.corpus.filters import MAX_FILE_BYTES, SkipReason
from indexer.corpus.inventory import Archive
from indexer.corpus.packages import Skip, read_archive, read_corpus
from indexer.source_file import SourceFile

Read = Callable[[dict[str, bytes]], tuple[dict[str, SourceFile], dict[str, SkipReason]]]


@pytest.fixture
def read(tmp_path: Path, archive: Archive) -> Read:
    """Reads an archive of the given files: what became text by path, and what did not."""

    def run(files: dict[str, bytes]) -> tuple[dict[str, SourceFile], dict[str, SkipReason]]:
        path = tmp_path / "demo.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, data in files.items():
                opened.writestr(name, data)
        skips: list[Skip] = []
        found = list(read_archive(path, archive, on_skip=skips.append))
        return {f.origin.path: f for f in found}, {s.path: s.reason for s in skips}

    return run


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("demo/_vendor/six.py", b"x = 1\n", SkipReason.VENDORED),
        ("demo/static/vendor/jquery.js", b"var x = 1;\n", SkipReason.VENDORED),
        ("node_modules/left/index.js", b"var x = 1;\n", SkipReason.VENDORED),
        ("demo/Third_Party/a.py", b"x = 1\n", SkipReason.VENDORED),
        ("demo/data.json", b"{}\n", SkipReason.NOT_SOURCE),
        ("demo/lib.so", b"\x7fELF", SkipReason.NOT_SOURCE),
        ("demo/bell\x07.py", b"x = 1\n", SkipReason.NOT_SOURCE),
        ("demo/__init__.py", b"", SkipReason.EMPTY),
        ("demo/blank.py", b" \n\t\n\xef\xbb\xbf"[:3], SkipReason.EMPTY),
        ("demo/big.py", b"x = 1\n" * (MAX_FILE_BYTES // 6 + 1), SkipReason.TOO_LARGE),
        ("demo/nul.py", b"x = '\0'\n", SkipReason.BINARY),
        ("demo/latin.py", "x = 'é'\n".encode("latin-1"), SkipReason.UNDECODABLE),
        ("demo/latin.c", 'char *x = "é";\n'.encode("latin-1"), SkipReason.UNDECODABLE),
        ("demo/what.py", b"# coding: klingon\nx = 1\n", SkipReason.UNDECODABLE),
        ("demo/rot.py", b"# coding: rot13\nx = 1\n", SkipReason.UNDECODABLE),
        ("demo/seven.py", b"# coding: utf-7\nx = '+2AA-'\n", SkipReason.UNDECODABLE),
        ("demo/long.py", b"x = '" + b"a" * 1001 + b"'\n" + b"y = 1\n" * 99, SkipReason.LONG_LINES),
        ("demo/wide.py", (b"x = '" + b"a" * 120 + b"'\n") * 9, SkipReason.LONG_LINES),
    ],
)
def test_a_file_that_is_no_text_of_ours_has_a_reason(
    read: Read, path: str, data: bytes, reason: SkipReason
) -> None:
    """Vendored, generated, empty, huge, binary and undecodable files are left out by name."""
    found, skipped = read({path: data, "demo/kept.py": b"x = 1\n"})

    assert {path: reason} == skipped
    assert list(found) == ["demo/kept.py"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x = 1\r\ny = 2\r", "x = 1\r\ny = 2\r"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        ("# coding: latin-1\nx = 'é'\n".encode("latin-1"), "# coding: latin-1\nx = 'é'\n"),
        ("#!/usr/bin/env python\n# -*- coding: cp1252 -*-\nx = '€'\n".encode("cp1252"), None),
        ("x = '\N{SNOWMAN}\U0001f600'\n".encode(), "x = '\N{SNOWMAN}\U0001f600'\n"),
    ],
)
def test_text_is_decoded_by_its_declared_encoding(
    read: Read, data: bytes, text: str | None
) -> None:
    """PEP 263 is honoured, the byte order mark goes, and newlines stay as they are."""
    found, _ = read({"demo/a.py": data})

    assert (text or data.decode("cp1252")) == found["demo/a.py"].text


def test_files_come_in_the_order_of_their_paths_with_their_origin(
    read: Read, archive: Archive
) -> None:
    """The order in the zip does not matter, and each file says where it is from."""
    found, _ = read({"b.py": b"b = 1\n", "a/z.py": b"z = 1\n", "a.c": b"int a;\n"})

    assert list(found) == ["a.c", "a/z.py", "b.py"]
    assert found["a.c"].language == "c"
    origin = found["b.py"].origin
    assert (
        origin.source,
        origin.name,
        origin.version,
        origin.spdx_id,
    ) == ("pypi", "demo", "1.0", "MIT")
    assert archive.license_evidence == origin.license_evidence


def test_an_entry_that_lies_about_its_size_is_not_unpacked(
    tmp_path: Path, archive: Archive
) -> None:
    """A deflate bomb behind a small announced size is an error, not gigabytes of memory."""
    path = tmp_path / "bomb.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("demo/a.py", b"#" * 50_000_000)
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, directory + 24, 10)  # the announced size in the directory
    path.write_bytes(data)

    with pytest.raises(CorpusDamagedError, match=r"bomb\.whl"):
        list(read_archive(path, archive))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_cannot_be_bounded_is_refused(
    tmp_path: Path, archive: Archive, method: int
) -> None:
    """Only stored and deflated entries are read: the others have no bound in zipfile."""
    path = tmp_path / "odd.whl"
    with zipfile.ZipFile(path, "w", method) as opened:
        opened.writestr("demo/a.py", b"x = 1\n")

    with pytest.raises(CorpusDamagedError, match="neither stored nor deflated"):
        list(read_archive(path, archive))


def _small_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("demo/a.py", b"# coding: utf-8\nx = 1\n" * 20)
        opened.writestr("demo/b.c", b"int b;\n")
    return buffer.getvalue()


SMALL_ZIP = _small_zip()


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.tuples(st.integers(0, len(SMALL_ZIP) - 1), st.integers(0, 255)), max_size=6
        ).map(lambda changes: _changed(SMALL_ZIP, changes)),
        st.integers(0, len(SMALL_ZIP)).map(lambda n: SMALL_ZIP[:n]),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_bytes_are_an_archive_or_a_damage_error(
    tmp_path: Path, archive: Archive, data: bytes
) -> None:
    """Whatever a wheel holds, reading it raises nothing but CorpusDamagedError."""
    path = tmp_path / "any.whl"
    path.write_bytes(data)
    with contextlib.suppress(CorpusDamagedError):
        assert all(file.text.encode() for file in read_archive(path, archive))


def _changed(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for position, value in changes:
        changed[position] = value
    return bytes(changed)


@given(data=st.binary(max_size=200), is_python=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_text_or_has_a_reason(read: Read, data: bytes, is_python: bool) -> None:
    """No content of a file keeps the others from being read."""
    path = "a.py" if is_python else "a.c"
    found, skipped = read({path: data})

    assert (path in found) != (path in skipped)


def test_a_folder_without_a_corpus_says_what_to_run(tmp_path: Path) -> None:
    """A missing corpus is an error with the next step, not an empty one."""
    with pytest.raises(CorpusMissingError, match="starcite corpus fetch"):
        list(read_corpus(tmp_path / "nothing"))


@pytest.mark.parametrize(
    "marker", ["", "[]", "{", '{"format": 99}', '{"format": 1}', '{"format": 1, "archives": 3}']
)
def test_a_damaged_marker_says_what_to_run(tmp_path: Path, marker: str) -> None:
    """A marker that this version did not write is an error with the next step."""
    (tmp_path / "corpus.json").write_text(marker)

    with pytest.raises(CorpusDamagedError, match="starcite corpus fetch"):
        list(read_corpus(tmp_path))


def test_a_marker_that_names_a_missing_archive_is_refused(tmp_path: Path) -> None:
    """A corpus with a file missing is damaged, whatever its marker says."""
    entry = {
        "file": "gone-1.0-py3-none-any.whl",
        "sha256": "0" * 64,
        "n_bytes": 1,
        "source": "pypi",
        "name": "gone",
        "version": "1.0",
        "spdx_id": "MIT",
        "license_evidence": "x",
    }
    table = {"format": 1, "lock_sha256": "", "archives": [entry], "census": {}}
    (tmp_path / "corpus.json").write_text(json.dumps(table))

    with pytest.raises(CorpusDamagedError, match=r"gone-1\.0"):
        list(read_corpus(tmp_path))
