"""What is forgotten is gone from the next query on, in every open index."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.add import add_segment
from indexer.build import build_index
from indexer.errors import (
    DocumentForgottenError,
    DocumentUnknownError,
    IndexBuildError,
    IndexChangedError,
    IndexDamagedError,
)
from indexer.index import Index
from indexer.manifest import read_manifest
from indexer.source_file import SourceFile
from indexer.store.fingerprints import MAX_POSTINGS
from indexer.summary import summarise
from indexer.text.lex import lex
from indexer.text.winnow import winnow
from indexer.tombstones import forget_documents
from indexer.verify import verify_index
from indexer.writing import only_writer

MakeFile = Callable[..., SourceFile]


@pytest.fixture
def copy(tmp_path: Path, index_path: Path) -> Path:
    """An index of one's own, to forget from."""
    return Path(shutil.copytree(index_path, tmp_path / "index"))


def holders(index: Index, text: str) -> set[int]:
    """The documents that a look-up of a text leads to."""
    values = winnow(lex(text.encode(), "python").hashes).values
    return set(index.lookup(values).document_id.tolist())


def test_an_open_index_forgets_before_the_next_query(copy: Path) -> None:
    """Every way to a forgotten document is closed, without opening the index again."""
    with Index.open(copy) as index:
        texts = {one: index.text(one) for one in index.live_document_ids()}
        assert 5 in holders(index, texts[5])
        assert index.search("work_5_1 work_5_2", top_k=3)[0].document_id == 5
        forget_documents(copy, [5])

        assert 5 not in holders(index, texts[5])
        assert {lead.document_id for lead in index.search(texts[5], top_k=50)}.isdisjoint({5})
        for question in (index.document, index.text):
            with pytest.raises(DocumentForgottenError, match="document 5 was taken out"):
                question(5)
        assert list(index.live_document_ids()) == [*range(5), *range(6, 12)]
        assert {one: index.text(one) for one in index.live_document_ids()} == {
            one: text for one, text in texts.items() if one != 5
        }


def test_who_opens_later_does_not_see_it_either(copy: Path) -> None:
    """Nor does a summary count it; the filter may still say "worth a look", as it cannot forget."""
    with Index.open(copy) as before:
        text = before.text(5)
    forget_documents(copy, [5])
    with Index.open(copy) as index:
        assert 5 not in holders(index, text)
        assert sum(summarise(index).documents_by_language.values()) == 11
        assert index.longest_chain(text) > 2


def test_generations_are_chained(copy: Path) -> None:
    """Each manifest names the one before it and both digests, and ids add up."""
    built = read_manifest(copy)
    first = forget_documents(copy, [5])
    second = forget_documents(copy, [9, 5, 0])

    assert (built.generation, first.generation, second.generation) == (1, 2, 3)
    assert (first.previous, second.previous) == (built.checksum, first.checksum)
    assert first.lineage == second.lineage == built.checksum
    assert first.previous_corpus_digest == built.corpus_digest != first.corpus_digest
    assert (second.n_documents, second.n_tombstones, second.n_live) == (12, 3, 9)
    assert [path.name for path in (copy / "tombstones").iterdir()] == ["000003.npy"]


def test_the_digest_is_that_of_a_build_of_the_rest(
    tmp_path: Path, corpus_files: list[SourceFile]
) -> None:
    """A twin goes with its text; what is left is named as if nothing else had ever been there."""
    build_index(corpus_files, tmp_path / "all")
    gone = corpus_files[3].text
    rest = build_index([f for f in corpus_files if f.text != gone], tmp_path / "rest")

    assert forget_documents(tmp_path / "all", [3]).corpus_digest == rest.manifest.corpus_digest


def test_forgetting_twice_changes_nothing(copy: Path) -> None:
    """The same ids again leave the manifest as it is."""
    first = forget_documents(copy, [5, 6])
    written = (copy / "manifest.json").read_bytes()

    assert forget_documents(copy, [6]) == first
    assert (copy / "manifest.json").read_bytes() == written


@pytest.mark.parametrize("unknown", [-1, 12])
def test_unknown_documents_are_refused_before_anything_is_written(copy: Path, unknown: int) -> None:
    """Of a list with a wrong id nothing is forgotten."""
    with pytest.raises(DocumentUnknownError, match=f"no document {unknown}"):
        forget_documents(copy, [5, unknown])

    assert read_manifest(copy).generation == 1


