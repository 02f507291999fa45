"""BM25 finds chunks by their words and takes any text for a query."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import IndexDamagedError
from indexer.store.lexical import (
    CHUNK_LINES,
    FOLDER_NAME,
    MAX_TERMS,
    Lead,
    LexicalReader,
    LexicalWriter,
    chunks_of,
    weights_of,
    words_of,
)
from indexer.store.tantivy_names import name_by_content


def build(folder: Path, texts: list[str]) -> LexicalReader:
    writer = LexicalWriter(folder)
    for number, text in enumerate(texts):
        writer.add(number, text)
    writer.finish()
    return LexicalReader(folder)


def search(
    reader: LexicalReader,
    text: str,
    *,
    top_k: int,
    is_live: Callable[[int], bool] = lambda _number: True,
) -> list[Lead]:
    return reader.search(weights_of(text, [reader]), top_k=top_k, is_live=is_live)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LexicalReader:
    texts = [
        "\n".join(f"value_{n}_{line} = Common(shared, {line})" for line in range(120))
        for n in range(5)
    ]
    return build(tmp_path_factory.mktemp("lexical"), [*texts, "OR AND title:x^2", "größe = maß"])


def test_the_chunk_with_the_rare_word_comes_first(reader: LexicalReader) -> None:
    """A rare identifier outweighs words that all chunks hold; lines are those of the chunk."""
    lead = search(reader, "shared, Common(value_3_77)", top_k=3)[0]

    assert (lead.document_id, lead.start_line, lead.end_line) == (3, CHUNK_LINES, 2 * CHUNK_LINES)


def test_the_last_chunk_ends_with_its_document(reader: LexicalReader) -> None:
    """A chunk never reaches beyond the last line."""
    assert [(x.start_line, x.end_line) for x in search(reader, "value_2_119", top_k=9)] == [
        (100, 120)
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("title:x^y", [5]), ("AND", [5]), ("GRÖSSE größe", [6]), ("+-\"'()[]{}*?~\\/^:!", [])],
)
def test_query_syntax_is_only_text(reader: LexicalReader, query: str, expected: list[int]) -> None:
    """Operators and field names of query languages are words like any other, or nothing."""
    assert [lead.document_id for lead in search(reader, query, top_k=5)] == expected


@given(st.text(max_size=200))
def test_any_text_is_a_query(reader: LexicalReader, text: str) -> None:
    """No query fails, and the answers are sorted and no more than asked for."""
    leads = search(reader, text + " value_1_5", top_k=2)

    assert 1 <= len(leads) <= 2
    assert [lead.score for lead in leads] == sorted((x.score for x in leads), reverse=True)


def test_a_long_query_is_answered_by_its_rarest_words(reader: LexicalReader) -> None:
    """Beyond MAX_TERMS words the frequent ones are dropped and the rare ones are not."""
    frequent = " ".join(str(number) for number in range(2 * MAX_TERMS - 10))
    rare = " ".join(f"value_0_{line}" for line in range(MAX_TERMS))

    assert 6 in {lead.document_id for lead in search(reader, f"{frequent} größe", top_k=50)}
    assert {lead.document_id for lead in search(reader, f"shared {rare}", top_k=50)} == {0}


@pytest.mark.parametrize(("query", "top_k"), [("", 5), ("no_such_word", 5), ("shared", 0)])
def test_nothing_to_find_is_an_empty_list(reader: LexicalReader, query: str, top_k: int) -> None:
    """No words, unknown words and no places to fill are answers and not errors."""
    assert search(reader, query, top_k=top_k) == []


def test_chunks_of_the_dead_take_no_places(reader: LexicalReader) -> None:
    """However many better chunks are not live, the best live ones come, in the same order."""
    query = "common shared value_0_7 value_1_7 value_2_7 value_3_7"
    every = search(reader, query, top_k=99)
    for dead in ({0}, {0, 1, 2}, set(range(5))):
        live = [lead for lead in every if lead.document_id not in dead]
        found = search(reader, query, top_k=2, is_live=lambda number, dead=dead: number not in dead)  # type: ignore[misc]

        assert found == live[:2]


def test_segments_rank_as_one_index(tmp_path: Path) -> None:
    """A word is as rare as in all segments together, wherever most of its chunks lie."""
    texts = [
        *(f"usual_{n} word word_{n}" for n in range(9)),
        *(f"usual_{n} shared other" for n in range(9)),
        *(f"shared word rare_{n}" for n in range(3)),
    ]
    whole = build_in(tmp_path / "whole", texts)
    parts = [build_in(tmp_path / "first", texts[:12]), build_in(tmp_path / "second", texts[12:])]
    query = "shared word usual_3 usual_3 no_such_word rare_1"
    weights = weights_of(query, parts)
    scores = [
        (lead.document_id + base, pytest.approx(lead.score))
        for base, part in zip((0, 12), parts, strict=True)
        for lead in part.search(weights, top_k=99)
    ]

    assert weights == weights_of(query, [whole])
    assert dict(scores) == {one.document_id: one.score for one in search(whole, query, top_k=99)}
    assert len(scores) > 12


def build_in(folder: Path, texts: list[str]) -> LexicalReader:
    folder.mkdir()
    return build(folder, texts)


def test_a_damaged_bm25_index_is_named(tmp_path: Path) -> None:
    """What tantivy cannot open is reported with its folder."""
    build(tmp_path, ["a b c"])
    (tmp_path / FOLDER_NAME / "meta.json").write_text("{")

    with pytest.raises(IndexDamagedError, match=FOLDER_NAME):
        LexicalReader(tmp_path)


@given(st.text(st.sampled_from("aZ_09 .\n\t\x1c(é²ªİß中\ud800"), max_size=300) | st.text())
def test_the_quick_way_to_words_is_the_pattern(text: str) -> None:
    """Text in ASCII is split without it, into the very same words."""
    assert words_of(text) == re.findall(r"\w{1,64}", text.lower())


def test_long_words_are_cut_in_ascii_too() -> None:
    """A run of more than 64 word characters is several words."""
    assert words_of(f"x {'a' * 130}") == ["x", "a" * 64, "a" * 64, "aa"]


def test_files_are_named_by_what_they_hold(tmp_path: Path) -> None:
    """Equal documents give equal files, others other names; leftovers go, a second time is none."""
    contents = []
    for name, text in (("a", "one two"), ("b", "one two"), ("c", "one three")):
        (tmp_path / name).mkdir()
        build(tmp_path / name, [text] * 3)
        folder = tmp_path / name / FOLDER_NAME
        (folder / f"{'0' * 32}.idx").touch()
        name_by_content(folder)
        contents.append({p.name: p.read_bytes() for p in folder.iterdir()})

        assert len(search(LexicalReader(tmp_path / name), "one", top_k=5)) == 3
    assert contents[0] == contents[1]
    assert not any(name.startswith("000000") for name in contents[0])
    named = [{name for name in one if name[0] not in ".m"} for one in contents]
    assert named[0].isdisjoint(named[2])


ODD_LINES = st.text(st.sampled_from("aB_9 .\t\r\n\x1cß\u212a"), max_size=40) | st.builds(
    lambda n, mark: "x" * n + mark, st.integers(60, 70), st.sampled_from(["", " ", "é", "\n"])
)


@given(st.lists(ODD_LINES, max_size=8))
def test_chunks_hold_the_words_that_a_query_has(parts: list[str]) -> None:
    """The words of a chunk are those of its lines, however they are read; blank ones are none."""
    text = "\n".join([*parts, *["y"] * CHUNK_LINES, *parts])
    lines = text.split("\n")
    by_hand = {
        start: words_of("\n".join(lines[start : start + CHUNK_LINES]))
        for start in range(0, len(lines), CHUNK_LINES)
    }

    assert {start: words.split() for start, _, words in chunks_of(text)} == {
        start: words for start, words in by_hand.items() if words
    }
