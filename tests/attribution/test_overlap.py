"""The view that clients of Data Portraits ask: spans of 50-byte tiles, no bridges over gaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attribution import Tracer
from attribution.overlap import overlap


def spans_by_hand(documents: list[str], text: str, *, min_tiles: int) -> list[tuple[int, int]]:
    """By a set of tiles and a walk from every offset."""
    data = text.encode()
    tiles = {
        one.encode()[at : at + 50]
        for one in documents
        for at in range(0, len(one.encode()) - 49, 50)
    }
    covered = set()
    for start in range(len(data)):
        end = start
        while data[end : end + 50] in tiles:
            end += 50
        if end - start >= 50 * min_tiles:
            covered.update(range(start, end))
    kept = "".join("x" if at in covered else " " for at in range(len(data)))
    spans, at = [], 0
    for part in kept.split(" "):
        if part:
            spans.append((at, at + len(part)))
        at += len(part) + 1
    return spans


@given(data=st.data())
def test_spans_are_those_of_a_set_of_tiles(
    tracer: Tracer, texts: dict[str, str], data: st.DataObject
) -> None:
    """Spliced pieces of indexed text give the spans that a walk over a set of tiles gives.

    Of a few hundred offsets one may be a false positive, and lengthen a span or add one.
    """
    cart = texts["cart"].replace("→", ">")  # one code point a byte, as the oracle counts
    pieces = st.tuples(st.integers(0, len(cart)), st.integers(0, 400)).map(
        lambda at: cart[at[0] : at[0] + at[1]]
    )
    query = "?".join(data.draw(st.lists(pieces, max_size=4)))
    min_tiles = data.draw(st.integers(1, 3))
    documents = [tracer.source(one)[1] for one in tracer.index.live_document_ids()]

    answer = overlap(tracer.index, query, min_tiles=min_tiles)

    expected = spans_by_hand(documents, query, min_tiles=min_tiles)
    found = {at for start, end in answer["spans"] for at in range(start, end)}
    wanted = {at for start, end in expected for at in range(start, end)}
    assert wanted <= found
    assert len(found - wanted) <= 100
    assert answer["segments"] == [query[start:end] for start, end in answer["spans"]]


def test_the_answer_has_the_fields_of_the_service(tracer: Tracer, texts: dict[str, str]) -> None:
    """A whole file is one span, up to its last whole tile; a stranger has none."""
    answer = overlap(tracer.index, texts["cart"])

    assert set(answer) == {"spans", "segments", "raw_segments"}
    assert len(answer["spans"]) == 1
    assert answer["spans"][0][0] == 0
    assert len(texts["cart"]) - answer["spans"][0][1] < 50
    assert overlap(tracer.index, "x = 1\n" * 60)["spans"] == []


@given(text=st.text(max_size=300))
def test_any_text_gets_an_answer(tracer: Tracer, text: str) -> None:
    """No input is refused, lone surrogates included."""
    assert overlap(tracer.index, text)["spans"] == []
