"""Parquet files of the public layouts become records, a row group at a time."""

from __future__ import annotations

import datetime
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.corpus.errors import CorpusError
from indexer.corpus.filters import SkipReason
from indexer.corpus.parquet import read_parquet
from indexer.corpus.skips import Skip
from indexer.source_file import SourceFile


def _read(path: Path) -> tuple[list[SourceFile], list[Skip]]:
    skips: list[Skip] = []
    return list(read_parquet(path, on_skip=skips.append)), skips


def _write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_stack_v1(tmp_path: Path) -> None:
    """The Stack v1: licences are a list, the language has a column."""
    path = _write(
        tmp_path / "v1.parquet",
        {
            "hexsha": ["ab"],
            "ext": ["py"],
            "lang": ["Python"],
            "max_stars_repo_path": ["a.py"],
            "max_stars_repo_name": ["ann/tools"],
            "max_stars_repo_head_hexsha": ["c0ffee"],
            "max_stars_repo_licenses": [["MIT"]],
            "max_stars_count": [7],
            "content": ["x = 1\n"],
        },
    )
    ((file,), skips) = _read(path)

    assert (file.text, file.language, file.stars, skips) == ("x = 1\n", "python", 7, [])
    assert (file.origin.source, file.origin.owner, file.origin.path) == ("stack", "ann", "a.py")
    assert file.origin.license_evidence == "max_stars_repo_licenses: MIT"


def test_stack_v2(tmp_path: Path) -> None:
    """The Stack v2 with its texts: vendored and generated rows are left out by their flags."""
    path = _write(
        tmp_path / "v2.parquet",
        {
            "blob_id": ["a", "b", "c"],
            "directory_id": ["d", "d", "d"],
            "path": ["/src/a.py", "/src/b.py", "/src/c.py"],
            "repo_name": ["ann/tools"] * 3,
            "revision_id": ["c0ffee"] * 3,
            "revision_date": [datetime.datetime(2020, 2, 3, 4, 5)] * 3,
            "detected_licenses": [["MIT", "ISC"], [], ["MIT"]],
            "license_type": ["permissive", "no_license", "permissive"],
            "star_events_count": [3, 0, 1],
            "language": ["Python"] * 3,
            "is_vendor": [False, False, True],
            "is_generated": [False, True, False],
            "content": ["x = 1\n"] * 3,
        },
    )
    ((file,), skips) = _read(path)

    assert (file.origin.spdx_id, file.origin.first_seen) == ("ISC AND MIT", "2020-02-03")
    assert file.stars == 3
    assert [skip.reason for skip in skips] == [SkipReason.GENERATED, SkipReason.VENDORED]


def test_ids_without_texts(tmp_path: Path) -> None:
    """The Stack v2 as published has no texts: one line says what to do."""
    path = _write(tmp_path / "v2.parquet", {"blob_id": ["a"], "path": ["a.py"]})

    with pytest.raises(CorpusError, match="fetch the texts into a column named content"):
        _read(path)


def test_no_text_column(tmp_path: Path) -> None:
    """A table without any text names its columns and the ones that would do."""
    path = _write(tmp_path / "t.parquet", {"a": [1]})

    with pytest.raises(CorpusError, match=r"its columns: a\); name one of content, text, code"):
        _read(path)


def test_issues_and_commits_in_parquet(tmp_path: Path) -> None:
    """Lists of structures are issues; files before and after are commits."""
    events = [{"author": "ann", "text": "It breaks. " * 30, "action": "opened"}]
    issue = _write(tmp_path / "i.parquet", {"title": ["T"], "events": [events]})
    commit = _write(
        tmp_path / "c.parquet",
        {
            "old_contents": ["a\nb\nc\nd\n"],
            "new_contents": ["1\n2\n3\n4\n"],
            "subject": ["Count with numbers and not with letters"],
            "new_file": ["a.py"],
        },
    )

    assert [file.kind for path in (issue, commit) for file in _read(path)[0]] == ["issue", "commit"]


