"""`starcite trace DIR`: many files, in one process or in several, told as they come."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from attribution.cli import trace

N_OWN = 40


def run(*arguments: object) -> Result:
    return CliRunner().invoke(trace, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]) -> Path:
    """Many files of one's own, two copied ones, a binary file and an empty one."""
    folder = tmp_path_factory.mktemp("project")
    for number in range(N_OWN):
        (folder / f"own{number:02}.py").write_text(f"def own_{number}():\n    return {number}\n")
    (folder / "copied.py").write_text(texts["cities"])
    (folder / "sub").mkdir()
    (folder / "sub" / "cart.py").write_text(texts["cart"])
    (folder / "data.py").write_bytes(b"\0\1")
    (folder / "empty.py").write_text("")
    return folder


def test_a_folder_is_told_in_short(project: Path, index_path: Path) -> None:
    """Matches one by one, the rest in one sentence; what is no code is named, and ends with 0."""
    result = run(project, "--index", index_path)

    assert result.exit_code == 0
    assert f"{project}/copied.py:1-10  E0 the whole file" in result.stdout
    assert f"{project}/sub/cart.py:1-35  E0 the whole file" in result.stdout
    assert result.stdout.splitlines()[-1].startswith(
        f"{N_OWN} files: no match: no shared run of ≥ 30 lexemes in 16 documents of corpus "
    )
    assert result.stderr.splitlines() == [
        f"starcite trace: left out: {project}/data.py is a binary file: only text can be traced",
        f"starcite trace: left out: {project}/empty.py is empty: there is nothing to trace",
        f"starcite trace: {N_OWN + 2} files looked at, 2 left out",
    ]


def test_processes_change_nothing_but_the_time(project: Path, index_path: Path) -> None:
    """The same lines in the same order from one process and from several."""

    def results(n_jobs: int) -> list[dict[str, Any]]:
        told = run(project, "--index", index_path, "--format", "jsonl", "--jobs", n_jobs)
        documents = [json.loads(line) for line in told.stdout.splitlines()]
        for document in documents:
            for result in document["results"]:
                del result["elapsed_ms"]
        return documents

    assert results(1) == results(3)
    assert len(results(1)) == N_OWN + 4


def test_what_cannot_be_read_is_not_passed_over(
    tmp_path: Path, index_path: Path, texts: dict[str, str]
) -> None:
    """Text that nobody could look at makes the exit code 3, whatever else was found."""
    (tmp_path / "copied.py").write_text(texts["cities"])
    (tmp_path / "latin.py").write_bytes(b"caf\xe9 = 1\n")

    result = run(tmp_path, "--index", index_path, "--fail-on-match")

    assert result.exit_code == 3
    assert "latin.py is not UTF-8 (byte 3)" in result.stderr
    assert run(tmp_path, "--index", index_path, "--exclude", "latin*").exit_code == 0


def test_a_pattern_that_is_none_is_refused(project: Path, index_path: Path) -> None:
    """A slip in --exclude is told before anything is traced."""
    result = run(project, "--index", index_path, "--exclude", "\\")

    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no pattern" in result.stderr


def test_a_file_that_is_too_long_is_named(tmp_path: Path, index_path: Path) -> None:
    """It is not even read, and its name is told."""
    (tmp_path / "long.json").write_bytes(b" " * 4_000_001)

    result = run(tmp_path, "--index", index_path)

    assert result.exit_code == 3
    assert "long.json has 4,000,001 bytes, more than 4,000,000" in result.stderr


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_interrupt_leaves_no_process(
    tmp_path: Path, index_path: Path, texts: dict[str, str], n_jobs: int
) -> None:
    """Ctrl-C while many files are traced: exit code 130, one line, nobody left behind."""
    for number in range(600):
        (tmp_path / f"f{number}.py").write_text(texts["cart"] + f"\nNUMBER = {number}\n")
    command = [sys.executable, "-m", "starcite", "trace", str(tmp_path)]
    command += ["--index", str(index_path), "--format", "jsonl", "--jobs", str(n_jobs)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"{")  # it is under way
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)

    assert (process.returncode, stderr) == (130, b"starcite trace: interrupted\n")
    assert not any(map(outlives, members(process.pid)))


def members(group: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, number = (place / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(number) == group and state != "Z":
                found.append(int(place.name))
    return found


def outlives(process: int, seconds: float = 10) -> bool:
    """Whether a process that may be about to end is still there after a while."""
    try:
        ending = os.pidfd_open(process)
    except ProcessLookupError:
        return False
    try:
        return not select.select([ending], [], [], seconds)[0]
    finally:
        os.close(ending)
