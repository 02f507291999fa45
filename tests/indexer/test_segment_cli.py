"""`starcite index add`, `compact` and `merge` as processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from indexer.build import build_index
from indexer.index import Index
from indexer.source_file import SourceFile
from indexer.tombstones import forget_documents
from indexer.writing import only_writer

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_add_forget_compact_from_the_command_line(
    run: Run, home: Path, corpus: Path, corpus_files: list[SourceFile]
) -> None:
    """Each prints what it did in one line or as JSON, and a second time there is nothing to do."""
    path = home / "index" / "default"
    build_index(corpus_files[:5], path)
    added = run("add", corpus, "--json")
    again = run("add", corpus)
    forget_documents(path, [0, 4])
    compacted = run("compact", "--json")
    merged = run("merge")
    inspected = run("inspect")

    assert [done.returncode for done in (added, again, compacted, merged, inspected)] == [0] * 5
    record = json.loads(added.stdout)
    assert (record["n_new"], record["n_restated"], record["n_documents"]) == (7, 0, 12)
    assert (record["generation"], record["n_segments"]) == (2, 2)
    assert again.stdout == f"nothing new in 12 files; {path} is as it was\n"
    record = json.loads(compacted.stdout)
    assert (record["n_removed"], record["n_segments"], record["n_documents"]) == (2, 1, 10)
    assert merged.stdout == f"nothing to do; 1 segments, 10 documents; in {path}\n"
    assert "1, generation 4; 0 forgotten documents not rewritten yet" in inspected.stdout
    with Index.open(path) as index:
        assert {index.text(one) for one in index.live_document_ids()} == {
            file.text for file in (*corpus_files[1:4], *corpus_files[5:12])
        }


def test_whoever_opted_out_is_not_added_again(
    run: Run, home: Path, corpus: Path, corpus_files: list[SourceFile]
) -> None:
    """The ledger is asked for every file, and the command says how many it kept out."""
    path = home / "index" / "default"
    build_index(corpus_files[:5], path)
    forgotten = run("forget", "--path", "pkg/mod_3.py", "--yes")
    added = run("add", corpus, "--json")

    assert (forgotten.returncode, added.returncode) == (0, 0), forgotten.stderr
    record = json.loads(added.stdout)
    assert (record["n_opted_out"], record["n_new"], record["n_documents"]) == (1, 7, 11)


def test_what_cannot_be_done_is_one_line(
    run: Run, home: Path, tmp_path: Path, corpus: Path, corpus_files: list[SourceFile]
) -> None:
    """A missing index, a path of something else and a second writer: exit code 3 and a reason."""
    path = home / "index" / "default"
    missing = run("add", corpus)
    build_index(corpus_files[:5], path)
    empty = tmp_path / "empty"
    empty.mkdir()
    other = run("add", empty)
    with only_writer(path):
        second = run("compact")

    for done in (missing, other, second):
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1)
    assert missing.stderr == f"starcite: no index in {path}; run: starcite index build\n"
    assert f"{empty} holds neither" in other.stderr
    assert f"another build is writing {path}" in second.stderr
