from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from indexer.corpus import fetch_corpus, read_corpus
from indexer.corpus.errors import (
    CorpusDamagedError,
    CorpusError,
    CorpusMissingError,
    FetchError,
    HashMismatchError,
    NoNetworkError,
)
from indexer.corpus.inventory import benchmark_paths
from indexer.corpus.pip import explain_pip

Wheels = Callable[..., Path]
Locks = Callable[..., Path]


class Steps:
    """What a fetch told about its progress."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int]] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.told.append((stage, done, total))

    def of(self, stage: str) -> list[int]:
        return [done for name, done, _ in self.told if name == stage]


def test_a_benchmark_is_fetched_apart_and_never_indexed(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """Its wheel is checked like any other, lies beside the packages, and no file of it is read."""
    package, problems = make_wheel("demo"), make_wheel("bench")
    folder = tmp_path / "corpus"

    fetch_corpus(lock_wheels(package, benchmarks=[problems]), folder, Steps())

    assert benchmark_paths(folder) == [folder / "benchmarks" / problems.name]
    assert [file.origin.name for file in read_corpus(folder)] == ["demo"]
    benchmark_paths(folder)[0].write_bytes(b"another one")
    with pytest.raises(CorpusDamagedError, match="benchmarks/bench"):
        benchmark_paths(folder)
    fetch_corpus(lock_wheels(package, benchmarks=[problems]), folder, Steps())
    assert benchmark_paths(folder)[0].read_bytes() == problems.read_bytes()


def test_a_fetched_corpus_is_what_the_lock_names(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """Pure and platform wheels are fetched, counted without twins, and read by name."""
    same = b"SAME = 1\n"
    lock = lock_wheels(
        make_wheel("zeta", {"zeta/a.py": b"A = 1\n", "zeta/same.py": same}),
        make_wheel("Alpha", {"alpha/same.py": same, "alpha/_vendor/v.py": b"V = 1\n"}),
        make_wheel("mid", tags="cp37-abi3-win_amd64"),
    )
    folder = tmp_path / "a corpus"
    steps = Steps()

    inventory = fetch_corpus(lock, folder, steps)

    found = [(f.origin.name, f.origin.path) for f in read_corpus(folder)]
    expected = [("Alpha", "alpha/same.py"), ("mid", "mid/__init__.py")]
    assert [*expected, ("zeta", "zeta/a.py"), ("zeta", "zeta/same.py")] == found
    assert inventory.census.n_files["python"] == 3
    assert inventory.census.n_twins == 1
    assert inventory.census.skipped["vendored"] == 1
    assert inventory.summary().startswith("3 packages: ")
    fetched = steps.of("Fetching packages")
    assert (fetched[0], fetched[-1]) == (0, 3)
    assert not (folder / "fetch.partial").exists()


def test_a_fetch_goes_on_where_it_was(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks, wheel_house: Path
) -> None:
    """Files that are there with the right digest are not fetched again; damaged ones are."""
    one, two = make_wheel("one"), make_wheel("two")
    lock = lock_wheels(one, two)
    folder = tmp_path / "corpus"
    fetch_corpus(lock, folder, Steps())
    (folder / "corpus.json").unlink()
    (folder / "packages" / two.name).write_bytes(b"half of it")
    one.unlink()  # so that fetching it again would fail
    steps = Steps()

    fetch_corpus(lock, folder, steps)

    assert steps.of("Fetching packages") == [1, 2]
    assert len(list(read_corpus(folder))) == 2


def test_a_complete_corpus_needs_no_network(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """A second fetch only checks what is there."""
    wheel = make_wheel("one")
    lock = lock_wheels(wheel)
    first = fetch_corpus(lock, tmp_path / "corpus", Steps())
    wheel.unlink()
    steps = Steps()

    assert first == fetch_corpus(lock, tmp_path / "corpus", steps)
    assert steps.told == []


def test_a_changed_lock_replaces_the_corpus(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """What the new lock does not name is gone after the fetch."""
    folder = tmp_path / "corpus"
    fetch_corpus(lock_wheels(make_wheel("one"), make_wheel("two")), folder, Steps())
    newer = make_wheel("two", version="2.0")

    fetch_corpus(lock_wheels(newer), folder, Steps())

    assert [newer.name] == [path.name for path in (folder / "packages").iterdir()]
    assert [file.origin.version for file in read_corpus(folder)] == ["2.0"]


def test_a_file_with_another_hash_is_thrown_away(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """A package index that gives other bytes than the lock's is an error that names the package."""
    wheel = make_wheel("changed")
    lock = lock_wheels(wheel)
    make_wheel("changed", {"changed/__init__.py": b"import os  # another file\n"})
    folder = tmp_path / "corpus"

    with pytest.raises(HashMismatchError, match=r"changed==1\.0"):
        fetch_corpus(lock, folder, Steps())

    assert list((folder / "packages").iterdir()) == []
    assert not (folder / "fetch.partial").exists()
    with pytest.raises(CorpusMissingError, match="not complete"):
        list(read_corpus(folder))


