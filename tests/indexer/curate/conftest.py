"""Records for the tests of curation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from indexer.source_file import Origin, SourceFile

# The disguises by which tests and the benchmark judge decontamination.
sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

MakeRecord = Callable[..., SourceFile]

_ORIGIN = Origin(
    source="pypi",
    name="pkg",
    version="1.0",
    path="pkg/mod.py",
    spdx_id="MIT",
    license_evidence="metadata: MIT; LICENSE: MIT",
)


def _make_record(
    text: str, path: str = "pkg/mod.py", *, language: str = "python", **fields: Any
) -> SourceFile:
    """A record; `kind`, `stars` and `twins` go to the file, everything else to its origin."""
    about_file = {key: fields.pop(key) for key in ("kind", "stars", "twins") if key in fields}
    origin = replace(_ORIGIN, path=path, **fields)
    return SourceFile(text=text, language=language, origin=origin, **about_file)


@pytest.fixture(scope="session")
def make_record() -> MakeRecord:
    """Makes a record from its text, its path and whatever else matters to a test."""
    return _make_record


@pytest.fixture(scope="session")
def some_records() -> list[SourceFile]:
    """Forty different files that pass every rule, in the order of a reader."""
    return [
        _make_record(
            f'"""Part {n}."""\n\n\n'
            + "".join(
                f"def step_{n}_{i}(value):\n    return value * {n * 31 + i} + {i}\n\n\n"
                for i in range(12)
            ),
            f"pkg/part_{n:02}.py",
            name=f"pkg-{n % 3}",
        )
        for n in range(40)
    ]
