"""The document store against a slow, obvious oracle."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.documents import Document, DocumentStore, Edit, split_lines

# Weighted towards what goes wrong: every line ending, what is none, and characters of two units.
CHARACTERS = st.sampled_from("ab \t\n\n\r\r\x0b\x0c\x1c\x85\u2028\u2029é你😀🏳\U0010ffff")
TEXTS = st.text(CHARACTERS, max_size=30)
EDITS = st.builds(
    Edit,
    start_line=st.integers(0, 12),
    start_character=st.integers(0, 12),
    end_line=st.integers(0, 12),
    end_character=st.integers(0, 12),
    text=TEXTS,
)


def oracle_offset(text: str, line: int, character: int) -> int:
    """Walk the text letter by letter, as the specification says."""
    starts = [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]
    if line >= len(starts):
        return len(text)
    offset, units = starts[line], 0
    while offset < len(text) and text[offset] not in "\r\n":
        units += len(text[offset].encode("utf-16-le")) // 2
        if units > character:
            break
        offset += 1
    return offset


def oracle_apply(text: str, edit: Edit) -> str:
    one = oracle_offset(text, edit.start_line, edit.start_character)
    other = oracle_offset(text, edit.end_line, edit.end_character)
    return text[: min(one, other)] + edit.text + text[max(one, other) :]


def document(text: str) -> Document:
    return Document(uri="file:///a.py", language_id="python", version=1, text=text)


@settings(max_examples=2000, deadline=None)
@given(TEXTS, st.lists(EDITS, min_size=5, max_size=5))
def test_10_000_edits_leave_the_text_that_the_oracle_has(text: str, edits: list[Edit]) -> None:
    """Edits at any position, through any line ending, give the same text as slicing a string."""
    held = document(text)
    for version, edit in enumerate(edits, start=2):
        text = oracle_apply(text, edit)
        held.apply([edit], version)

        assert held.text == text
        assert held.lines == split_lines(text)


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.integers(0, 12), st.integers(0, 12))
def test_offsets_agree_with_the_oracle(text: str, line: int, character: int) -> None:
    """A position is the offset that one finds by walking the text letter by letter."""
    assert document(text).offset_at(line, character) == oracle_offset(text, line, character)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_a_position_leads_back_to_its_offset(text: str) -> None:
    """Every offset outside a \\r\\n survives the way to a position and back."""
    held = document(text)
    inside = {found.start() + 1 for found in re.finditer("\r\n", text)}
    offsets = [offset for offset in range(len(text) + 1) if offset not in inside]

    assert [held.offset_at(*held.position_at(offset)) for offset in offsets] == offsets


def test_a_column_past_the_end_is_the_end_of_the_line() -> None:
    """An insertion at column 99 lands behind the last letter and before the line's ending."""
    held = document("abc\r\nd")
    held.apply([Edit(start_line=0, start_character=99, end_line=0, end_character=99, text="!")], 2)

    assert held.text == "abc!\r\nd"


def test_a_form_feed_ends_no_line() -> None:
    """What Python calls a line break and the editor does not is an ordinary character."""
    held = document("a\x0cb\u2028c\x85d\nSECOND\n")
    held.apply([Edit(start_line=1, start_character=0, end_line=1, end_character=0, text="#")], 2)

    assert held.text == "a\x0cb\u2028c\x85d\n#SECOND\n"


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    """Text that cannot be encoded never enters, and the columns stay what they were."""
    held = document("x\ud800y")
    held.apply(
        [Edit(start_line=0, start_character=2, end_line=0, end_character=2, text="\udfff")], 2
    )

    assert held.text == "x\ufffd\ufffdy"


def test_a_snapshot_does_not_follow_later_edits() -> None:
    """What was taken for a trace keeps its text and its lines."""
    held = document("a\nb")
    kept = held.snapshot()
    held.apply(["changed"], 2)

    assert (kept.text, kept.lines, kept.version) == ("a\nb", ["a\n", "b"], 1)


def test_related_texts_come_most_recently_used_first() -> None:
    """An edit makes a document the most recent one; the asking document is left out."""
    store = DocumentStore()
    for name in ("one", "two", "three"):
        store.open(Document(uri=name, language_id="python", version=1, text=name))
    store.change("one", ["one again"], 2)

    assert store.related("three") == ("one again", "two")
    assert store.related("three", limit=1) == ("one again",)


def test_closing_forgets_the_document() -> None:
    """Nothing of a closed document is kept, and edits to it change nothing."""
    store = DocumentStore()
    store.open(document("text"))
    store.close("file:///a.py")

    assert store.change("file:///a.py", ["new"], 2) is None
    assert (store.get("file:///a.py"), len(store)) == (None, 0)
