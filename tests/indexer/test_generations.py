"""Whatever changes an index, in whatever order and however it is stopped, it answers rightly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.add import add_segment
from indexer.build import build_index
from indexer.compact import compact_index
from indexer.index import Index
from indexer.manifest import Manifest, read_manifest
from indexer.source_file import Origin, SourceFile
from indexer.text.lex import lex
from indexer.text.winnow import winnow
from indexer.tombstones import forget_documents
from indexer.verify import verify_index

# Texts that share runs with each other, so that look-ups lead to several documents.
POOL = [
    "".join(f"value_{(n * 7 + i) % 11} = compute(first, {(n + i) % 5}) + rest\n" for i in range(9))
    + f"print({n})\n"
    for n in range(8)
]


def source_file(n: int, place: int) -> SourceFile:
    origin = Origin(
        source="pypi",
        name=f"package{place}",
        version="1",
        path=f"{n}.py",
        spdx_id="MIT",
        license_evidence="",
    )
    return SourceFile(text=POOL[n], language="python", origin=origin)


@dataclass
class Model:
    """The slow and obvious index: texts in order, each with the places it was found in."""

    documents: dict[str, set[Origin]] = field(default_factory=dict)

    def add(self, files: list[SourceFile]) -> None:
        """A known text in a new place moves to the end, where it is written anew."""
        known = dict(self.documents)
        for file in files:
            if file.text not in known:
                self.documents.setdefault(file.text, set()).add(file.origin)
        for text, origins in known.items():
            found = {file.origin for file in files if file.text == text}
            if not found <= origins:
                del self.documents[text]
                self.documents[text] = origins | found

    def files(self) -> list[SourceFile]:
        """What a build of just the live documents would read."""
        return [
            SourceFile(text=text, language="python", origin=origin)
            for text, origins in self.documents.items()
            for origin in sorted(origins, key=lambda one: one.name)
        ]


NUMBERS = st.integers(0, len(POOL) - 1)
FILES = st.lists(st.tuples(NUMBERS, st.integers(0, 2)), min_size=1, max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), FILES),
        st.tuples(st.just("forget"), st.sets(NUMBERS, min_size=1, max_size=3)),
        st.tuples(st.just("compact"), st.booleans()),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=7,
)


def answers(index: Index) -> dict[str, object]:
    """What an index says, without its numbers: its documents in order and all look-ups."""
    live = index.live_document_ids()
    texts = {one: index.text(one) for one in live}
    found = {}
    for text in POOL:
        postings = index.lookup(winnow(lex(text.encode(), "python").hashes).values)
        rows = zip(
            postings.query_index.tolist(),
            postings.document_id.tolist(),
            postings.offset.tolist(),
            strict=True,
        )
        found[text] = sorted((query, texts[one], offset) for query, one, offset in rows)
    origins = {text: set(index.document(one).origins) for one, text in texts.items()}
    return {"order": list(texts.values()), "origins": origins, "lookups": found}


@settings(max_examples=25)
@given(first=FILES, steps=STEPS)
def test_any_sequence_of_changes_answers_as_a_build_of_what_is_live(
    first: list[tuple[int, int]], steps: list[tuple[str, object]]
) -> None:
    """Also an index that was opened somewhere in between, less what has been forgotten since."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        files = [source_file(*one) for one in first]
        build_index(files, path)
        model = Model()
        model.add(files)
        opened = Index.open(path)
        seen = set(model.documents)
        for kind, argument in steps:
            seen = _step(kind, argument, path, model, seen) & set(model.documents)
            if kind == "reopen":
                opened.close()
                opened = Index.open(path)

            live = {opened.text(one) for one in opened.live_document_ids()}
            assert live == seen
        opened.close()
        with Index.open(path) as index:
            found = answers(index)
            assert index.manifest.n_live == len(model.documents)
        assert [check.name for check in verify_index(path) if check.problem] == []
        if model.documents:
            fresh = build_index(model.files(), Path(folder) / "fresh")
            with Index.open(fresh.path) as index:
                assert found == answers(index)
            assert read_manifest(path).corpus_digest == fresh.manifest.corpus_digest
        else:
            assert found["order"] == []


def _step(kind: str, argument: object, path: Path, model: Model, seen: set[str]) -> set[str]:
    """Do one step with the index and with the model; what an index opened earlier had seen."""
    if kind == "add" and isinstance(argument, list):
        files = [source_file(*one) for one in argument]
        add_segment(files, path)
        model.add(files)
    elif kind == "forget" and isinstance(argument, set):
        texts = {POOL[n] for n in argument}
        with Index.open(path) as index:
            ids = [one for one in index.live_document_ids() if index.text(one) in texts]
            manifest = index.manifest
        forget_documents(path, ids, resolved_from=manifest)
        for text in texts:
            model.documents.pop(text, None)
    elif kind == "compact":
        compact_index(path, join_all=bool(argument))
    elif kind == "reopen":
        return set(model.documents)
    return seen


