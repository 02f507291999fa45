"""Traces against a small real index: tiers, exact ranges, origins, and what is not claimed."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attribution import Claim, Match, Span, Tier, Tracer, Verdict
from attribution.config import TraceConfig
from attribution.types import Commonness
from indexer import IndexerError

Texts = dict[str, str]


def lines_of(text: str, first: int, last: int) -> str:
    """Lines of a text, counting from 1, both inclusive, with their breaks."""
    return "".join(re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", text)[first - 1 : last])


def only_match(tracer: Tracer, text: str, *, language: str = "python") -> Match:
    trace = tracer.trace(text, language=language)
    assert trace.verdict is Verdict.FOUND
    assert len(trace.matches) == 1
    return trace.matches[0]


def paths(match: Match) -> list[str]:
    return [origin.path for source in match.sources for origin in source.origins]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (1, 35),  # all of it
        (8, 20),  # begins with comments, holds a form feed
        (22, 28),  # begins and ends with comments
        (19, 27),  # ends with a blank line
        (3, 13),  # begins inside the docstring, which holds a #
        (31, 35),  # to the end of the file
    ],
)
def test_a_verbatim_window_is_found_with_its_exact_lines(
    tracer: Tracer, texts: Texts, first: int, last: int
) -> None:
    """Every line of the window is in the match, also comments and blanks at its ends."""
    window = lines_of(texts["cart"], first, last)

    match = only_match(tracer, window)

    assert match.tier is (Tier.E0 if window == texts["cart"] else Tier.E1)
    assert window[match.query.start : match.query.end] == window
    assert (match.query.start_line, match.query.end_line) == (0, last - first + 1)
    source = match.sources[0]
    assert (source.span.start_line, source.span.end_line) == (first - 1, last)
    text = tracer.source(source.document_id)[1]
    assert text[source.span.start : source.span.end] == window


def test_twins_are_one_source_with_every_origin(tracer: Tracer, texts: Texts) -> None:
    """A text published in two packages is one document; both packages are named and counted."""
    match = only_match(tracer, texts["cart"])

    assert paths(match) == ["vendor/cart.py", "shop/cart.py"]
    assert (match.n_sources, match.n_packages) == (1, 2)


def test_a_match_is_surrounded_by_the_users_own_code(tracer: Tracer, texts: Texts) -> None:
    """Code before and after the copied lines is no part of the match."""
    copied = lines_of(texts["cart"], 22, 27)
    query = f"import sys\n\n\nclass Mine:\n    mine = sys.maxsize\n\n{copied}\n    ours = 5\n"

    match = only_match(tracer, query)

    assert match.tier is Tier.E1
    assert (match.query.start_line, match.query.end_line) == (6, 12)
    assert query[match.query.start : match.query.end] == copied


def test_a_line_that_only_begins_alike_is_no_part_of_the_match(
    tracer: Tracer, texts: Texts
) -> None:
    """The `def` of the user's own next function equals the source's next one by chance."""
    copied = lines_of(texts["cart"], 21, 30)
    following = texts["cart"].splitlines()[30:]
    begun = next(line for line in following if line.strip() and not line.strip().startswith("#"))
    own = f"{begun.split()[0]} my_own_thing(here):\n    return here\n"

    match = only_match(tracer, copied + own)

    assert (match.query.start_line, match.query.end_line) == (0, copied.count("\n"))


def test_stripped_and_reindented_code_is_found_in_tier_e2(tracer: Tracer, texts: Texts) -> None:
    """Without comments and blank lines, at another indentation, the source lines are exact."""
    window = lines_of(texts["cart"], 21, 30)
    left = [re.sub(r"\s*#.*", "", line) for line in window.splitlines()]
    stripped = "".join(f"\t{line.strip()}\n" for line in left if line.strip())

    match = only_match(tracer, stripped)

    assert match.tier is Tier.E2
    assert (match.query.start_line, match.query.end_line) == (0, stripped.count("\n"))
    span = match.sources[0].span
    assert (span.start_line, span.end_line) == (20, 30)


@pytest.mark.parametrize("name", ["cart", "windows"])
def test_other_line_endings_are_whitespace(tracer: Tracer, texts: Texts, name: str) -> None:
    """The same code with LF for CRLF, or the other way round, is E2 and has the same lines."""
    text = texts[name]
    other = text.replace("\r\n", "\n") if "\r" in text else text.replace("\n", "\r\n")

    match = only_match(tracer, other)

    assert match.tier is Tier.E2
    assert match.query.end_line == match.sources[0].span.end_line == text.count("\n")


def test_line_endings_as_stored_are_verbatim(tracer: Tracer, texts: Texts) -> None:
    """A CRLF file pasted with its line endings is E0 from its first to its last character."""
    match = only_match(tracer, texts["windows"])

    assert match.tier is Tier.E0
    assert match.query == Span(start=0, end=len(texts["windows"]), start_line=0, end_line=5)


def test_offsets_count_code_points_in_both_texts(tracer: Tracer, texts: Texts) -> None:
    """Letters outside ASCII and emoji count one each, in the query and in the source."""
    text = texts["cities"]
    window = lines_of(text, 6, 10)
    before = 'ÄÖÜ = "🌊🌊"\n'

    match = only_match(tracer, before + window)

    assert (before + window)[match.query.start : match.query.end] == window
    span = match.sources[0].span
    assert text[span.start : span.end] == window


def test_a_form_feed_and_a_line_separator_break_no_line(tracer: Tracer, texts: Texts) -> None:
    r"""Lines are those of an editor: \n, \r\n and \r only."""
    own = "one = '\u2028 \x0b \x85'\n"

    match = only_match(tracer, own + "\f\n" + lines_of(texts["cart"], 15, 30))

    assert match.query.start_line == 2


def test_an_idiom_names_how_many_packages_hold_it(tracer: Tracer, texts: Texts) -> None:
    """All ten holders are counted, though fewer are listed; each listed one really holds it."""
    match = only_match(tracer, texts["idiom"])

    assert (match.n_packages, match.n_sources) == (10, 10)
    assert len(match.sources) == TraceConfig().max_sources
    for source in match.sources:
        text = tracer.source(source.document_id)[1]
        assert texts["idiom"] in text[source.span.start : source.span.end]


def test_two_sources_in_one_text_are_two_matches(tracer: Tracer, texts: Texts) -> None:
    """A text put together from two packages is traced to both, in the order of the text."""
    first, second = lines_of(texts["cities"], 6, 10), lines_of(texts["cart"], 31, 35)

    trace = tracer.trace(f"{first}\nmine = 1\n\n{second}")

    assert [paths(match)[0] for match in trace.matches] == ["geo/cities.py", "vendor/cart.py"]
    assert trace.claim is Claim.INDEXED


def test_comments_alone_are_found(tracer: Tracer, texts: Texts) -> None:
    """A copied block of comments has no lexemes of code; full-text search and alignment find it."""
    comments = lines_of(texts["notes"], 1, 3)

    match = only_match(tracer, comments)

    assert (match.tier, paths(match)) == (Tier.E1, ["sea/tides.py"])
    assert (match.sources[0].span.start_line, match.sources[0].span.end_line) == (0, 3)


def test_comments_behind_the_end_of_a_docstring_are_found(tracer: Tracer, texts: Texts) -> None:
    """A fragment that starts in a docstring hides its comments from a reader who starts in code."""
    query = '    """\n' + lines_of(texts["notes"], 1, 3)

    match = only_match(tracer, query)

    assert paths(match) == ["sea/tides.py"]
    assert (match.query.start_line, match.query.end_line) == (1, 4)