def test_a_package_that_the_index_lacks_is_named(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """A wheel that is not to be had is an error; it does not hide what was fetched before."""
    wheel = make_wheel("gone")
    lock = lock_wheels(wheel)
    wheel.unlink()

    with pytest.raises(FetchError, match=r"gone==1\.0"):
        fetch_corpus(lock, tmp_path / "corpus", Steps())


def test_a_failed_upgrade_keeps_the_old_corpus(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """The corpus that was complete stays readable until its successor is."""
    folder = tmp_path / "corpus"
    fetch_corpus(lock_wheels(make_wheel("one")), folder, Steps())
    newer = make_wheel("one", version="2.0")
    lock = lock_wheels(newer)
    newer.unlink()

    with pytest.raises(FetchError):
        fetch_corpus(lock, folder, Steps())

    assert [file.origin.version for file in read_corpus(folder)] == ["1.0"]


def test_damage_after_the_fetch_is_found_on_reading(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """One flipped byte in a fetched wheel is an error that names the file."""
    wheel = make_wheel("one")
    folder = tmp_path / "corpus"
    fetch_corpus(lock_wheels(wheel), folder, Steps())
    fetched = folder / "packages" / wheel.name
    data = bytearray(fetched.read_bytes())
    data[len(data) // 2] ^= 1
    fetched.write_bytes(data)

    with pytest.raises(CorpusDamagedError, match=wheel.name):
        list(read_corpus(folder))


def test_a_wheel_that_is_no_zip_keeps_the_corpus_incomplete(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """A file with the right hash that cannot be read is named, and no marker is written."""
    wheel = make_wheel("one")
    lock = lock_wheels(wheel)
    folder = tmp_path / "corpus"
    fetch_corpus(lock, folder, Steps())
    (folder / "corpus.json").unlink()
    garbage = folder / "packages" / wheel.name
    garbage.write_bytes(b"PK no zip")
    locked = lock_wheels(garbage)

    with pytest.raises(CorpusDamagedError, match=wheel.name):
        fetch_corpus(locked, folder, Steps())

    assert not (folder / "corpus.json").exists()


def test_the_standard_library_is_packed_without_tests(tmp_path: Path, lock_wheels: Locks) -> None:
    """The running Python's library is part of the corpus as it was when fetched."""
    inventory = fetch_corpus(lock_wheels(standard_library=True), tmp_path / "corpus", Steps())

    paths = {f.origin.path: f for f in read_corpus(tmp_path / "corpus")}
    version = ".".join(map(str, sys.version_info[:3]))
    assert {"json/decoder.py", "asyncio/tasks.py", "argparse.py"} <= set(paths)
    assert not [p for p in paths if p.startswith(("test/", "site-packages/"))]
    origin = paths["argparse.py"].origin
    assert ("python", "python", version) == (origin.source, origin.name, origin.version)
    assert origin.spdx_id == "PSF-2.0"
    assert origin.license_evidence
    assert f"0 packages + Python {version}: " in inventory.summary()


def test_two_fetches_do_not_write_one_folder(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """While one fetch holds the folder, another one says so and ends."""
    folder = tmp_path / "corpus"
    folder.mkdir()

    with (
        FileLock(folder / "fetch.lock"),
        pytest.raises(CorpusError, match="another fetch"),
    ):
        fetch_corpus(lock_wheels(make_wheel("one")), folder, Steps())


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, make_wheel: Wheels, lock_wheels: Locks
) -> None:
    """A file where the folder should be is a clear error."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")

    with pytest.raises(CorpusError, match="choose another folder"):
        fetch_corpus(lock_wheels(make_wheel("one")), in_the_way / "corpus", Steps())


@pytest.mark.parametrize(
    ("output", "kind", "said"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
            "    six==1.17.0 from https://x/six.whl (from -r r.txt (line 1)):\n"
            "        Expected sha256 00\n",
            HashMismatchError,
            "six==1.17.0",
        ),
        (
            "WARNING: Retrying ... NewConnectionError('failed')\n"
            "ERROR: No matching distribution found for six==1.17.0\n",
            NoNetworkError,
            "check the network",
        ),
        ("ERROR: No matching distribution found for six==9\n", FetchError, "no wheel of six==9"),
        ("OSError: [Errno 28] No space left on device\n", FetchError, "disk is full"),
        ("/usr/bin/python: No module named pip\n", FetchError, "ensurepip"),
        ("ERROR: something\nERROR: odd happened\n", FetchError, "odd happened"),
        ("", FetchError, "pip failed"),
    ],
)
def test_what_pip_says_becomes_one_line(output: str, kind: type[FetchError], said: str) -> None:
    """Each way in which pip fails has a message with a next step and no line break."""
    error = explain_pip(output)

    assert kind is type(error)
    assert said in str(error)
    assert "\n" not in str(error)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupted_fetch_leaves_nothing_half_written(
    tmp_path: Path, lock_wheels: Locks, make_wheel: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends pip and the command with 130, and removes the partial folder."""
    lock = lock_wheels(make_wheel("one"))
    folder = tmp_path / "corpus"
    command = [sys.executable, "-m", "starcite", "corpus", "fetch"]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a package index that never answers
        silent.settimeout(60)
        port = silent.getsockname()[1]
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        process = subprocess.Popen(
            [*command, "--lock", str(lock), "--to", str(folder)],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with process, silent.accept()[0] as asking:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
            asking.settimeout(60)
            while asking.recv(65536):  # ends when pip, which is asking, is gone
                pass

    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert not (folder / "fetch.partial").exists()
    assert not (folder / "corpus.json").exists()
