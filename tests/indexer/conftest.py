"""A small corpus and its index, built once for the tests that only read it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.build import build_index
from indexer.corpus.inventory import PACKAGES, Archive, Census, Inventory, write_inventory
from indexer.index import Index
from indexer.source_file import Origin, SourceFile

MakeFile = Callable[..., SourceFile]
Run = Callable[..., subprocess.CompletedProcess[str]]


def _make_file(text: str, path: str = "pkg/mod.py", *, name: str = "pkg") -> SourceFile:
    origin = Origin(
        source="pypi",
        name=name,
        version="1.0",
        path=path,
        spdx_id="MIT",
        license_evidence="metadata: MIT; LICENSE: MIT",
    )
    return SourceFile(text=text, language="python", origin=origin)


@pytest.fixture(scope="session")
def make_file() -> MakeFile:
    """Makes a source file of a package from its text and its path."""
    return _make_file


@pytest.fixture(scope="session")
def corpus_files() -> list[SourceFile]:
    """Twelve different Python files, some with an exact twin in another package, one blank."""
    files = [
        _make_file(
            f'"""Module {n} of the corpus."""\n\n\n'
            + "".join(
                f"def work_{n}_{i}(first, second={i}):\n"
                f"    # step {i} of {n}\n"
                f"    total_{i} = first * {n} + second - len('é{i}')\n"
                f"    return sum(range(total_{i}), start={n * i})\n\n\n"
                for i in range(30)
            ),
            f"pkg/mod_{n}.py",
        )
        for n in range(12)
    ]
    twins = [_make_file(files[n].text, f"other/copy_{n}.py", name="other") for n in (3, 7)]
    return [*files, *twins, _make_file(" \n\n", "pkg/__init__.py")]


@pytest.fixture(scope="session")
def index_path(tmp_path_factory: pytest.TempPathFactory, corpus_files: list[SourceFile]) -> Path:
    """The folder of an index over `corpus_files`; not to be changed."""
    out = tmp_path_factory.mktemp("shared") / "index"
    build_index(corpus_files, out)
    return out


@pytest.fixture
def opened(index_path: Path) -> Iterator[Index]:
    """That index, open."""
    with Index.open(index_path) as index:
        yield index


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder, with a blank in its name, that nothing is in yet."""
    return tmp_path / "data home"


@pytest.fixture
def run(home: Path) -> Run:
    """Runs the command in a process of its own; `before` is Python that comes first."""

    def starcite(
        *arguments: object, before: str = "", stderr: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        script = f"import sys\n{before}\nimport starcite\nstarcite.main(prog_name='starcite')"
        return subprocess.run(
            [sys.executable, "-c", script, "index", *map(str, arguments)],
            env={"STARCITE_HOME": str(home), "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )

    return starcite


@pytest.fixture
def corpus(home: Path, corpus_files: list[SourceFile]) -> Path:
    """A complete corpus of one package, as `starcite corpus fetch` leaves it."""
    folder = home / "corpus" / "default"
    archive = folder / PACKAGES / "pkg-1.0-py3-none-any.whl"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as wheel:
        for file in corpus_files[:12]:
            wheel.writestr(file.origin.path, file.text)
    entry = Archive(
        file=archive.name,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        n_bytes=archive.stat().st_size,
        source="pypi",
        name="pkg",
        version="1.0",
        spdx_id="MIT",
        license_evidence="metadata: MIT; LICENSE: MIT",
    )
    n_bytes = sum(len(file.text.encode()) for file in corpus_files[:12])
    census = Census(n_files={"python": 12}, n_bytes={"python": n_bytes})
    write_inventory(folder, Inventory(lock_sha256="", archives=(entry,), census=census))
    return folder