def test_a_licence_notice_says_nothing_of_origin(tracer: Tracer, texts: Texts) -> None:
    """The header of an indexed file, alone, is labelled and raises no alarm."""
    trace = tracer.trace(lines_of(texts["licensed"], 1, 9))

    assert [match.commonness for match in trace.matches] == [Commonness.BOILERPLATE]
    assert trace.alarms == ()


def test_a_table_of_zeros_says_nothing_of_origin(tracer: Tracer, texts: Texts) -> None:
    """A long run of few distinct lexemes is not claimed."""
    assert tracer.trace(texts["zeros"]).verdict is Verdict.NONE


@pytest.mark.parametrize("text", ["", "\n \n", "x", "#", '"""', "a = 1\nb = 2\n"])
def test_too_little_text_is_no_match(tracer: Tracer, text: str) -> None:
    """Nothing, or nearly nothing, was looked up and is not there."""
    trace = tracer.trace(text)

    assert (trace.verdict, trace.matches, trace.reason) == (Verdict.NONE, (), "")


def test_code_of_ones_own_is_no_match(tracer: Tracer) -> None:
    """This very test file is not in the index."""
    assert tracer.trace(Path(__file__).read_text()).verdict is Verdict.NONE


def test_a_text_beyond_the_limit_is_unknown_not_none(tracer: Tracer, texts: Texts) -> None:
    """What was not looked up is not called new."""
    small = Tracer(tracer.index, TraceConfig(max_query_bytes=100))

    trace = small.trace(texts["cart"])

    assert trace.verdict is Verdict.UNKNOWN
    assert "more than 100" in trace.reason


