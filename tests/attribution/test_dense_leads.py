"""Vectors bring candidates: leads where nothing is proved, matches where alignment proves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from attribution import Tracer
from indexer.build import build_index
from indexer.embed import embed_index
from indexer.index import Index
from indexer.source_file import Origin, SourceFile
from indexer.store.lexical import words_of

SUM = "def add_items(items):\n    total = 0\n    for item in items:\n        total += item\n"
OTHERS = (
    "class Reader:\n    def open(self, path):\n        return self.client.get(path).json()\n",
    "def ordered(rows):\n    return sorted(rows, key=lambda row: row.name.lower())\n",
)
# The same loop with other names, and more round it than a renaming explains.
ASKED = (
    "def plus_all(prices):\n    result = 0\n    for price in prices:\n        result += price\n"
    "    return round(result, digits)\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index of three files."""
    files = [
        SourceFile(
            text=text,
            language="python",
            origin=Origin(
                source="pypi",
                name=f"pkg{n}",
                version="1",
                path="mod.py",
                spdx_id="MIT",
                license_evidence="metadata: MIT; LICENSE: MIT",
            ),
        )
        for n, text in enumerate((SUM, *OTHERS))
    ]
    build_index(files, tmp_path / "index")
    return tmp_path / "index"


def test_a_lead_by_vectors_is_no_match(path: Path) -> None:
    """Without a view the trace says that it is missing; with one the loop leads, unclaimed."""
    with Index.open(path) as index:
        before = Tracer(index).trace(ASKED, with_leads=True)
    embed_index(path)
    with Index.open(path) as index:
        after = Tracer(index).trace(ASKED, with_leads=True)

    assert len(set(words_of(ASKED)) & set(words_of(SUM))) <= 5  # what BM25 has to go by
    assert before.missing_views == ("dense",)
    assert after.missing_views == ()
    assert ("dense", 1) in after.leads[0].ranks
    assert after.leads[0].origins[0].name == "pkg0"
    assert after.matches == before.matches == ()


def test_what_is_proved_stays_proved(path: Path) -> None:
    """A literal copy is the same match with and without vectors."""
    text = SUM + "\n\nprint(add_items([1]))\n"
    with Index.open(path) as index:
        before = Tracer(index).trace(text)
    embed_index(path)
    with Index.open(path) as index:
        after = Tracer(index).trace(text)

    assert [(one.tier, one.query) for one in after.matches] == [
        (one.tier, one.query) for one in before.matches
    ]
