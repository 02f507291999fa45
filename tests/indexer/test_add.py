"""Adding gives an index that answers as if all had been built together."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.add import add_segment
from indexer.build import build_index
from indexer.errors import IndexBuildError, IndexMissingError
from indexer.index import Index
from indexer.manifest import read_manifest
from indexer.source_file import SourceFile
from indexer.tombstones import forget_documents
from indexer.verify import verify_index
from indexer.writing import only_writer

MakeFile = Callable[..., SourceFile]


@pytest.fixture
def copy(tmp_path: Path, index_path: Path) -> Path:
    """An index of one's own, to add to."""
    return Path(shutil.copytree(index_path, tmp_path / "index"))


def contents(path: Path) -> dict[str, set[object]]:
    """Every live text with the places it was found in."""
    with Index.open(path) as index:
        live = index.live_document_ids()
        found = {index.text(one): set(index.document(one).origins) for one in live}

        assert len(found) == len(live)
    return found


def test_new_files_are_found_beside_the_old(copy: Path, make_file: MakeFile) -> None:
    """The new segment's documents have the next ids, and every kind of query finds them."""
    text = "".join(f"fresh_{i} = brand_new(value, {i}) or other({i})\n" for i in range(9))
    report = add_segment([make_file(text, "new/a.py")], copy)

    assert (report.n_files, report.n_new, report.n_restated, report.n_blank) == (1, 1, 0, 0)
    assert report.manifest.segments == ("000001", "000002")
    assert (report.manifest.generation, report.manifest.n_documents) == (2, 13)
    assert [check.name for check in verify_index(copy) if check.problem] == []
    with Index.open(copy) as index:
        assert index.text(12) == text
        assert index.search("fresh_3 brand_new", top_k=1)[0].document_id == 12
        assert index.longest_chain(text) > 2


def test_an_index_that_is_open_stays_as_it_is(copy: Path, make_file: MakeFile) -> None:
    """What is added shows when the index is opened again; nothing goes meanwhile."""
    with Index.open(copy) as index:
        before = {one: index.text(one) for one in index.live_document_ids()}
        add_segment([make_file(before[4], "copied/a.py", name="third")], copy)

        assert {one: index.text(one) for one in index.live_document_ids()} == before
        assert len(index.document(4).origins) == 1


def test_a_known_text_gets_its_new_place_and_no_second_document(
    copy: Path, corpus_files: list[SourceFile], make_file: MakeFile
) -> None:
    """Places of one text are kept together, so that whoever asks for one finds all."""
    before = contents(copy)
    again = make_file(corpus_files[4].text, "copied/a.py", name="third")
    report = add_segment([again], copy)
    after = contents(copy)

    assert (report.n_new, report.n_restated, report.manifest.n_live) == (0, 1, 12)
    assert after == {**before, again.text: before[again.text] | {again.origin}}


def test_adding_what_is_there_changes_nothing(copy: Path, corpus_files: list[SourceFile]) -> None:
    """Not even the manifest."""
    written = (copy / "manifest.json").read_bytes()
    report = add_segment(corpus_files, copy)

    assert (report.n_new, report.n_restated, report.n_blank) == (0, 0, 1)
    assert (copy / "manifest.json").read_bytes() == written
    assert [path.name for path in (copy / "segments").iterdir()] == ["000001"]


def test_a_forgotten_text_can_come_back(copy: Path, corpus_files: list[SourceFile]) -> None:
    """Whether it may is for the ledger of opt-outs to say, before files get here."""
    before = contents(copy)
    forget_documents(copy, [4])
    report = add_segment([corpus_files[4]], copy)

    assert (report.n_new, report.manifest.n_live) == (1, 12)
    assert contents(copy) == before


def test_the_digest_is_that_of_one_build(
    tmp_path: Path, corpus_files: list[SourceFile], copy: Path, make_file: MakeFile
) -> None:
    """The name of a corpus does not tell in how many steps it came together."""
    new = [make_file("x = 1\n", "x.py"), make_file(corpus_files[2].text, "y.py", name="third")]
    whole = build_index([*corpus_files, *new], tmp_path / "whole").manifest

    assert add_segment(new, copy).manifest.corpus_digest == whole.corpus_digest


def test_nothing_to_add_is_an_error(copy: Path, tmp_path: Path, make_file: MakeFile) -> None:
    """As is an index that is not there; neither leaves anything behind."""
    with pytest.raises(IndexBuildError, match="no source files to add"):
        add_segment([], copy)
    with pytest.raises(IndexMissingError):
        add_segment([make_file("x = 1\n")], tmp_path / "missing")

    assert [path.name for path in (copy / "segments").iterdir()] == ["000001"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".index.lock", "index"]


def test_a_second_writer_is_refused_by_name(copy: Path, make_file: MakeFile) -> None:
    """Two segments would get one name."""
    with (
        only_writer(copy),
        pytest.raises(IndexBuildError, match=r"another build is writing .*index"),
    ):
        add_segment([make_file("x = 1\n")], copy)


def test_an_error_of_the_reader_leaves_the_index_as_it_was(copy: Path, make_file: MakeFile) -> None:
    """It passes through, and the half-written segment is removed."""

    def damaged() -> object:
        yield make_file("x = 1\n")
        raise LookupError("archive 7")

    with pytest.raises(LookupError, match="archive 7"):
        add_segment(damaged(), copy)  # type: ignore[arg-type]

    assert read_manifest(copy).generation == 1
    assert [path.name for path in (copy / "segments").iterdir()] == ["000001"]
