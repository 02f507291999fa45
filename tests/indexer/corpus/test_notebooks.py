"""Notebooks become scripts or cells with their outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.corpus.filters import SkipReason
from indexer.corpus.notebooks import Form, notebook_of, read_notebook
from indexer.corpus.parts import Part, split_parts
from indexer.corpus.rows import Left
from indexer.corpus.skips import Skip
from indexer.source_file import Origin, SourceFile

_ORIGIN = Origin(
    source="git", name="n", version="", path="n.ipynb", spdx_id="MIT", license_evidence="LICENSE"
)


def _cell(kind: str, source: object, *outputs: object) -> dict[str, object]:
    return {"cell_type": kind, "source": source, "outputs": list(outputs)}


def _notebook(*cells: object, **metadata: object) -> bytes:
    return json.dumps({"nbformat": 4, "cells": cells, "metadata": metadata}).encode()


def _found(data: bytes, form: Form = "script") -> SourceFile:
    found = notebook_of(data, _ORIGIN, form=form)
    assert isinstance(found, SourceFile)
    return found


_BOTH = _notebook(
    _cell("markdown", ["# Title\n", "\n", "Text"]),
    _cell("code", "x = 1\nprint(x)", {"output_type": "stream", "text": ["1\n"]}),
    _cell("raw", "left out"),
    _cell("code", "x + 1", {"output_type": "execute_result", "data": {"text/plain": "2"}}),
    _cell("code", "  \n"),
    _cell("code", "y = 2", {"output_type": "display_data", "data": {"image/png": "iVBOR"}}),
    _cell("code", "1/0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "no"}),
    language_info={"name": "python", "file_extension": ".py"},
)


def test_script() -> None:
    """Code stands as it is, text in comments, outputs are left out."""
    file = _found(_BOTH)

    assert file.text == ("# # Title\n#\n# Text\n\nx = 1\nprint(x)\n\nx + 1\n\ny = 2\n\n1/0\n")
    assert (file.kind, file.language, file.origin) == ("notebook", "python", _ORIGIN)


def test_structured() -> None:
    """Each code cell is followed by what it showed as text; pictures and empty cells are not."""
    assert split_parts(_found(_BOTH, "structured").text) == [
        Part("markdown", "# Title\n\nText"),
        Part("code", "x = 1\nprint(x)"),
        Part("output", "1"),
        Part("code", "x + 1"),
        Part("output", "2"),
        Part("code", "y = 2"),
        Part("code", "1/0"),
        Part("output", "ZeroDivisionError: no"),
    ]


@pytest.mark.parametrize(
    ("n_chars", "expected"), [(1000, "o" * 1000), (1001, "o" * 1000 + "[...]")]
)
def test_long_output_is_cut(n_chars: int, expected: str) -> None:
    """An output of more than a thousand characters ends there, and says so."""
    data = _notebook(_cell("code", "x", {"output_type": "stream", "text": "o" * n_chars}))

    assert Part("output", expected) == split_parts(_found(data, "structured").text)[-1]


@pytest.mark.parametrize(
    ("metadata", "language", "comment"),
    [
        ({"language_info": {"file_extension": ".r", "name": "R"}}, "r", "# T"),
        ({"kernelspec": {"language": "C++"}}, "cpp", "// T"),
        ({"language_info": {"name": "sql"}}, "sql", "-- T"),
        ({}, "python", "# T"),
    ],
)
def test_language_of_the_kernel(metadata: dict[str, Any], language: str, comment: str) -> None:
    """The kernel says the language, and the language how comments look."""
    file = _found(_notebook(_cell("markdown", "T"), _cell("code", "x"), **metadata))

    assert (file.language, file.text) == (language, f"{comment}\n\nx\n")


def test_format_three() -> None:
    """Notebooks of the third format have work sheets, and code in `input`."""
    cell = {"cell_type": "code", "input": ["x = 1"], "outputs": []}
    data = json.dumps({"worksheets": [{"cells": [cell]}]}).encode()

    assert _found(data).text == "x = 1\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", SkipReason.DAMAGED),
        (b"{", SkipReason.DAMAGED),
        (b"\xff", SkipReason.UNDECODABLE),
        (b"[]", SkipReason.WRONG_TYPE),
        (b"{}", SkipReason.WRONG_TYPE),
        (b'{"cells": 7}', SkipReason.WRONG_TYPE),
        (b'{"cells": [7, "x"]}', SkipReason.EMPTY),
        (b"[" * 200_000, SkipReason.TOO_DEEP),
        (_notebook(_cell("markdown", "only text")), SkipReason.EMPTY),
        (_notebook(_cell("code", "a\0b")), SkipReason.BINARY),
        (_notebook(_cell("code", "\ud800")), SkipReason.UNDECODABLE),
        (_notebook(_cell("code", "x = 1\n" * 200_000)), SkipReason.TOO_LARGE),
        (b" " * 16_000_001, SkipReason.LONG_RECORD),
    ],
    ids=lambda value: value.name if isinstance(value, SkipReason) else "",
)
def test_what_is_left_out(data: bytes, reason: SkipReason) -> None:
    """Damaged notebooks and those without code are left out with a reason."""
    found = notebook_of(data, _ORIGIN)

    assert isinstance(found, Left)
    assert found.reason == reason


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "cells",
                    "cell_type",
                    "source",
                    "outputs",
                    "text",
                    "data",
                    "metadata",
                    "worksheets",
                    "language_info",
                    "kernelspec",
                    "file_extension",
                    "name",
                    "language",
                    "text/plain",
                ]
            ),
            inner | st.sampled_from(["code", "markdown"]),
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(table=_JSON, cell=_JSON, form=st.sampled_from(["script", "structured"]))
@settings(max_examples=300, deadline=None)
def test_any_values(table: Any, cell: Any, form: Form) -> None:
    """Whatever types a notebook holds, it is a record with code or left out."""
    cells = [cell, {"cell_type": "code", "source": cell, "outputs": cell, "text": table}]
    for value in (table, {"cells": cells, "metadata": table}):
        found = notebook_of(json.dumps(value).encode(), _ORIGIN, form=form)
        assert isinstance(found, Left) or found.text.strip()


def test_file(tmp_path: Path) -> None:
    """A file on its own is one record, a missing one is told."""
    (tmp_path / "n.ipynb").write_bytes(_BOTH)
    skips: list[Skip] = []
    (file,) = read_notebook(tmp_path / "n.ipynb", form="structured")

    assert file.origin.path == "n.ipynb"
    assert [*read_notebook(tmp_path / "gone.ipynb", on_skip=skips.append)] == []
    assert [skip.path for skip in skips] == ["gone.ipynb"]
