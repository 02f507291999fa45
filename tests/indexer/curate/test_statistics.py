from __future__ import annotations

import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

from indexer.curate.charts import bar_chart
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.report import html_report
from indexer.curate.shards import read_shards
from indexer.curate.statistics import count_corpus


def test_files_are_counted_by_every_key(make_record) -> None:
    """Exact twins count once in the tables and by themselves as twins."""
    files = [
        make_record("a = 1\n", name="one"),
        make_record("a = 1\n", name="two"),
        make_record("é = 2\n", name="two", spdx_id="ISC"),
        make_record("text", "i/1", name="x", repository="some/repo", kind="issue", language="md"),
    ]

    counted = count_corpus(files)

    assert (counted.n_files, counted.n_bytes, counted.n_exact_twins) == (3, 6 + 7 + 4, 1)
    assert counted.exact_share == 1 / 4
    assert counted.by_language.rows() == [("python", 2, 13), ("md", 1, 4)]
    assert counted.by_license.rows() == [("MIT", 2, 10), ("ISC", 1, 7)]
    assert counted.by_owner.rows() == [("two", 1, 7), ("one", 1, 6), ("some", 1, 4)]
    assert counted.by_kind.rows() == [("file", 2, 13), ("issue", 1, 4)]


def test_shards_know_the_twins_and_the_drops(tmp_path: Path, make_record, some_records) -> None:
    """Twins that curation merged are counted by their relation, drops by their reason."""
    first, *_ = some_records
    near = make_record(first.text + "\nLAST = 1\n", "some/where/near.py")
    same = make_record(first.text, "some/where/same.py")
    files = [*some_records, near, same, make_record("?" * 300)]
    manifest = curate_corpus(Task(read=lambda: iter(files), folder=tmp_path / "s"))

    counted = count_corpus(read_shards(tmp_path / "s"), manifest)

    assert (counted.n_files, counted.n_exact_twins, counted.n_near_twins) == (40, 1, 1)
    assert counted.n_read == 43
    assert counted.corpus_digest == manifest.corpus_digest
    assert sum(row.n_files for row in counted.drops) == 3


def test_the_report_is_one_page_that_loads_nothing(make_record) -> None:
    """Names are escaped, every chart is well-formed SVG, and no address is fetched."""
    evil = make_record("x = 1\n", name="<script>alert(1)</script>")
    many = [make_record(f"n = {n}\n", name=f"package-{n}") for n in range(30)]

    page = html_report("A <corpus>", count_corpus([evil, *many]))

    assert "<script" not in page
    assert "A &lt;corpus&gt;" in page
    assert "and 11 more" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in page
    parser = _Tags()
    parser.feed(page)
    assert parser.open == []
    assert parser.n_charts == 3


def test_bars_are_as_long_as_their_values() -> None:
    """The largest value fills the room, half of it half the room, nothing has no bar."""
    chart = ET.fromstring(bar_chart("t", [("a", 10, "ten"), ("b & c", 5, ""), ("d", 0, "")]))  # noqa: S314

    widths = [float(bar.attrib["width"]) for bar in chart.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[0] > 100
    assert widths == [widths[0], widths[0] / 2, 0]


class _Tags(HTMLParser):
    """Which tags are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.n_charts = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "rect"):
            self.open.append(tag)
        self.n_charts += tag == "svg"

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag
