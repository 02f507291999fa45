"""A git checkout gives the files of its commit with where and when they came from."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.corpus.checkout import read_checkout
from indexer.corpus.errors import CheckoutError
from indexer.corpus.filters import SkipReason
from indexer.corpus.git import repository_of
from indexer.corpus.skips import Skip
from indexer.source_file import SourceFile

MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this. "
    "The above copyright notice and this permission notice shall be included in all copies.\n"
)
GPL = "GNU General Public License, version 3\n"
Commit = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An empty git repository."""
    folder = tmp_path / "tools"
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


@pytest.fixture
def commit(repository: Path) -> Commit:
    """Writes files and commits all there is; gives the commit's id."""

    def run(files: dict[str, str | bytes], *, date: str = "2020-05-06T07:08:09Z") -> str:
        for name, content in files.items():
            path = repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "--allow-empty", "-m", "Change", date=date)
        return git(repository, "rev-parse", "HEAD")

    return run


def git(folder: Path, *arguments: str, date: str = "2020-05-06T07:08:09Z") -> str:
    """The output of a git command that knows who it is."""
    author = {"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org"}
    committer = {"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org"}
    dates = {"GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "GIT_COMMITTER_DATE": date}
    result = subprocess.run(
        ["git", "-C", folder, *arguments],
        env={**os.environ, **author, **committer, **dates},
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.strip()


def _read(folder: Path) -> tuple[dict[str, SourceFile], dict[str, SkipReason]]:
    skips: list[Skip] = []
    files = {f.origin.path: f for f in read_checkout(folder, on_skip=skips.append)}
    return files, {skip.path: skip.reason for skip in skips}


def test_commit_path_and_repository(repository: Path, commit: Commit) -> None:
    """A file names its commit, its path in it and the repository by its remote."""
    git(repository, "remote", "add", "origin", "git@github.com:ann/tools.git")
    head = commit({"src/größe.py": "x = 1\n"})
    origin = _read(repository)[0]["src/größe.py"].origin

    assert (origin.source, origin.name, origin.repository) == ("git", "ann/tools", "ann/tools")
    assert (origin.revision, origin.version) == (head, head[:12])


def test_only_what_was_committed(repository: Path, commit: Commit) -> None:
    """Untracked files and changes that were not committed are not read."""
    commit({"a.py": "x = 1\n"})
    (repository / "a.py").write_text("x = 2\n")
    (repository / "b.py").write_text("untracked = True\n")

    assert {path: f.text for path, f in _read(repository)[0].items()} == {"a.py": "x = 1\n"}


def test_first_seen(repository: Path, commit: Commit) -> None:
    """A path's date is that of the commit that first added it, also after changes and a return."""
    commit({"a.py": "x = 1\n", "b c\té.py": "z = 1\n"}, date="2019-01-02T23:30:00-0500")
    (repository / "a.py").unlink()
    commit({"b c\té.py": "z = 2\n"}, date="2020-01-01T00:00:00Z")
    commit({"a.py": "x = 3\n", "new.py": "y = 1\n"}, date="2021-02-03T00:00:00Z")

    found = {path: file.origin.first_seen for path, file in _read(repository)[0].items()}
    assert found == {"a.py": "2019-01-03", "new.py": "2021-02-03"}


def test_shallow_clone_has_no_dates(repository: Path, commit: Commit, tmp_path: Path) -> None:
    """Where history was cut, the last commit that is left is not taken for the first."""
    commit({"a.py": "x = 1\n"}, date="2019-01-02T00:00:00Z")
    commit({"b.py": "y = 1\n"}, date="2021-01-02T00:00:00Z")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")

    files, _ = _read(tmp_path / "shallow")
    assert {path: file.origin.first_seen for path, file in files.items()} == {
        "a.py": "",
        "b.py": "",
    }


def test_nearest_license_file(repository: Path, commit: Commit) -> None:
    """The nearest licence file above a file decides, and a file's own statement before it."""
    commit(
        {
            "LICENSE": MIT,
            "a.py": "x = 1\n",
            "lib/COPYING.txt": GPL,
            "lib/deep/b.py": "x = 2\n",
            "lib/c.py": "# SPDX-License-Identifier: ISC\nx = 3\n",
            "license.py": "x = 4\n",
        }
    )
    origins = {path: file.origin for path, file in _read(repository)[0].items()}

    assert {path: (o.spdx_id, o.license_evidence) for path, o in origins.items()} == {
        "a.py": ("MIT", "LICENSE: MIT"),
        "lib/deep/b.py": ("GPL", "lib/COPYING.txt: GPL"),
        "lib/c.py": ("ISC", "SPDX-License-Identifier: ISC"),
        "license.py": ("MIT", "LICENSE: MIT"),
    }


def test_no_license(repository: Path, commit: Commit) -> None:
    """Without a licence file nothing is asserted."""
    commit({"a.py": "x = 1\n"})
    origin = _read(repository)[0]["a.py"].origin

    assert (origin.spdx_id, origin.license_evidence) == ("NOASSERTION", "")


def test_what_is_left_out(repository: Path, commit: Commit) -> None:
    """Links, foreign, binary and damaged files are left out; all but links are told."""
    (repository / "link.py").symlink_to("/etc/passwd")
    commit(
        {
            "vendor/a.py": "x = 1\n",
            "nul.py": b"a\0b",
            "latin.c": b"\xff\n",
            "data.bin": b"\1",
            "empty.py": "",
            "big.py": "x = 1\n" * 200_000,
            "bad.ipynb": "{",
            "line\nbreak.py": "x = 1\n",
        }
    )
    files, skips = _read(repository)

    assert files == {}
    assert skips == {
        "vendor/a.py": SkipReason.VENDORED,
        "nul.py": SkipReason.BINARY,
        "latin.c": SkipReason.UNDECODABLE,
        "data.bin": SkipReason.NOT_SOURCE,
        "empty.py": SkipReason.EMPTY,
        "big.py": SkipReason.TOO_LARGE,
        "bad.ipynb": SkipReason.DAMAGED,
        "line\nbreak.py": SkipReason.NOT_SOURCE,
    }


def test_missing_object(repository: Path, commit: Commit) -> None:
    """A blob that git has lost is told; the others are read."""
    commit({"a.py": "x = 1\n", "b.py": "x = 2\n"})
    oid = git(repository, "rev-parse", "HEAD:a.py")
    (repository / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    files, skips = _read(repository)

    assert ([*files], skips) == (["b.py"], {"a.py": SkipReason.DAMAGED})


def test_damaged_object(repository: Path, commit: Commit) -> None:
    """A blob of other bytes is told; the others are read."""
    commit({"a.py": "x = 1\n", "b.py": "x = 2\n"})
    oid = git(repository, "rev-parse", "HEAD:a.py")
    path = repository / ".git" / "objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(b"garbage")
    files, skips = _read(repository)

    assert ([*files], skips) == (["b.py"], {"a.py": SkipReason.DAMAGED})


def test_bare_repository(repository: Path, commit: Commit, tmp_path: Path) -> None:
    """A bare clone reads like a checkout."""
    commit({"a.py": "x = 1\n"})
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")

    assert [*_read(tmp_path / "bare.git")[0]] == ["a.py"]


def test_nothing_of_the_repository_is_run(repository: Path, commit: Commit, tmp_path: Path) -> None:
    """A repository's configuration cannot make a reader run its programs."""
    proof, program = tmp_path / "proof", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {proof}\n")
    program.chmod(0o755)
    commit({"a.py": "x = 1\n", ".gitattributes": "*.py diff=evil filter=evil\n"})
    for key in ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv"):
        git(repository, "config", key, str(program))
    for key in ("filter.evil.smudge", "gpg.program", "core.sshCommand"):
        git(repository, "config", key, str(program))
    git(repository, "config", "log.showSignature", "true")

    assert [*_read(repository)[0]] == ["a.py"]
    assert not proof.exists()


def test_no_repository(tmp_path: Path) -> None:
    """A folder that is no repository is refused by name."""
    with pytest.raises(CheckoutError, match="cannot read the git repository"):
        _read(tmp_path)


def test_no_commit(repository: Path) -> None:
    """A repository without a commit is refused."""
    with pytest.raises(CheckoutError, match=r"git repository|no commit"):
        _read(repository)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/ann/tools.git", "ann/tools"),
        ("https://user:secret@github.com/ann/tools", "ann/tools"),
        ("ssh://git@example.org:2222/group/sub/tools.git/", "sub/tools"),
        ("git@github.com:ann/tools.git", "ann/tools"),
        ("/home/ann/tools", ""),
        ("", ""),
    ],
)
def test_repository_by_its_address(repository: Path, address: str, expected: str) -> None:
    """The owner and the name come from the address of the remote, never a password."""
    if address:
        git(repository, "remote", "add", "origin", address)

    assert expected == repository_of(repository)


def test_git_is_needed(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without git, one line says so."""
    assert shutil.which("git")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CheckoutError, match="git is needed to read"):
        _read(repository)
