"""What a maintainer says of sources: how notebooks are read, and a licence on his word."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from indexer.cli import index
from indexer.corpus_cli import corpus
from indexer.curate.shards import read_shards
from indexer.index import Index

CODE = "".join(f"total_{n} = total_{n} + weight_{n} * rate\n" for n in range(12))
CELLS = [
    {"cell_type": "markdown", "source": ["# Weights of the ship\n"]},
    {
        "cell_type": "code",
        "source": CODE,
        "outputs": [{"output_type": "stream", "text": "forty-two\n"}],
    },
]


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lone notebook in a path with a space, in a data home of its own."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    path = tmp_path / "my books" / "ship.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4}))
    return path


def run(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def indexed(path: Path) -> list[tuple[str, str, str]]:
    """(licence, evidence, text) of each document."""
    with Index.open(path) as opened:
        return [
            (origin.spdx_id, origin.license_evidence, opened.text(one))
            for one in opened.live_document_ids()
            for origin in opened.document(one).origins
        ]


def test_a_lone_notebook_needs_a_stated_licence(notebook: Path, tmp_path: Path) -> None:
    """Without a licence the gate drops it; with a stated one it stays, and says that it was."""
    out = tmp_path / "out"
    without = run(corpus, "curate", "--from", notebook, "--to", out)
    stated = run(corpus, "curate", "--from", notebook, "--to", out, "--license", "MIT")

    assert (without.exit_code, stated.exit_code) == (3, 0), stated.stderr
    assert "nothing passed all steps" in without.stderr
    (file,) = read_shards(out)
    assert (file.origin.spdx_id, file.kind) == ("MIT", "notebook")
    assert file.origin.license_evidence == "stated when it was added: MIT"


@pytest.mark.parametrize("form", ["script", "structured"])
def test_build_and_add_read_notebooks_either_way(notebook: Path, tmp_path: Path, form: str) -> None:
    """Outputs are there only in structured notebooks, whether an index is built or added to."""
    options = ("--notebooks", form, "--license", "MIT")
    other = notebook.with_name("other.ipynb")
    other.write_text(notebook.read_text().replace("ship", "boat"))
    target = tmp_path / "an index"
    built = run(index, "build", "--corpus", notebook, "--out", target, *options)
    added = run(index, "add", other, "--to", target, *options)

    assert (built.exit_code, added.exit_code) == (0, 0), built.stderr + added.stderr
    documents = indexed(target)
    assert [one[:2] for one in documents] == [("MIT", "stated when it was added: MIT")] * 2
    assert ["forty-two" in text for _, _, text in documents] == [form == "structured"] * 2


def test_a_stated_licence_replaces_none(tmp_path: Path, notebook: Path) -> None:
    """What a source says of its own licence stays as it is."""
    rows = tmp_path / "rows.jsonl"
    row = {"content": CODE, "path": "a.py", "repo": "ada/engine"}
    rows.write_text(json.dumps({**row, "license": "BSD-3-Clause"}) + "\n")
    target = tmp_path / "index"
    built = run(index, "build", "--corpus", rows, "--out", target, "--license", "MIT")

    assert built.exit_code == 0, built.stderr
    assert [one[0] for one in indexed(target)] == ["BSD-3-Clause"]


@pytest.mark.parametrize("licence", ["MIT OR", "none", "(MIT", "M I T", "\N{SNOWMAN}"])
def test_a_licence_that_is_none_is_refused(notebook: Path, tmp_path: Path, licence: str) -> None:
    """What is no SPDX expression ends every command with 2 and leaves nothing behind."""
    for command in (
        (corpus, "curate", "--from", notebook, "--to", tmp_path / "out"),
        (index, "build", "--corpus", notebook, "--out", tmp_path / "out"),
        (index, "add", notebook, "--to", tmp_path / "out"),
    ):
        outcome = run(*command, "--license", licence)

        assert outcome.exit_code == 2
        assert "is no SPDX expression" in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_they_say_nothing_of_the_default_corpus(notebook: Path) -> None:
    """Without a corpus there is nothing that the options could be about."""
    outcome = run(index, "build", "--license", "MIT")

    assert outcome.exit_code == 2
    assert "give one" in outcome.stderr


def test_damaged_records_are_listed_by_every_command(tmp_path: Path, notebook: Path) -> None:
    """Whoever reads a torn file is told which record is damaged, and goes on with the rest."""
    rows = tmp_path / "torn.jsonl"
    row = {"content": CODE, "path": "a.py", "repo": "ada/engine", "license": "MIT"}
    rows.write_text(json.dumps(row) + "\n" + json.dumps(row)[:40] + "\n")
    target = tmp_path / "index"
    outcomes = [
        run(corpus, "stats", rows),
        run(corpus, "curate", "--from", rows, "--to", tmp_path / "out"),
        run(index, "build", "--corpus", rows, "--out", target),
        run(index, "add", rows, "--to", target),
    ]

    assert [outcome.exit_code for outcome in outcomes] == [0] * 4
    for outcome in outcomes:
        assert "starcite: left out torn.jsonl:2: damaged record" in outcome.stderr
