from __future__ import annotations

import time

import pytest

from indexer.curate.config import CurateConfig
from indexer.curate.markup import check_html, check_xml, visible_text
from indexer.curate.pipeline import Drop

CONFIG = CurateConfig()


def test_xml_under_another_extension_goes(make_record) -> None:
    """The XML declaration within the first 100 characters drops a file; later it is a string."""
    xml = '<?xml version="1.0"?><a/>'
    late = " " * 100 + xml

    assert check_xml(make_record(xml)) == Drop("XML")
    assert check_xml(make_record(" " * 85 + xml)) == Drop("XML")
    assert not isinstance(check_xml(make_record(late)), Drop)
    sheet = make_record(xml, "style.xslt", language="xslt")
    assert check_xml(sheet) is sheet


def test_html_needs_text_that_a_reader_sees(make_record) -> None:
    """More than 100 visible characters, and more than a fifth of the file."""
    words = "Words that a reader of this page sees. " * 4

    def judge(markup: str) -> object:
        return check_html(make_record(markup, "a.html", language="html"), config=CONFIG)

    assert not isinstance(judge(f"<html><body><p>{words}</p></body></html>"), Drop)
    few = judge("<p>" + "ab " * 33 + "c</p>")
    assert few == Drop("HTML with little text", "100 characters")
    much_markup = judge(f"<p>{words}</p>" + "<br class='wide'/>" * 60)
    assert isinstance(much_markup, Drop)
    assert much_markup.reason == "HTML with a small share of text"
    assert isinstance(judge(f"<script>{words * 50}</script><p>{words}</p>"), Drop)


def test_only_html_is_judged_as_html(make_record) -> None:
    """A Python file that holds tags is no page."""
    file = make_record("x = '<p></p>'")

    assert check_html(file, config=CONFIG) is file


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<p>a &amp; b</p>\n\n <i>c</i>", "a & b c"),
        ("<SCRIPT>var a;</Script >after", "after"),
        ("<style>p{}</style><!-- no <b>note</b> -->x", "x"),
        ("<script>never closed", ""),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<a href='x'", ""),
    ],
)
def test_visible_text_is_what_a_reader_sees(markup: str, shown: str) -> None:
    """Tags, scripts, styles and comments are not shown; entities are characters."""
    assert visible_text(markup) == shown


@pytest.mark.parametrize("piece", ["<script>", "<!--", "<a ", "<style><", "<script></style>"])
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    """Half a megabyte of openings that nothing closes is done in CPU seconds, not hours."""
    before = time.process_time()

    visible_text(piece * (500_000 // len(piece)))

    assert time.process_time() - before < 5
