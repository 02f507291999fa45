"""A build is whole or it is nothing, whatever stops it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.build import BuildProgress, build_index
from indexer.errors import IndexBuildError, IndexMissingError
from indexer.index import Index
from indexer.source_file import SourceFile
from indexer.store import segment
from indexer.verify import verify_index

MakeFile = Callable[..., SourceFile]

# Builds from files without end, or stops in a later step; says so, and waits to be killed.
BLOCKED_BUILD = """
import sys
from pathlib import Path
from indexer.build import build_index
from indexer.source_file import Origin, SourceFile

out, step_to_stop_in = Path(sys.argv[1]), sys.argv[2]

def files():
    for n in range(200):
        origin = Origin(source="pypi", name="p", version="1", path=f"{n}.py", spdx_id="MIT",
                        license_evidence="")
        text = "".join(f"value_{n}_{i} = compute({i}, {n}) + offset\\n" for i in range(50))
        yield SourceFile(text=text, language="python", origin=origin)

def stop(now):
    if now.step == step_to_stop_in and now.n_documents >= 100:
        print("stopped", flush=True)
        sys.stdin.readline()

try:
    build_index(files(), out, progress=stop)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.fixture
def blocked_build(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a build of `tmp_path / index` that waits in a step, holding everything it holds."""
    started: list[subprocess.Popen[str]] = []

    def start(step: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", BLOCKED_BUILD, str(tmp_path / "index"), step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def names(folder: Path) -> list[str]:
    """What stands in a folder, but for the lock of builders, which stays."""
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("step", ["reading", "sorting", "checking"])
def test_a_killed_build_leaves_nothing_that_opens(
    tmp_path: Path,
    blocked_build: Callable[[str], subprocess.Popen[str]],
    corpus_files: list[SourceFile],
    step: str,
) -> None:
    """After kill -9 there is no index, and the next build removes the rest and succeeds."""
    process = blocked_build(step)
    process.kill()
    process.wait()

    assert names(tmp_path) == ["index.partial"]
    for name in ("index", "index.partial"):
        with pytest.raises(IndexMissingError):
            Index.open(tmp_path / name)

    report = build_index(corpus_files, tmp_path / "index")

    assert names(tmp_path) == ["index"]
    assert [check.name for check in verify_index(report.path) if check.problem] == []


def test_a_killed_build_leaves_the_old_index(
    tmp_path: Path,
    blocked_build: Callable[[str], subprocess.Popen[str]],
    corpus_files: list[SourceFile],
) -> None:
    """Until a build is complete, the index that was there answers."""
    build_index(corpus_files, tmp_path / "index")
    blocked_build("checking").kill()
    with Index.open(tmp_path / "index") as index:
        assert index.manifest.n_documents == 12


def test_a_second_builder_is_refused_by_name(
    tmp_path: Path,
    blocked_build: Callable[[str], subprocess.Popen[str]],
    corpus_files: list[SourceFile],
) -> None:
    """It neither waits nor touches what the first one writes, which goes on to succeed."""
    process = blocked_build("reading")
    with pytest.raises(IndexBuildError, match=r"another build is writing .*index"):
        build_index(corpus_files, tmp_path / "index")
    process.communicate("\n" * 300)

    with Index.open(tmp_path / "index") as index:
        assert index.manifest.n_documents == 200


def test_an_interrupted_build_cleans_up(
    tmp_path: Path, blocked_build: Callable[[str], subprocess.Popen[str]]
) -> None:
    """Ctrl-C removes the half-written folder."""
    process = blocked_build("reading")
    process.send_signal(signal.SIGINT)

    assert process.communicate()[0] == "interrupted\n"
    assert names(tmp_path) == []


def test_equal_files_give_equal_indexes(tmp_path: Path, corpus_files: list[SourceFile]) -> None:
    """Byte for byte, the manifest too; the digest does not mind the order."""
    first = build_index(corpus_files, tmp_path / "a").manifest
    second = build_index(corpus_files, tmp_path / "b").manifest
    turned = build_index(reversed(corpus_files), tmp_path / "c").manifest

    assert first == second
    assert (tmp_path / "a" / "manifest.json").read_bytes() == (
        tmp_path / "b" / "manifest.json"
    ).read_bytes()
    assert first.corpus_digest == second.corpus_digest == turned.corpus_digest


@pytest.mark.parametrize("change", ["text", "path", "package", "one less"])
def test_the_digest_tells_corpora_apart(tmp_path: Path, make_file: MakeFile, change: str) -> None:
    """Another text, another place of a text or another set of files is another corpus."""
    files = [make_file("x = 1\n", "a.py"), make_file("y = 2\n", "b.py")]
    others = {
        "text": [files[0], make_file("y = 3\n", "b.py")],
        "path": [files[0], make_file("y = 2\n", "c.py")],
        "package": [files[0], make_file("y = 2\n", "b.py", name="other")],
        "one less": files[:1],
    }
    before = build_index(files, tmp_path / "a").manifest.corpus_digest

    assert before != build_index(others[change], tmp_path / "b").manifest.corpus_digest


def test_twins_and_blank_files_are_counted(tmp_path: Path, corpus_files: list[SourceFile]) -> None:
    """The report accounts for every file that was read, and the steps come in order."""
    steps: list[BuildProgress] = []
    report = build_index(corpus_files, tmp_path / "index", progress=steps.append)

    assert (report.n_files, report.n_twins, report.n_blank) == (15, 2, 1)
    assert (report.manifest.n_documents, report.manifest.n_origins) == (12, 14)
    assert [now.step for now in steps] == ["reading"] * 15 + ["sorting", "checking"]
    assert report.size_ratio == report.manifest.index_bytes / report.manifest.n_bytes > 0


def test_an_index_is_replaced_under_an_open_one(
    tmp_path: Path, corpus_files: list[SourceFile], make_file: MakeFile
) -> None:
    """Whoever has the old index open goes on reading it; whoever opens now reads the new one."""
    out = tmp_path / "index"
    build_index(corpus_files, out)
    with Index.open(out) as old:
        expected = old.text(3)
        build_index([make_file("fresh = start(1)\n")], out)
        with Index.open(out) as new:
            assert new.text(0) == "fresh = start(1)\n"
        assert old.text(3) == expected
    assert names(tmp_path) == ["index"]


def test_a_build_killed_while_replacing_loses_nothing(
    tmp_path: Path, corpus_files: list[SourceFile]
) -> None:
    """Between the two renames the old index stands aside; the next build puts it back first."""
    out = tmp_path / "index"
    build_index(corpus_files, out)
    out.rename(tmp_path / "index.replaced")
    with pytest.raises(IndexBuildError, match="no source files"):
        build_index([], out)

    with Index.open(out) as index:
        assert index.manifest.n_documents == 12
    assert names(tmp_path) == ["index"]


@pytest.mark.parametrize("files", [[], [" \n\t"]])
def test_nothing_to_index_is_an_error(
    tmp_path: Path, make_file: MakeFile, files: list[str]
) -> None:
    """An index of nothing would answer "no match" to everything; it is refused instead."""
    with pytest.raises(IndexBuildError, match="run: starcite corpus fetch"):
        build_index([make_file(text) for text in files], tmp_path / "index")

    assert names(tmp_path) == []


def test_what_no_build_wrote_is_never_deleted(
    tmp_path: Path, corpus_files: list[SourceFile]
) -> None:
    """A folder of something else, or a file, is refused and left as it was."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("more")
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial" / "keep.txt").touch()
    for name in ("home", "file", "x"):
        with pytest.raises(IndexBuildError, match=r"exists and is no index; choose another --out"):
            build_index(corpus_files, tmp_path / name)

    assert names(tmp_path) == ["file", "home", "x.partial"]
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "x.partial" / "keep.txt").exists()


