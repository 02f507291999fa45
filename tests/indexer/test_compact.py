"""Rewriting segments removes what is forgotten from the disk and changes no answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer import compact
from indexer.add import add_segment
from indexer.build import build_index
from indexer.compact import Part, compact_index, plan_groups
from indexer.errors import DocumentForgottenError, IndexBuildError, IndexDamagedError
from indexer.index import Index
from indexer.manifest import Manifest, read_manifest
from indexer.source_file import SourceFile
from indexer.store import segment
from indexer.tombstones import forget_documents
from indexer.verify import verify_index
from indexer.writing import only_writer

MakeFile = Callable[..., SourceFile]


@pytest.fixture
def copy(tmp_path: Path, index_path: Path) -> Path:
    """An index of one's own, to change."""
    return Path(shutil.copytree(index_path, tmp_path / "index"))


def checksums(manifest: Manifest) -> list[tuple[str, str]]:
    """The files and what is in them, without their segment's name."""
    return sorted((name.split("/")[-1], entry.sha256) for name, entry in manifest.files.items())


def test_the_outcome_is_that_of_a_build_of_the_rest(
    tmp_path: Path, copy: Path, corpus_files: list[SourceFile], make_file: MakeFile
) -> None:
    """Byte for byte, after adding, restating and forgetting in several steps."""
    new = [make_file(f"value_{n} = start({n})\n" * 30, f"{n}.py") for n in range(4)]
    again = make_file(corpus_files[2].text, "y.py", name="third")
    add_segment([*new[:2], again], copy)
    forget_documents(copy, [0, 12])
    add_segment(new[2:], copy)
    report = compact_index(copy)
    rest = [f for f in corpus_files if f.text not in {corpus_files[0].text, again.text}]
    second = corpus_files[2]
    whole = [*rest, new[1], second, again, *new[2:]]
    fresh = build_index(whole, tmp_path / "fresh").manifest

    assert (report.n_removed, report.n_rewritten) == (3, 3)
    assert checksums(report.manifest) == checksums(fresh)
    assert report.manifest.corpus_digest == fresh.corpus_digest
    assert (report.manifest.n_documents, report.manifest.n_origins, report.manifest.n_bytes) == (
        fresh.n_documents,
        fresh.n_origins,
        fresh.n_bytes,
    )
    assert [check.name for check in verify_index(copy) if check.problem] == []


def everything(path: Path) -> bytes:
    """All files of an index."""
    return b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())


def words_found(path: Path, word: str) -> bool:
    """Whether a BM25 part has a word at all, of live documents or others."""
    with Index.open(path) as index:
        return any(reader.lexical().doc_freqs([word])[0] for _, _, reader in index.segments())


def test_nothing_forgotten_is_left_on_the_disk(copy: Path) -> None:
    """Neither its place nor its words, in any file of the index; its tombstone is gone too."""
    forget_documents(copy, [5])
    before = everything(copy), words_found(copy, "work_5_1")
    compact_index(copy)
    after = everything(copy), words_found(copy, "work_5_1")

    assert (b"mod_5.py" in before[0], before[1]) == (True, True)
    assert (b"mod_5.py" in after[0], after[1]) == (False, False)
    assert (b"mod_6.py" in after[0], words_found(copy, "work_6_1")) == (True, True)
    assert [path.name for path in (copy / "segments").iterdir()] == ["000003"]
    assert list((copy / "tombstones").iterdir()) == []


def test_who_has_the_index_open_goes_on_reading_it(copy: Path) -> None:
    """The old segments answer every kind of query, first searches too, without the forgotten."""
    with Index.open(copy) as index:
        texts = {one: index.text(one) for one in index.live_document_ids()}
        forget_documents(copy, [5])
        compact_index(copy)

        assert {one: index.text(one) for one in index.live_document_ids()} == {
            one: text for one, text in texts.items() if one != 5
        }
        assert index.search("work_7_1 work_7_2", top_k=1)[0].document_id == 7
        with pytest.raises(DocumentForgottenError):
            index.text(5)


def test_nothing_to_do_changes_nothing(copy: Path) -> None:
    """A single segment without tombstones is what compaction is to give."""
    written = (copy / "manifest.json").read_bytes()
    for join_all in (False, True):
        report = compact_index(copy, join_all=join_all)

        assert (report.n_removed, report.n_rewritten, report.n_bytes) == (0, 0, 0)
    assert (copy / "manifest.json").read_bytes() == written


def test_everything_forgotten_leaves_an_empty_index_that_can_grow(
    copy: Path, make_file: MakeFile
) -> None:
    """It answers with nothing, and takes new files."""
    forget_documents(copy, range(12))
    with Index.open(copy) as old:
        report = compact_index(copy)

        assert len(old.live_document_ids()) == 0
    assert (report.manifest.segments, report.n_removed) == ((), 12)
    with Index.open(copy) as index:
        assert index.search("work_5_1", top_k=3) == []
        assert index.longest_chain("work_5_1" * 20) == 0
        assert len(index.lookup(np.arange(9, dtype=np.uint32))) == 0
    add_segment([make_file("x = 1\n")], copy)
    with Index.open(copy) as index:
        assert index.text(0) == "x = 1\n"


def test_damage_is_never_copied(copy: Path) -> None:
    """A text that is not what was indexed stops the rewriting, and the index stays as it was."""
    forget_documents(copy, [5])
    generation = read_manifest(copy).generation
    records = copy / "segments" / "000001" / "documents.jsonl"
    line = records.read_bytes()
    digest = line[11:75]
    records.write_bytes(line.replace(digest, digest[::-1], 1))
    with pytest.raises(IndexDamagedError, match="text 0 is not what was indexed"):
        compact_index(copy)

    assert read_manifest(copy).generation == generation
    assert [path.name for path in (copy / "segments").iterdir()] == ["000001"]


def test_a_second_writer_is_refused_by_name(copy: Path) -> None:
    """Two rewrites would each lose what the other wrote."""
    with (
        only_writer(copy),
        pytest.raises(IndexBuildError, match=r"another build is writing .*index"),
    ):
        compact_index(copy)


def part(name: str, n_bytes: int, *, n_live: int = 2, n_documents: int = 2) -> Part:
    numbers = np.arange(n_live, dtype=np.int64)
    return Part(name=name, numbers=numbers, base=0, n_documents=n_documents, n_bytes=n_bytes)


def names(groups: list[list[Part]]) -> list[list[str]]:
    return [[one.name for one in group] for group in groups]


def test_small_neighbours_are_joined_and_large_ones_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the documents is kept, so only neighbours are; what is all dead goes."""
    monkeypatch.setattr(compact, "SMALL_BYTES", 100)
    parts = [
        part("a", 500),
        part("b", 10),
        part("c", 20),
        part("dead", 0, n_live=0),
        part("d", 90),
        part("e", 50),
        part("f", 300),
    ]

    assert names(plan_groups(parts, join_all=False)) == [["a"], ["b", "c", "d"], ["e"], ["f"]]
    assert names(plan_groups(parts, join_all=True)) == [["a", "b", "c", "d", "e", "f"]]


def test_no_segment_grows_beyond_its_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when all are to be joined."""
    monkeypatch.setattr(segment, "MAX_BYTES", 100)
    parts = [part("a", 60), part("b", 40), part("c", 60), part("d", 50)]

    assert names(plan_groups(parts, join_all=True)) == [["a", "b"], ["c"], ["d"]]