def test_ids_of_another_index_are_refused(copy: Path, tmp_path: Path, make_file: MakeFile) -> None:
    """Ids that were looked up before a rebuild would name other documents now."""
    resolved_from = read_manifest(copy)
    build_index([make_file("x = 1\n")], copy)
    with pytest.raises(IndexChangedError, match="open it again and repeat"):
        forget_documents(copy, [0], resolved_from=resolved_from)

    assert read_manifest(copy).n_tombstones == 0


def test_a_second_writer_is_refused_by_name(copy: Path) -> None:
    """Forgetting neither waits for a build nor works against it."""
    with (
        only_writer(copy),
        pytest.raises(IndexBuildError, match=r"another build is writing .*index"),
    ):
        forget_documents(copy, [5])


def test_everything_can_be_forgotten(copy: Path) -> None:
    """Then no query finds anything, and none fails."""
    with Index.open(copy) as index:
        text = index.text(1)
        forget_documents(copy, range(12))

        assert len(index.live_document_ids()) == 0
        assert holders(index, text) == set()
        assert index.search(text, top_k=5) == []


def test_a_damaged_list_of_tombstones_is_found_and_never_ignored(copy: Path) -> None:
    """An index that cannot tell what is forgotten shows nothing."""
    with Index.open(copy) as index:
        manifest = forget_documents(copy, [5, 7])
        tombstones = copy / manifest.tombstones
        damaged = bytearray(tombstones.read_bytes())
        damaged[-1] ^= 0xFF
        tombstones.write_bytes(damaged)

        assert [c.name for c in verify_index(copy) if c.problem] == [manifest.tombstones]
        for use in (lambda: Index.open(copy), lambda: index.text(0)):
            with pytest.raises(IndexDamagedError, match=r"000002\.npy is damaged"):
                use()


def test_frequent_fingerprints_are_sampled_from_the_live(
    tmp_path: Path, make_file: MakeFile
) -> None:
    """A look-up is that of an index which never held the forgotten, also where it samples."""
    shared = "".join(f"total_{i} = compute(first, second, {i}) + offset\n" for i in range(4))
    files = [make_file(f"{shared}\nx = {n}\n", f"{n}.py") for n in range(MAX_POSTINGS + 90)]
    gone = range(0, 200, 3)
    build_index(files, tmp_path / "all")
    build_index([f for n, f in enumerate(files) if n not in gone], tmp_path / "rest")
    forget_documents(tmp_path / "all", gone)
    values = winnow(lex(shared.encode(), "python").hashes).values
    with Index.open(tmp_path / "all") as index, Index.open(tmp_path / "rest") as fresh:
        live = index.live_document_ids()
        found, expected = index.lookup(values), fresh.lookup(values)

        assert len(expected) == MAX_POSTINGS * len(set(values.tolist()))
        assert found.query_index.tolist() == expected.query_index.tolist()
        assert found.document_id.tolist() == [live[one] for one in expected.document_id]
        assert found.offset.tolist() == expected.offset.tolist()


def test_a_text_that_comes_back_from_others_does_not_bring_its_old_places_back(
    copy: Path, corpus_files: list[SourceFile], make_file: MakeFile
) -> None:
    """Not even in an index that was open all the time and asked nothing meanwhile."""
    with Index.open(copy) as index:
        forget_documents(copy, [4])
        add_segment([make_file(corpus_files[4].text, "theirs.py", name="third")], copy)

        with pytest.raises(DocumentForgottenError):
            index.document(4)
    with Index.open(copy) as index:
        assert [origin.name for origin in index.document(12).origins] == ["third"]


def test_a_document_forgotten_once_stays_so_in_an_open_index(
    copy: Path, corpus_files: list[SourceFile]
) -> None:
    """Who opens the index later sees what has come back since."""
    with Index.open(copy) as index:
        forget_documents(copy, [4])
        assert len(index.live_document_ids()) == 11
        add_segment([corpus_files[4]], copy)

        assert len(index.live_document_ids()) == 11
    with Index.open(copy) as index:
        assert len(index.live_document_ids()) == 12
