from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.curation import Task, curate_corpus
from indexer.curate.errors import ShardsDamagedError, ShardsMissingError
from indexer.curate.records import dump_record, parse_record
from indexer.curate.shards import MANIFEST_NAME, read_shards, read_shards_manifest
from indexer.source_file import Origin, SourceFile

_TEXTS = st.text(st.characters())
_ORIGINS = st.builds(
    Origin,
    source=_TEXTS,
    name=_TEXTS,
    version=_TEXTS,
    path=_TEXTS,
    spdx_id=_TEXTS,
    license_evidence=_TEXTS,
    repository=_TEXTS,
    relation=st.sampled_from(["same", "near"]),
)
_FILES = st.builds(
    SourceFile,
    text=_TEXTS,
    language=_TEXTS,
    origin=_ORIGINS,
    kind=st.sampled_from(["file", "notebook", "issue", "commit"]),
    stars=st.none() | st.integers(),
    twins=st.lists(_ORIGINS, max_size=2).map(tuple),
)


@given(_FILES)
def test_a_record_reads_back_as_it_was(file: SourceFile) -> None:
    """Any text, lone surrogates and newlines included, is one line and the same record again."""
    line = dump_record(file)

    assert line.count(b"\n") == 1
    assert parse_record(line) == file


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"text": 1}', b'{"origin": 5}', b'{"origin": {"name": "x"}}']
)
def test_what_is_no_record_is_a_value_error(line: bytes) -> None:
    """A line of something else is refused."""
    with pytest.raises(ValueError, match=r".+"):
        parse_record(line)


@pytest.fixture
def shards(tmp_path: Path, some_records: list[SourceFile]) -> Path:
    folder = tmp_path / "shards"
    curate_corpus(Task(read=lambda: iter(some_records), folder=folder))
    return folder


def test_shards_give_back_the_files(shards: Path, some_records: list[SourceFile]) -> None:
    """What was written is read, in order, and counted in the manifest."""
    read = list(read_shards(shards))
    manifest = read_shards_manifest(shards)

    assert read == some_records
    assert manifest.n_files == manifest.n_read == len(read)
    assert manifest.n_bytes == sum(len(file.text.encode()) for file in read)


def test_a_folder_without_a_manifest_holds_no_shards(tmp_path: Path) -> None:
    """The message names the folder and the command that fills it."""
    with pytest.raises(ShardsMissingError, match=f"starcite corpus curate --to {tmp_path}"):
        next(read_shards(tmp_path))


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "swap"])
def test_a_damaged_shard_is_found_while_it_is_read(shards: Path, damage: str) -> None:
    """A flipped byte, a missing end, a missing file and another file all end the reading."""
    path = shards / "shard-00000.jsonl.zst"
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    if damage == "cut":
        del data[len(data) // 2 :]
    path.write_bytes(data)
    if damage == "remove":
        path.unlink()
    if damage == "swap":
        others = list(read_shards_of_another(shards))
        assert others

    with pytest.raises(ShardsDamagedError, match="shard-00000"):
        list(read_shards(shards))


def read_shards_of_another(shards: Path) -> list[SourceFile]:
    """Put the shard of another corpus in place of ours; say what it holds."""
    first, *_ = read_shards(shards)
    other = shards.with_name("other")
    file = replace(first, text=first.text + "\n# more\n")
    curate_corpus(Task(read=lambda: iter([file]), folder=other))
    (other / "shard-00000.jsonl.zst").replace(shards / "shard-00000.jsonl.zst")
    return [file]


@pytest.mark.parametrize(
    ("old", "new"), [('"format": 1', '"format": 2'), ('"n_read"', '"n_reads"'), ("{", "")]
)
def test_a_manifest_of_another_format_is_refused(shards: Path, old: str, new: str) -> None:
    """Another format, an unknown field and broken JSON name the file."""
    path = shards / MANIFEST_NAME
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(ShardsDamagedError, match=MANIFEST_NAME):
        read_shards_manifest(shards)


def test_a_manifest_never_leads_out_of_its_folder(shards: Path) -> None:
    """A name with a folder in it is no name of a shard."""
    path = shards / MANIFEST_NAME
    path.write_text(path.read_text().replace("shard-00000", "../shard-00000"))

    with pytest.raises(ShardsDamagedError, match="leads out"):
        read_shards_manifest(shards)