def test_a_segment_that_is_too_large_is_refused(
    tmp_path: Path, corpus_files: list[SourceFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offsets of 32 bits are never silently cut."""
    monkeypatch.setattr(segment, "MAX_BYTES", 10_000)
    with pytest.raises(IndexBuildError, match="build one index for each part"):
        build_index(corpus_files, tmp_path / "index")

    assert names(tmp_path) == []


def test_an_error_of_the_reader_passes_through(
    tmp_path: Path, corpus_files: list[SourceFile]
) -> None:
    """What the corpus raises is not dressed up as something else, and cleans up all the same."""

    def damaged() -> Iterator[SourceFile]:
        yield corpus_files[0]
        raise LookupError("archive 7")

    with pytest.raises(LookupError, match="archive 7"):
        build_index(damaged(), tmp_path / "index")

    assert names(tmp_path) == []


def test_odd_texts_are_indexed_as_they_are(tmp_path: Path, make_file: MakeFile) -> None:
    """Lone surrogates, NUL, every kind of line ending and words of any length come back."""
    texts = ["x\ud800 = 1\n", "a\0b\r\nc\rd\x0c\n", "z" * 500_000, "é = '…'", "#"]
    build_index([make_file(text, f"{i}.py") for i, text in enumerate(texts)], tmp_path / "index")
    with Index.open(tmp_path / "index") as index:
        assert [index.text(i) for i in range(len(texts))] == texts


LIMITED_BUILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
sys.argv[2] = "never"
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of file sizes are POSIX's")
@pytest.mark.parametrize("limit_bytes", [0, 300, 3_000, 10_000, 30_000, 60_000])
def test_a_write_that_fails_leaves_nothing(tmp_path: Path, limit_bytes: int) -> None:
    """However far a build comes before the disk says no, it is one error and no files."""
    script = LIMITED_BUILD + BLOCKED_BUILD.replace(
        "except KeyboardInterrupt:", "except __import__('indexer').IndexerError as error:"
    ).replace('"interrupted"', "error")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "index"), str(limit_bytes)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith(("cannot write the index", "cannot write the BM25 index"))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert names(tmp_path) == []


def test_an_index_can_be_moved(tmp_path: Path, index_path: Path) -> None:
    """Nothing in an index names the folder that it was built in, and a blank does not matter."""
    moved = Path(shutil.copytree(index_path, tmp_path / "an other place" / "index"))
    with Index.open(moved) as index:
        assert index.search("work_1_1", top_k=1)[0].document_id == 1
        assert str(index_path) not in json.dumps((moved / "manifest.json").read_text())
