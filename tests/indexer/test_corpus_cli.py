from __future__ import annotations

import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.corpus.lock import read_lock
from indexer.corpus_cli import corpus

MIT_TEXT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of it. The above "
    "copyright notice and this permission notice shall be included in all copies."
)


@pytest.fixture
def wheel_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one package under a permissive licence and one without any."""
    house = tmp_path / "house"
    house.mkdir()
    for name, licence in (("good", MIT_TEXT), ("bare", "")):
        with zipfile.ZipFile(house / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            about = f"{name}-1.0.dist-info"
            wheel.writestr(f"{name}/__init__.py", f"NAME = '{name}'\n")
            wheel.writestr(f"{about}/licenses/LICENSE", licence)
            wheel.writestr(
                f"{about}/METADATA",
                f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n",
            )
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(house))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    return house


def test_a_lock_is_made_and_fetched(tmp_path: Path, wheel_house: Path) -> None:
    """From a names file to a corpus in the data folder, with what was left out and why."""
    names, lock = tmp_path / "some.names", tmp_path / "some.lock"
    names.write_text("good\nbare\n")

    made = CliRunner().invoke(corpus, ["lock", str(names), "--out", str(lock)])
    fetched = CliRunner().invoke(corpus, ["fetch", "--lock", str(lock)])

    assert (made.exit_code, fetched.exit_code) == (0, 0)
    assert "left out bare: its metadata says MIT" in made.stderr
    assert f"1 packages locked in {lock}, 1 left out\n" == made.stdout
    assert [package.name for package in read_lock(lock).packages] == ["good"]
    home = tmp_path / "home" / "corpus" / "default"
    assert f"1 packages: 0.0 MB of Python in 1 files; in {home}\n" == fetched.stdout
    assert "Fetching packages: 1 of 1\n" in fetched.stderr
    assert (home / "corpus.json").is_file()


def test_a_lock_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    """A missing lock ends with 2 and one line that names it."""
    ended = CliRunner().invoke(corpus, ["fetch", "--lock", str(tmp_path / "no.lock")])

    assert ended.exit_code == 2
    assert f"starcite: cannot read the corpus lock {tmp_path / 'no.lock'}" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_package_that_is_not_to_be_had_is_a_failure(tmp_path: Path, wheel_house: Path) -> None:
    """A fetch that cannot be done ends with 3, and a lock that was there is not touched."""
    names, lock = tmp_path / "some.names", tmp_path / "some.lock"
    names.write_text("good\nmissing\n")
    lock.write_text("as it was")

    ended = CliRunner().invoke(corpus, ["lock", str(names), "--out", str(lock)])

    assert ended.exit_code == 3
    assert "no wheel of missing" in ended.stderr
    assert lock.read_text() == "as it was"


def test_a_lock_of_nothing_is_not_written(tmp_path: Path, wheel_house: Path) -> None:
    """Where every package is left out there is no lock, and it says so."""
    names, lock = tmp_path / "some.names", tmp_path / "some.lock"
    names.write_text("bare\n")

    ended = CliRunner().invoke(corpus, ["lock", str(names), "--out", str(lock)])

    assert ended.exit_code == 3
    assert "every package was left out" in ended.stderr
    assert not lock.exists()


def test_a_terminal_gets_a_progress_bar(tmp_path: Path, wheel_house: Path) -> None:
    """On a terminal a bar is drawn; standard output holds only the result."""
    names, lock = tmp_path / "some.names", tmp_path / "some.lock"
    names.write_text("good\n")
    assert CliRunner().invoke(corpus, ["lock", str(names), "--out", str(lock)]).exit_code == 0
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "starcite", "corpus", "fetch", "--lock", str(lock)]

    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, text=True)
    os.close(theirs)
    drawn = os.read(ours, 65536).decode()
    os.close(ours)

    assert "Fetching packages  [####" in drawn
    assert "1/1" in drawn
    assert ended.stdout.startswith("1 packages: ")
