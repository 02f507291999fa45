"""The dense view: reproducible, resumable, memory-mapped, and what is forgotten is not near."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from indexer import embed
from indexer.add import add_segment
from indexer.build import build_index
from indexer.cli import index as command
from indexer.compact import compact_index
from indexer.embed import embed_index
from indexer.errors import IndexDamagedError
from indexer.index import Index
from indexer.manifest import read_manifest
from indexer.source_file import Origin, SourceFile
from indexer.store import dense
from indexer.store.dense import DenseReader, has_view, read_view, rounded, write_view
from indexer.text.fragments import MAX_CHARS, fragments_of
from indexer.tombstones import forget_documents
from indexer.verify import verify_index

TEXTS = {
    "sum": "def add_items(items):\n    total = 0\n    for item in items:\n        total += item\n",
    "read": "class Reader:\n    def open(self, path):\n        return self.get(path).json()\n",
    "sort": "def ordered(rows):\n    return sorted(rows, key=lambda row: row.name.lower())\n",
    "write": "def save(path, table):\n    with open(path, 'w') as out:\n        out.write(table)\n",
}
RENAMED = "def plus(many):\n    result = 0\n    for one in many:\n        result += one\n"


def _files(*names: str) -> list[SourceFile]:
    return [
        SourceFile(
            text=TEXTS[name],
            language="python",
            origin=Origin(
                source="pypi",
                name="pkg",
                version="1",
                path=f"{name}.py",
                spdx_id="MIT",
                license_evidence="metadata: MIT; LICENSE: MIT",
            ),
        )
        for name in names
    ]


@pytest.fixture
def embedded(tmp_path: Path) -> Path:
    """An index of four small files with its dense view."""
    path = tmp_path / "index"
    build_index(_files(*TEXTS), path)
    embed_index(path)
    return path


def _nearest(path: Path, text: str) -> list[int]:
    with Index.open(path) as index:
        return [lead.document_id for lead in index.similar(text, top_k=10)]


def _checksums(path: Path) -> list[tuple[str, str]]:
    files = read_manifest(path).files.items()
    return sorted((name.split("/")[-1], entry.sha256) for name, entry in files if "dense" in name)


def test_code_with_other_names_is_found(embedded: Path) -> None:
    """The loop under other names comes first, with its lines; an index without a view is silent."""
    with Index.open(embedded) as index:
        found = index.similar(RENAMED, top_k=10)
        assert index.missing_views == ()
    plain = embedded.with_name("plain")
    build_index(_files("sum"), plain)

    assert (found[0].document_id, found[0].start_line, found[0].end_line) == (0, 0, 5)
    assert 0.5 < found[0].score <= 1
    assert found[0].score > found[1].score + 0.1
    assert sorted(one.document_id for one in found) == [0, 1, 2, 3]
    assert _nearest(plain, RENAMED) == []
    with Index.open(plain) as index:
        assert index.missing_views == ("dense",)


def test_a_forgotten_document_is_near_nothing(embedded: Path) -> None:
    """At once in an open index, and physically after a compaction."""
    with Index.open(embedded) as index:
        before = [lead.document_id for lead in index.similar(RENAMED, top_k=2)]
        forget_documents(embedded, [0])
        after = [lead.document_id for lead in index.similar(RENAMED, top_k=2)]
    compact_index(embedded)
    manifest = read_manifest(embedded)
    reader = DenseReader(embedded / "dense" / manifest.segments[0])

    assert before[0] == 0
    assert 0 not in after
    assert len(after) == 2
    assert reader.view.n_fragments == 3
    assert len(_nearest(embedded, RENAMED)) == 3


def test_rewritten_views_are_those_of_a_new_build(tmp_path: Path, embedded: Path) -> None:
    """Added, forgotten and joined: the same bytes as encoding what is left anew."""
    more = [SourceFile(text=RENAMED, language="python", origin=_files("sum")[0].origin)]
    add_segment(more, embedded)
    embed_index(embedded)
    forget_documents(embedded, [1])
    compact_index(embedded, join_all=True)
    fresh = tmp_path / "fresh"
    build_index([*_files("sum", "sort", "write"), *more], fresh)
    embed_index(fresh)

    assert _checksums(embedded) == _checksums(fresh)
    assert [check.problem for check in verify_index(embedded) if check.problem] == []


def test_only_new_segments_are_encoded(embedded: Path) -> None:
    """A second run changes nothing; after `add` it encodes what came."""
    before = read_manifest(embedded)
    again = embed_index(embedded)
    file = SourceFile(text=RENAMED, language="python", origin=_files("sum")[0].origin)
    add_segment([file], embedded)
    with Index.open(embedded) as index:
        missing = index.missing_views
    added = embed_index(embedded)

    assert again.manifest == before
    assert missing == ("dense",)
    assert (added.n_segments, added.n_fragments) == (1, 1)
    assert _nearest(embedded, RENAMED)[0] == 4


def test_a_killed_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was encoded stays on the disk; the view is that of an undisturbed run."""
    monkeypatch.setattr(embed, "_CHUNK", 2)
    text = "\n".join(f"def work_{n}(first):\n    return first * {n}\n" for n in range(60))
    files = [SourceFile(text=text, language="python", origin=_files("sum")[0].origin)]
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    build_index(files, broken)
    shutil.copytree(broken, whole)

    def stop(stage: str, done: int, _total: int) -> None:
        if stage == "Encoding fragments" and done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_index(broken, tell=stop)
    assert not any(has_view(read_manifest(broken).files, one) for one in ("000001",))
    report = embed_index(broken)
    embed_index(whole)

    assert report.n_resumed == 4
    assert _checksums(broken) == _checksums(whole)
    assert [path.name for path in tmp_path.iterdir() if "embedding" in path.name] == []


