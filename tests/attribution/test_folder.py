"""Which files of a folder are traced: in a git work tree, outside of one, and under odd ignores."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.folder import files_in, is_pattern


def plant(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    return folder


def names_in(folder: Path, *excluded: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in files_in(folder, excluded=excluded)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sources beside what is ignored, by one ignore file and by one further down."""
    plant(tmp_path, "a.py", "b.bin", "build/c.py", "src/d.rs", "src/keep.tmp.py", "src/e.tmp.py")
    (tmp_path / ".gitignore").write_text("build/\n*.tmp.py\n\\\n")
    (tmp_path / "src" / ".gitignore").write_text("!keep.tmp.py\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    return tmp_path


EXPECTED = ["a.py", "src/d.rs", "src/keep.tmp.py"]


def test_git_says_what_counts(folder: Path) -> None:
    """Tracked files and those that are new; neither what is ignored, nor links, nor data."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "a.py"], check=True)

    assert names_in(folder) == EXPECTED


def test_outside_of_git_ignore_files_say_it(folder: Path) -> None:
    """The same files; a line that is no pattern is passed over, hidden folders are left out."""
    plant(folder, ".venv/lib/x.py")

    assert names_in(folder) == EXPECTED
    assert [path.name for path in files_in(folder / "src")] == ["d.rs", "e.tmp.py", "keep.tmp.py"]


def test_more_can_be_left_out(folder: Path) -> None:
    """Patterns of the caller count besides."""
    assert names_in(folder, "src/") == ["a.py"]


def test_what_a_repository_configures_is_not_run(folder: Path) -> None:
    """A file-system monitor is a program of the repository's choice."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    marker = folder / "was-run"
    monitor = folder / "monitor.sh"
    monitor.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    monitor.chmod(0o755)
    subprocess.run(["git", "-C", folder, "config", "core.fsmonitor", monitor], check=True)

    assert [path.name for path in files_in(folder)] != []
    assert not marker.exists()


@given(line=st.text())
def test_any_line_is_a_pattern_or_none(line: str) -> None:
    """Nothing that an ignore file may hold ends in anything but a yes or a no."""
    assert is_pattern(line) in (True, False)


@given(data=st.binary())
def test_any_ignore_file_can_be_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Garbage in an ignore file does no harm."""
    folder = plant(tmp_path_factory.mktemp("garbage"), "a.py")
    (folder / ".gitignore").write_bytes(data)

    assert names_in(folder) in (["a.py"], [])
