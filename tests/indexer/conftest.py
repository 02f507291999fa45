"""A small corpus and its index, built once for the tests that only read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.build import build_index
from indexer.index import Index
from indexer.source_file import Origin, SourceFile

MakeFile = Callable[..., SourceFile]


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