def test_an_index_damaged_while_open_is_unknown(
    index_path: Path, tmp_path: Path, texts: Texts
) -> None:
    """A text that can no longer be read makes the answer UNKNOWN, with the reason, and no crash."""
    copy = tmp_path / "index"
    shutil.copytree(index_path, copy)
    with next(copy.rglob("text.zst")).open("r+b") as file:
        file.write(bytes(200))
    tracer = Tracer.open(copy)

    trace = tracer.trace(texts["cart"])

    assert trace.verdict is Verdict.UNKNOWN
    assert "damaged" in trace.reason


def test_no_index_is_an_error(tmp_path: Path) -> None:
    """Opening says that there is nothing, and what to do."""
    with pytest.raises(IndexerError, match="starcite index build"):
        Tracer.open(tmp_path)


def test_threads_share_a_tracer(tracer: Tracer, texts: Texts) -> None:
    """Eight threads get what one gets."""
    queries = [lines_of(texts["cart"], n, n + 12) for n in range(1, 25)]
    expected = [tracer.trace(query).matches for query in queries]
    shared = Tracer(tracer.index, TraceConfig(n_cached_documents=1))
    wrong: list[int] = []

    def work() -> None:
        wrong.extend(
            n for n, query in enumerate(queries) if shared.trace(query).matches != expected[n]
        )

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


ANY_CHARACTER = st.characters(exclude_categories=())  # surrogates too


@given(text=st.text(ANY_CHARACTER), language=st.sampled_from(["python", "c", "go", "", "klingon"]))
@example(text="\ud800", language="python")
@example(text="'''\n\"\"\" # \n/*", language="python")
def test_any_text_can_be_traced(tracer: Tracer, text: str, language: str) -> None:
    """Arbitrary text gets an answer."""
    assert tracer.trace(text, language=language).verdict is Verdict.NONE


@given(data=st.data())
def test_spans_of_mangled_code_are_true(tracer: Tracer, texts: Texts, data: st.DataObject) -> None:
    """Whatever is cut out of and put into a file, an E1 match is equal text on both sides."""
    text = texts["cart"]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    at = data.draw(st.integers(start, end))
    query = text[start:at] + data.draw(st.text(ANY_CHARACTER, max_size=5)) + text[at:end]

    for match in tracer.trace(query).matches:
        span = match.sources[0].span
        source = tracer.source(match.sources[0].document_id)[1]
        is_equal = query[match.query.start : match.query.end] == source[span.start : span.end]
        assert is_equal or match.tier not in (Tier.E0, Tier.E1)
