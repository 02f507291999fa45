"""A corpus of canaries in every kind of place, and an index of it that a test may change."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.build import build_index
from indexer.source_file import Kind, Origin, SourceFile

Canary = Callable[..., SourceFile]
OWNER = "canaryowner"


def code(seed: int, n_lines: int = 60) -> str:
    """Python that no other seed gives: every line holds words of its own."""
    chosen = random.Random(seed)  # noqa: S311
    lines = []
    for n in range(n_lines):
        words = ["".join(chosen.choices("abcdefghijklmnop", k=8)) for _ in range(4)]
        lines.append(
            f"{words[0]}_{n} = {words[1]}({words[2]}, {words[3]}={chosen.randrange(10**6)})"
        )
    return "\n".join(lines) + "\n"


def place(repository: str = "", path: str = "src/mod.py", *, name: str = "bystander") -> Origin:
    """Where a file was found: in a repository, or in a package of that name."""
    return Origin(
        source="git" if repository else "pypi",
        name=repository.partition("/")[2] or name,
        version="1.0",
        path=path,
        spdx_id="MIT",
        license_evidence="LICENSE: MIT",
        repository=repository,
    )


def make(seed: int, origin: Origin, kind: Kind = "file", **more: object) -> SourceFile:
    return SourceFile(text=code(seed), language="python", origin=origin, kind=kind, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def canaries() -> list[SourceFile]:
    """Six texts that OWNER wants out: files, twins, a notebook, an issue and a commit."""
    mine = f"{OWNER}/nest"
    near = replace(place(mine, "old/near.py"), relation="near")
    return [
        make(1, place(mine, "src/alone.py")),
        make(2, place(mine, "src/shared.py")),
        make(3, place("somebody/else", "kept.py"), twins=(near,)),
        make(4, place(mine, "notes.ipynb"), "notebook"),
        make(5, place(mine, "issues/1"), "issue"),
        make(6, place(mine.title(), "commits/abc"), "commit"),
    ]


@pytest.fixture(scope="session")
def corpus(canaries: list[SourceFile]) -> list[SourceFile]:
    """The canaries among bystanders, one of which published a canary's exact text, too."""
    bystanders = [make(100 + n, place(name=f"package{n}", path=f"m{n}.py")) for n in range(8)]
    copy = replace(canaries[1], origin=place("bystander/copies", "copied.py"))
    return [*bystanders[:4], *canaries, copy, *bystanders[4:]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home of this test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("STARCITE_HOME", str(folder))
    return folder


@pytest.fixture
def built(home: Path, corpus: list[SourceFile]) -> Path:
    """The default index of that home, built from the corpus."""
    path = home / "index" / "default"
    build_index(corpus, path)
    return path
