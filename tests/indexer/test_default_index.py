"""The default index is built from curated shards, and its segments name them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.add import add_segment
from indexer.build import Part, build_segments
from indexer.compact import compact_index
from indexer.corpus.inventory import PACKAGES, Archive, read_inventory, write_inventory
from indexer.curate.shards import read_shards_manifest
from indexer.index import Index
from indexer.optout.trained import related_models
from indexer.source_file import SourceFile

Run = Callable[..., subprocess.CompletedProcess[str]]
ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def with_library(corpus: Path, corpus_files: list[SourceFile]) -> Path:
    """The fetched package and a library, which share a file."""
    path = corpus / PACKAGES / "library.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("same.py", corpus_files[0].text)
        for number in range(3):
            archive.writestr(
                f"own{number}.py", f"def own{number}(rows):\n    return rows[{number}:]\n"
            )
    inventory = read_inventory(corpus)
    library = Archive(
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        n_bytes=path.stat().st_size,
        source="python",
        name="python",
        version="3.11",
        spdx_id="PSF-2.0",
        license_evidence="LICENSE: PSF-2.0",
    )
    write_inventory(corpus, replace(inventory, archives=(*inventory.archives, library)))
    return corpus


def test_each_segment_names_the_shards_that_it_is_made_of(
    run: Run, home: Path, with_library: Path
) -> None:
    """Packages and library are curated apart; a model of the same digest was trained on it."""
    built = run("build", "--json")

    assert built.returncode == 0, built.stderr
    digests = [
        read_shards_manifest(home / "corpus" / name).corpus_digest for name in ("frozen", "library")
    ]
    assert list(json.loads(built.stdout)["corpora"].values()) == digests
    model = home / "models" / "ours" / "manifest.json"
    model.parent.mkdir(parents=True)
    model.write_text(json.dumps({"corpus_digest": digests[0]}))
    with Index.open(home / "index" / "default") as index:
        owners = {
            index.corpus_of(one): {origin.name for origin in index.document(one).origins}
            for one in index.live_document_ids()
        }
        assert index.corpus_of(0) == digests[0]
        [relation] = related_models([home / "models"], {index.corpus_of(0)}, set())
    assert set(owners) == set(digests)
    assert "python" in owners[digests[1]]
    assert (relation.name, relation.relation) == ("ours", "trained_on")


def test_a_build_that_was_killed_goes_on_and_gives_the_same(
    run: Run, home: Path, with_library: Path, tmp_path: Path
) -> None:
    """Killed while it curates and killed while it indexes, the third run gives the same bytes."""
    assert run("build", "--out", tmp_path / "whole").returncode == 0
    shutil.rmtree(home / "corpus" / "frozen")
    shutil.rmtree(home / "corpus" / "library")
    for moment in ("out/shard-00000.jsonl.zst.partial", "000001-2/text.zst"):
        kill = f"""
import os, signal
def stop(event, arguments):
    if event == "open" and str(arguments[0]).endswith({moment!r}):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(stop)
"""
        assert run("build", before=kill).returncode == -9
        assert not (home / "index" / "default" / "manifest.json").exists()

    assert run("build").returncode == 0

    expected = (tmp_path / "whole" / "manifest.json").read_bytes()
    assert (home / "index" / "default" / "manifest.json").read_bytes() == expected
    assert run("verify").returncode == 0


def test_a_text_of_two_parts_is_one_document_of_the_first(
    corpus_files: list[SourceFile], tmp_path: Path
) -> None:
    """It is stored once, with both places."""
    first, *rest = corpus_files[:5]
    twin = replace(first, origin=replace(first.origin, name="other", path="o.py"))
    parts = [
        Part(files=[first, *rest], corpus=ONE),
        Part(files=[twin, corpus_files[5]], corpus=TWO),
    ]

    report = build_segments(parts, tmp_path / "index")

    assert (report.n_files, report.n_twins) == (7, 1)
    with Index.open(tmp_path / "index") as index:
        assert {origin.name for origin in index.document(0).origins} >= {"other"}
        assert [index.corpus_of(one) for one in range(6)] == [ONE] * 5 + [TWO]


def test_a_part_that_brings_nothing_new_is_no_segment(
    corpus_files: list[SourceFile], tmp_path: Path
) -> None:
    """All of its texts are in the first one, or blank."""
    blank = replace(corpus_files[0], text=" \n")
    parts = [Part(files=corpus_files[:3], corpus=ONE), Part(files=[*corpus_files[:2], blank])]

    report = build_segments(parts, tmp_path / "index")

    assert (report.n_files, report.n_twins, report.n_blank) == (6, 2, 1)
    assert (report.manifest.segments, report.manifest.corpora) == (("000001",), (ONE,))
    Index.open(tmp_path / "index").close()


def test_segments_keep_their_corpus_until_they_are_merged(
    corpus_files: list[SourceFile], tmp_path: Path
) -> None:
    """Additions have one of their own or none; compaction joins within a corpus only."""
    path = tmp_path / "index"
    build_segments([Part(files=corpus_files[:3], corpus=ONE)], path)
    add_segment(corpus_files[3:5], path, corpus=ONE)
    add_segment(corpus_files[5:7], path)
    add_segment(corpus_files[7:9], path)

    compacted = compact_index(path).manifest
    merged = compact_index(path, join_all=True).manifest

    assert compacted.corpora == (ONE, "")
    assert len(compacted.segments) == 2
    assert (len(merged.segments), merged.corpora) == (1, ())
    with Index.open(path) as index:
        assert index.corpus_of(0) == ""