def test_undecodable_value_spoils_its_row_only(tmp_path: Path) -> None:
    """A value that is no UTF-8 leaves out its row; the rows beside it are given."""
    raw = pa.array([b"x = 1\n", b"\xff\xfe", b"y = 2\n"], pa.binary())
    text = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    path = _write(tmp_path / "t.parquet", {"content": text, "path": ["a.py", "b.py", "c.py"]})
    files, skips = _read(path)

    assert [file.origin.path for file in files] == ["a.py", "c.py"]
    assert [(s.reason, s.path) for s in skips] == [(SkipReason.UNDECODABLE, "t.parquet:2")]


def test_damaged_row_group(tmp_path: Path) -> None:
    """A damaged row group is told; those before and after it are read."""
    texts = [f"x = {n}  # {n * 7919}\n" * 40 for n in range(30)]
    paths = [f"{n:02}.py" for n in range(30)]
    path = _write(
        tmp_path / "t.parquet",
        {"content": texts, "path": paths},
        row_group_size=10,
        compression="zstd",
    )
    about = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    start = about.dictionary_page_offset or about.data_page_offset
    data[start : start + about.total_compressed_size] = b"\xff" * about.total_compressed_size
    path.write_bytes(data)
    files, skips = _read(path)

    assert paths[:10] + paths[20:] == [file.origin.path for file in files]
    assert [skip.reason for skip in skips] == [SkipReason.DAMAGED]
    assert skips[0].detail.startswith("row group 1: ")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1]),
        pa.array([1.5]),
        pa.array([True]),
        pa.array([b"x"]),
        pa.array([["x"]]),
        pa.array([{"x": 1}]),
        pa.array([datetime.date(2020, 1, 1)]),
        pa.nulls(1),
    ],
    ids=lambda column: str(column.type),
)
@pytest.mark.parametrize("name", ["content", "path", "lang", "repo_name", "stars", "is_vendor"])
def test_wrong_type_in_a_column(tmp_path: Path, name: str, column: Any) -> None:
    """A column of another type leaves out its rows, or is no obstacle; it never ends the run."""
    columns: dict[str, Any] = {"content": ["x = 1\n"], "path": ["a.py"], "text": [None]}
    files, skips = _read(_write(tmp_path / "t.parquet", {**columns, name: column}))

    assert len(files) + len(skips) == 1


@given(start=st.integers(0, 5000), garbage=st.binary(min_size=1, max_size=40), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_damage(start: int, garbage: bytes, cut: bool) -> None:
    """Overwritten and truncated files give what is left of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.parquet")
        columns = {"content": [f"x = {n}\n" for n in range(9)], "path": ["a.py"] * 9}
        data = bytearray(_write(path, columns, row_group_size=3).read_bytes())
        start %= len(data)
        data[start : start + len(garbage)] = garbage
        path.write_bytes(data[:start] if cut else data)
        try:
            files, _ = _read(path)
        except CorpusError:  # the damage hit the names of the columns
            return
        assert len(files) <= 9


def test_only_a_few_rows_are_in_memory(tmp_path: Path) -> None:
    """The peak memory does not grow with the number of row groups."""
    paths = []
    for n_groups in (2, 20):
        path = tmp_path / f"{n_groups}.parquet"
        schema = pa.schema({"content": pa.string(), "path": pa.string()})
        with pq.ParquetWriter(path, schema, compression="none") as writer:
            for n in range(n_groups):
                texts = [f"{n} {i} " + "x = 1\n" * 20_000 for i in range(20)]
                writer.write_table(pa.table({"content": texts, "path": ["a.py"] * 20}))
        paths.append(path)
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from indexer.corpus.parquet import read_parquet\n"
        "print(sum(1 for _ in read_parquet(Path(sys.argv[1]))),"
        " resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, check=True, text=True
        ).stdout.split()
        for path in paths
    ]

    assert [n_files for n_files, _ in runs] == ["40", "400"]
    assert int(runs[1][1]) - int(runs[0][1]) < 15_000  # KiB; the larger file has 43 MB more
