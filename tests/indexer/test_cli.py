"""`starcite index` as a process: what it prints, its exit codes, and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.index import Index

Run = Callable[..., subprocess.CompletedProcess[str]]


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.name.endswith(".lock"))


def failure(done: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    """The exit code and the one line of an error; a traceback or output beside it fails."""
    assert done.stdout == ""
    assert done.stderr.startswith("starcite: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


def test_build_verify_and_inspect(run: Run, home: Path, corpus: Path) -> None:
    """The three commands in the order of a day, in text and in JSON."""
    built, verified, inspected = run("build"), run("verify"), run("inspect")
    again = json.loads(run("build", "--corpus", corpus, "--json").stdout)
    record = json.loads(run("inspect", "--json").stdout)

    assert (built.returncode, verified.returncode, inspected.returncode) == (0, 0, 0)
    assert built.stdout.startswith("12 documents, 0.1 MB of text in ")
    assert verified.stdout.endswith(": all as they were written\n")
    assert "licences   MIT 12\n" in inspected.stdout
    assert "packages   1, 12 files\n" in inspected.stdout
    assert "owners     pkg 12\n" in inspected.stdout
    assert again["n_documents"] == record["manifest"]["n_documents"] == 12
    assert again["corpus_digest"] == record["manifest"]["corpus_digest"]
    assert again["index_bytes"] == sum(record["summary"]["bytes_by_part"].values())
    assert set(record["summary"]["bytes_by_part"]) == {
        "text",
        "documents",
        "fingerprints",
        "membership",
        "BM25",
    }
    assert left_in(home / "index") == ["default"]


def test_inspect_draws_what_the_index_holds(run: Run, corpus: Path, tmp_path: Path) -> None:
    """--html writes one page with the digest and a chart for each way to count."""
    run("build", "--corpus", corpus)

    shown = run("inspect", "--html", tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()

    assert shown.returncode == 0
    assert json.loads(run("inspect", "--json").stdout)["manifest"]["corpus_digest"] in page
    assert page.count("<svg") == 3


def test_a_place_of_ones_own(run: Run, tmp_path: Path, corpus: Path) -> None:
    """--out builds elsewhere; verify and inspect take that folder."""
    out = tmp_path / "my indexes" / "one"

    assert run("build", "--out", out).returncode == 0
    assert json.loads(run("verify", out, "--json").stdout)["damaged"] == {}
    assert str(out) in run("inspect", out).stdout


def test_a_terminal_gets_a_bar_that_ends_full(run: Run, corpus: Path) -> None:
    """On a terminal there is a bar on stderr, at 100 % in the end; a pipe gets none."""
    terminal, inside = pty.openpty()
    try:
        built = run("build", "--corpus", corpus, stderr=inside)
        shown = os.read(terminal, 100_000).decode().rsplit("\r", 2)
    finally:
        os.close(terminal)
        os.close(inside)

    assert built.stdout.startswith("12 documents")
    assert "100%  checking, 12 documents" in shown[-2]
    assert run("build", "--corpus", corpus).stderr == ""


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_no_index_is_said_in_one_line(run: Run, home: Path, command: str) -> None:
    """A missing index is exit code 3 and the command that makes one."""
    code, line = failure(run(command))

    assert code == 3
    assert (
        line == f"starcite: no index in {home / 'index' / 'default'}; run: starcite index build\n"
    )


def test_no_corpus_is_said_in_one_line(run: Run, home: Path) -> None:
    """A missing corpus is exit code 3 and the command that fetches one; no index appears."""
    code, line = failure(run("build"))

    assert code == 3
    assert line.endswith("run: starcite corpus fetch\n")
    assert not (home / "index").exists()


def test_wrong_usage_is_exit_code_2(run: Run, tmp_path: Path) -> None:
    """A file for a folder and an unknown option are told from what could not be done."""
    (tmp_path / "file").touch()

    assert run("verify", tmp_path / "file").returncode == 2
    assert run("build", "--outt", tmp_path).returncode == 2


def test_damage_is_exit_code_3_and_named(run: Run, tmp_path: Path, index_path: Path) -> None:
    """Every damaged file has its line on stderr and its entry in the JSON."""
    path = Path(shutil.copytree(index_path, tmp_path / "index"))
    for name in ("text.zst", "membership.npy"):
        file = path / "segments" / "000001" / name
        file.write_bytes(file.read_bytes()[:-1] + b"\0\0")
    text, record = run("verify", path), run("verify", path, "--json")

    assert (text.returncode, record.returncode) == (3, 3)
    assert [line.split(" is damaged")[0].split("/")[-1] for line in text.stderr.splitlines()] == [
        "membership.npy",
        "text.zst",
        "starcite: the index",
    ]
    assert sorted(json.loads(record.stdout)["damaged"]) == [
        "segments/000001/membership.npy",
        "segments/000001/text.zst",
    ]
    assert failure(run("inspect", path))[0] == 3


def test_a_full_disk_is_one_line(run: Run, home: Path, corpus: Path) -> None:
    """The message names the index and the next step, exit code 3, nothing half-written."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    code, line = failure(run("build", "--corpus", corpus, before=limit))

    assert code == 3
    assert "make room or choose another --out" in line
    assert left_in(home / "index") == []


@pytest.mark.parametrize("moment", ["text.zst", "manifest.json.partial"])
def test_ctrl_c_is_exit_code_130(
    run: Run, home: Path, corpus: Path, index_path: Path, moment: str
) -> None:
    """An interrupt, early or at the last moment, changes nothing: the old index still answers."""
    shutil.copytree(index_path, home / "index" / "default")
    interrupt = f"""
import signal
def interrupt(event, arguments):
    if event == "open" and str(arguments[0]).endswith({moment!r}):
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(interrupt)
"""
    code, line = failure(run("build", "--corpus", corpus, before=interrupt))

    again = "the index is as it was; run the same command again to go on"
    assert (code, line) == (130, f"starcite: interrupted; {again}\n")
    assert left_in(home / "index") == ["default"]
    Index.open(home / "index" / "default").close()
