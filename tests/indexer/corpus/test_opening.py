"""The front door knows what a path holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from click.testing import CliRunner

from indexer.cli import index
from indexer.corpus.errors import CorpusError, UnknownCorpusError
from indexer.corpus.notebooks import Form
from indexer.corpus.opening import open_corpus
from indexer.corpus.parts import has_parts
from indexer.corpus.skips import Skip
from indexer.corpus_cli import corpus
from indexer.curate.shards import read_shards
from indexer.curate.sources import Sources
from indexer.index import Index

_LICENSE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of it. The above "
    "copyright notice and this permission notice shall be included in all copies."
)
_AUTHOR = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
_TEXT = "def step(value):\n    return value * 31 + 7\n"
_ROW = {"content": _TEXT, "path": "a.py", "repo": "ann/tools", "license": "MIT"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file of each kind, and others that are none of them."""
    line = (json.dumps(_ROW) + "\n").encode()
    made = tmp_path / "data"
    (made / "deep" / ".hidden").mkdir(parents=True)
    (made / "b.jsonl").write_bytes(line)
    (made / "c.jsonl.zst").write_bytes(zstandard.compress(line * 2))
    (made / "deep" / ".hidden" / "x.jsonl").write_bytes(line)
    (made / "readme.txt").write_text("none of them")
    (made / "loop").symlink_to(made)
    cells = [{"cell_type": "code", "source": _TEXT}]
    (made / "deep" / "n.ipynb").write_text(json.dumps({"cells": cells}))
    pq.write_table(pa.table({name: [value] for name, value in _ROW.items()}), made / "a.parquet")
    return made


@pytest.mark.parametrize(
    ("name", "kind", "n_records"),
    [
        ("a.parquet", "Parquet", 1),
        ("b.jsonl", "JSON lines", 1),
        ("c.jsonl.zst", "JSON lines", 2),
        ("deep/n.ipynb", "notebook", 1),
        ("", "folder", 5),
    ],
)
def test_kinds(folder: Path, name: str, kind: str, n_records: int) -> None:
    """Each kind is known by its name, a folder by the files in it."""
    reader = open_corpus(folder / name)

    assert (kind, n_records) == (reader.kind, len(list(reader.read())))


def test_a_folder_is_read_in_order(folder: Path) -> None:
    """A folder's files are read by path, the same each time; damaged ones are told."""
    (folder / "a2.parquet").write_bytes(b"PAR1 no more than this")
    reader = open_corpus(folder)
    skips: list[Skip] = []
    first = [file.origin for file in reader.read(skips.append)]

    assert first == [file.origin for file in reader.read()]
    assert [skip.path for skip in skips] == ["a2.parquet"]
    assert first[-1].source == "notebook"


def test_checkout(tmp_path: Path) -> None:
    """A folder with a repository is a checkout, whatever else is in it."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    assert open_corpus(tmp_path).kind == "git checkout"


def test_nothing_there(tmp_path: Path) -> None:
    """A path that does not exist and a folder of nothing known are refused by name."""
    with pytest.raises(UnknownCorpusError, match="gone does not exist"):
        open_corpus(tmp_path / "gone")
    with pytest.raises(UnknownCorpusError, match=r"holds no corpus; give .*\*\.parquet"):
        open_corpus(tmp_path)


@pytest.mark.parametrize("name", ["", "a.parquet", "c.jsonl.zst"])
def test_build_an_index(folder: Path, tmp_path: Path, name: str) -> None:
    """`starcite index build` takes every kind, and its index knows the repository."""
    out = tmp_path / "index"
    arguments = ["build", "--corpus", str(folder / name), "--out", str(out)]
    result = CliRunner().invoke(index, arguments)

    assert result.exit_code == 0, result.output
    with Index.open(out) as opened:
        assert opened.text(0) == _TEXT
        assert "ann/tools" in {origin.repository for origin in opened.document(0).origins}


def test_damaged_records_are_listed(tmp_path: Path) -> None:
    """An index is built of what can be read; each damaged record is named, up to a bound."""
    path = tmp_path / "data.jsonl"
    path.write_text("{broken\n" * 25 + json.dumps(_ROW) + "\n")
    out = str(tmp_path / "index")
    result = CliRunner().invoke(index, ["build", "--corpus", str(path), "--out", out])
    lines = [line for line in result.stderr.splitlines() if "left out" in line]

    assert result.exit_code == 0, result.output
    assert lines[0].startswith("starcite: left out data.jsonl:1: damaged record (")
    assert (len(lines), lines[-1]) == (21, "starcite: left out 5 more damaged records")


def test_missing_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow, Parquet is refused in one line that says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(CorpusError, match=r'pyarrow is not installed; run: pip install "starcite'):
        list(open_corpus(folder / "a.parquet").read())


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook of one text and one cell of code with an output, in a folder beside a licence."""
    cells = [
        {"cell_type": "markdown", "source": "# Steps of the ladder"},
        {"cell_type": "code", "source": _TEXT, "outputs": [{"text": "the ladder stands"}]},
    ]
    path = tmp_path / "notes" / "n.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": cells}))
    (path.parent / "LICENSE").write_text(_LICENSE)
    return path


@pytest.mark.parametrize("form", ["script", "structured"])
def test_the_form_of_notebooks_is_a_choice(notebook: Path, form: Form) -> None:
    """A script has the texts in comments; structured, cells and outputs stay apart."""
    for path in (notebook, notebook.parent):
        (file,) = Sources([path], notebooks=form).read()

        assert has_parts(file.text) is (form == "structured")
        assert ("the ladder stands" in file.text) is (form == "structured")
        assert "Steps of the ladder" in file.text


@pytest.mark.parametrize("form", ["script", "structured"])
def test_curation_is_told_the_form_of_notebooks(notebook: Path, tmp_path: Path, form: Form) -> None:
    """`--notebooks` holds for a checkout, and both forms pass every step to the shards."""
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "A notebook"]):
        subprocess.run(["git", *_AUTHOR, *command], cwd=notebook.parent, check=True)
    out = tmp_path / "out"
    asked = ["--from", str(notebook.parent), "--to", str(out), "--notebooks", form]
    outcome = CliRunner().invoke(corpus, ["curate", *asked])

    assert outcome.exit_code == 0, outcome.output
    (file,) = read_shards(out)
    assert has_parts(file.text) is (form == "structured")
    assert ("the ladder stands" in file.text) is (form == "structured")