@pytest.mark.parametrize("n", [300, 3000])
def test_both_kinds_find_what_an_exhaustive_look_finds(
    n: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flat exactly; cells nine times of ten; both give back the rows as they were written."""
    monkeypatch.setattr(dense, "FLAT_BELOW", 1000)
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(40, 32))
    vectors = centres[rng.integers(40, size=n)] + 0.4 * rng.normal(size=(n, 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows = rounded(vectors / 2)  # of 32 numbers some are larger than what a row can hold
    places = np.stack([np.arange(n)] * 3, axis=1).astype(np.uint32)
    view = write_view(tmp_path / "view", rows, places, encoder="tiny", encoder_sha256="0")
    reader = DenseReader(tmp_path / "view")
    asked = rounded(vectors[:100]).astype(int)
    best = (rows.astype(int) @ asked.T).max(axis=0) / dense.SCALE**2
    found = [reader.search(vector, top_k=1)[0].cosine for vector in vectors[:100]]
    right = np.isclose(found, best)

    assert view.kind == ("flat" if n < 1000 else "ivf")
    assert np.array_equal(reader.rows(), rows)
    assert right.mean() >= (1.0 if view.kind == "flat" else 0.9)


@pytest.mark.parametrize("name", ["view.json", "fragments.npy", "vectors.faiss"])
@pytest.mark.parametrize("damage", [None, b"", b"garbage", b"{}", b"\x93NUMPY\x01\x00"])
def test_a_damaged_view_is_refused(name: str, damage: bytes | None, embedded: Path) -> None:
    """Missing, empty or overwritten: an error that names the place, and verify finds it."""
    folder = embedded / "dense" / "000001"
    (folder / name).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    with pytest.raises(IndexDamagedError, match="dense"):
        DenseReader(folder)

    assert [check.name for check in verify_index(embedded) if check.problem] == [
        f"dense/000001/{name}"
    ]


def test_fragments_cover_every_line_that_says_something() -> None:
    """In order, without overlap, no longer than an encoder reads, but for lines that are."""
    text = "\n".join(f"value_{n} = compute({n}, {n * n})" for n in range(90)) + "\n" + "x" * 2000
    found = list(fragments_of(text))

    assert [one.start_line for one in found[1:]] == [one.end_line for one in found[:-1]]
    assert (found[0].start_line, found[-1].end_line) == (0, 91)
    assert all(len(one.text) <= MAX_CHARS for one in found[:-1])
    assert [one.text for one in fragments_of("}\n)\n\n")] == []


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    """embed, a second time, and inspect before and after."""
    path = tmp_path / "index"
    build_index(_files(*TEXTS), path)
    said = [
        CliRunner().invoke(command, [name, str(path)])
        for name in ("inspect", "embed", "embed", "inspect")
    ]

    assert [result.exit_code for result in said] == [0, 0, 0, 0]
    assert "0 of 1 segments have vectors; run: starcite index embed" in said[0].output
    assert "4 fragments of 1 segments" in said[1].output
    assert "every segment has a dense view" in said[2].output
    assert "every segment has vectors" in said[3].output


def test_views_of_another_encoder_are_made_anew(embedded: Path) -> None:
    """No query can use them; afterwards the index is as if it had been embedded just once."""
    fresh = _checksums(embedded)
    view = embedded / "dense" / "000001" / "view.json"
    view.write_text(view.read_text().replace(read_view(view.parent).encoder_sha256, "0" * 64))
    report = embed_index(embedded)

    assert report.n_segments == 1
    assert _checksums(embedded) == fresh
    assert [check.problem for check in verify_index(embedded) if check.problem] == []


def test_an_index_that_has_vectors_keeps_having_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`build --dense`, then `add` and `build` without a word; `--no-dense` takes them away."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    one, more, path = tmp_path / "one.ipynb", tmp_path / "more.ipynb", tmp_path / "index"
    for notebook, name in ((one, "sum"), (more, "read")):
        cells = [{"cell_type": "code", "source": TEXTS[name] * 9, "outputs": []}]
        book = {"cells": cells, "metadata": {}, "nbformat": 4}
        notebook.write_text(json.dumps(book))
    licensed = ["--license", "MIT"]
    build = ["build", *licensed, "--corpus", str(one), "--out", str(path)]
    told = []
    for arguments in (
        build,
        [*build, "--dense"],
        ["add", *licensed, str(more), "--to", str(path)],
        build,
        [*build, "--no-dense"],
    ):
        result = CliRunner().invoke(command, [*arguments, "--json"])
        assert result.exit_code == 0, result.output
        with Index.open(path) as index:
            told.append((json.loads(result.stdout)["dense"] is not None, index.missing_views))

    assert told == [(False, ("dense",)), *[(True, ())] * 3, (False, ("dense",))]
