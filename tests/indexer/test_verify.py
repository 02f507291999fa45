"""Damage to an index is found: truncation when it is opened, any changed byte by verifying."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.add import add_segment
from indexer.compact import compact_index
from indexer.errors import IndexChangedError, IndexDamagedError, IndexerError
from indexer.index import Index
from indexer.manifest import FILE_NAME, read_manifest
from indexer.source_file import Origin, SourceFile
from indexer.text.lex import lex
from indexer.text.winnow import winnow
from indexer.tombstones import forget_documents
from indexer.verify import verify_index


@pytest.fixture
def copy(tmp_path: Path, index_path: Path) -> Path:
    """An index of one's own, to be damaged."""
    return Path(shutil.copytree(index_path, tmp_path / "index"))


def problems(path: Path) -> dict[str, str]:
    return {check.name: check.problem for check in verify_index(path) if check.problem}


def all_files(path: Path) -> list[str]:
    """The files that make up the index; searching may add a lock of tantivy's beside them."""
    return [*read_manifest(path).files, FILE_NAME]


def test_a_whole_index_has_no_problems(opened: Index) -> None:
    """Every file is checked, and using an index changes none of them."""
    opened.search("work_3_1 total_1", top_k=3)

    assert problems(opened.path) == {}
    assert len(list(verify_index(opened.path))) == len(opened.manifest.files) > 10


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_byte_is_found(copy: Path, data: st.DataObject) -> None:
    """Whichever byte of whichever file changes, verifying names that file."""
    name = data.draw(st.sampled_from(all_files(copy)))
    path = copy / name
    whole = path.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    try:
        found = set(problems(copy))
    except IndexerError:
        found = {FILE_NAME}
    finally:
        path.write_bytes(whole)

    assert found == {name}


def test_a_truncated_or_missing_file_is_refused_at_once(copy: Path) -> None:
    """Opening names the file that is too short or gone, and verifying finds it too."""
    for name in all_files(copy):
        path = copy / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])

        with pytest.raises(IndexDamagedError) as truncated:
            Index.open(copy)

        path.unlink()
        with pytest.raises(IndexerError) as missing:
            Index.open(copy)

        path.write_bytes(whole)

        assert str(path) in str(truncated.value)
        assert str(path if name != FILE_NAME else copy) in str(missing.value)
        assert "run: starcite index build" in str(missing.value)
    Index.open(copy).close()


def test_every_damaged_file_is_named(copy: Path) -> None:
    """Verifying does not stop at the first one, and says what is wrong with each."""
    names = sorted(Index.open(copy).manifest.files)
    (copy / names[0]).unlink()
    (copy / names[1]).write_bytes(b"")
    last = copy / names[-1]
    last.write_bytes(last.read_bytes()[::-1])
    found = problems(copy)

    assert sorted(found) == [names[0], names[1], names[-1]]
    assert found[names[0]] == "No such file or directory"
    assert found[names[1]].startswith("0 of ")
    assert found[names[-1]] == "its checksum does not match"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_of_equal_size_never_gives_a_traceback(copy: Path, data: st.DataObject) -> None:
    """What opening cannot see is, at use, an answer or an error of this package."""
    # What tantivy makes of damage in its own files is not ours to say.
    path = copy / data.draw(st.sampled_from([n for n in all_files(copy) if "lexical" not in n]))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    with Index.open(copy) as index:
        fingerprints = winnow(lex(index.text(4).encode(), "python").hashes).values
    path.write_bytes(damaged)
    try:
        with Index.open(copy) as index:
            for document_id in range(index.manifest.n_documents):
                index.document(document_id)
                index.text(document_id)
            index.lookup(fingerprints)
            index.longest_chain("x" * 200)
    except IndexerError as error:
        assert str(copy) in str(error)  # noqa: PT017
    finally:
        path.write_bytes(whole)


def test_every_segment_and_the_tombstones_are_verified(copy: Path) -> None:
    """A flipped byte in any file of a later generation is found, under the file's name."""
    with Index.open(copy) as index:
        text = index.text(0)
    origin = Origin(
        source="pypi", name="p", version="1", path="p.py", spdx_id="MIT", license_evidence=""
    )
    add_segment([SourceFile(text=f"{text}\nx = 1\n", language="python", origin=origin)], copy)
    forget_documents(copy, [3])
    manifest = read_manifest(copy)
    names = [name for name in manifest.files if not name.startswith("segments/000001/")]

    assert manifest.tombstones in names
    for name in names:
        whole = (copy / name).read_bytes()
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        (copy / name).write_bytes(flipped)

        assert list(problems(copy)) == [name]
        (copy / name).write_bytes(whole)
    assert problems(copy) == {}


def test_an_index_that_changes_while_it_is_verified_is_not_called_damaged(copy: Path) -> None:
    """Its files are gone because there are newer ones; that is what the error says."""
    checks = verify_index(copy)
    next(checks)
    forget_documents(copy, [3])
    compact_index(copy)
    with pytest.raises(IndexChangedError, match="open it again and repeat"):
        list(checks)