# Adds to an index or merges it, stops in a step, says so, and waits to be killed.
BLOCKED = """
import sys
from pathlib import Path
from indexer.add import add_segment
from indexer.compact import compact_index
from indexer.source_file import Origin, SourceFile

path, what, step_to_stop_in = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def files():
    for n in range(20):
        origin = Origin(source="pypi", name="p", version="1", path=f"{n}.py", spdx_id="MIT",
                        license_evidence="")
        text = "".join(f"value_{n}_{i} = compute({i}, {n}) + offset\\n" for i in range(50))
        yield SourceFile(text=text, language="python", origin=origin)

def stop(now):
    if now.step == step_to_stop_in and now.n_documents >= 8:
        print("stopped", flush=True)
        sys.stdin.readline()

if what == "add":
    add_segment(files(), path, progress=stop)
else:
    compact_index(path, progress=stop)
"""


def start(path: Path, what: str, step: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BLOCKED, str(path), what, step],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def same_bytes(manifest: Manifest) -> dict[str, object]:
    """What must not depend on whether a run was killed before."""
    facts = (manifest.generation, manifest.segments, manifest.corpus_digest)
    return {"files": dict(manifest.files), "facts": facts, "content": manifest.content_digest}


@pytest.mark.parametrize("step", ["reading", "sorting", "checking"])
@pytest.mark.parametrize("what", ["add", "compact"])
def test_a_killed_change_changes_nothing_and_a_second_try_gives_the_same_bytes(
    tmp_path: Path, index_path: Path, what: str, step: str
) -> None:
    """After kill -9 the index answers as before; then all is as if it had never been killed."""
    paths = [Path(shutil.copytree(index_path, tmp_path / name)) for name in ("killed", "plain")]
    for path in paths:
        forget_documents(path, [5])
    before = read_manifest(paths[0])
    process = start(paths[0], what, step)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
    finally:
        process.kill()
        process.communicate()

    assert read_manifest(paths[0]) == before
    assert [check.name for check in verify_index(paths[0]) if check.problem] == []
    with Index.open(paths[0]) as index:
        assert len(index.live_document_ids()) == 11

    for path in paths:
        done = start(path, what, "never")
        done.communicate()
        assert done.returncode == 0

    assert same_bytes(read_manifest(paths[0])) == same_bytes(read_manifest(paths[1]))
    for path in paths:
        named = {"manifest.json", *read_manifest(path).files}
        present = {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}
        assert {name for name in present if not name.endswith(".lock")} == named


def test_what_a_killed_writer_left_is_swept_by_the_next(tmp_path: Path, index_path: Path) -> None:
    """Half a segment and half a list of tombstones are named by no manifest and disturb nobody."""
    path = Path(shutil.copytree(index_path, tmp_path / "index"))
    for name in ("segments/000002/text.zst", "tombstones/000002.npy", "segments/000003.npy"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"half")
    with Index.open(path) as index:
        assert len(index.live_document_ids()) == 12
    manifest = forget_documents(path, [1])

    assert [one.name for one in (path / "segments").iterdir()] == ["000001"]
    assert [one.name for one in (path / "tombstones").iterdir()] == ["000002.npy"]
    assert manifest.n_tombstones == 1


@pytest.mark.parametrize("what", ["add", "compact"])
def test_readers_are_served_while_an_index_changes(
    tmp_path: Path, index_path: Path, what: str
) -> None:
    """Open and newly opened ones, in every step, up to the moment when the new state is there."""
    path = Path(shutil.copytree(index_path, tmp_path / "index"))
    forget_documents(path, [5])
    with Index.open(path) as index:
        before = answers(index)
        for step in ("reading", "sorting", "checking"):
            process = start(path, what, step)
            assert process.stdout is not None
            assert process.stdout.readline() == "stopped\n"
            with Index.open(path) as other:
                assert answers(other) == answers(index) == before
            process.kill()
            process.communicate()
        process = start(path, what, "never")
        process.communicate()

        assert process.returncode == 0
        assert answers(index) == before


LIMITED = """
import resource, sys
from indexer import IndexerError
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
try:
    exec(sys.argv[5])
except IndexerError as error:
    print(error, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of file sizes are POSIX's")
@pytest.mark.parametrize("limit_bytes", [0, 300, 3_000, 10_000])
@pytest.mark.parametrize("what", ["add", "compact"])
def test_a_write_that_fails_changes_nothing(
    tmp_path: Path, index_path: Path, what: str, limit_bytes: int
) -> None:
    """However far it comes before the disk says no, it is one error and the index is as it was."""
    path = Path(shutil.copytree(index_path, tmp_path / "index"))
    forget_documents(path, [5])
    before = read_manifest(path)
    arguments = [str(path), what, "never", str(limit_bytes), BLOCKED]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments], capture_output=True, text=True, check=False
    )

    assert done.stdout.startswith(("cannot write in", "cannot write the BM25 index")), done.stderr
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert read_manifest(path) == before
    assert [check.name for check in verify_index(path) if check.problem] == []
    assert [one.name for one in (path / "segments").iterdir()] == ["000001"]
