"""Which pieces of a document are asked for again, and what is written down of the answers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from indexer.compact import compact_index
from indexer.index import Index
from indexer.optout.requery import (
    IndexProbe,
    Probes,
    ask_again,
    choose_pieces,
    spans_of_each,
    stored_documents,
)
from indexer.source_file import SourceFile
from indexer.store.documents import Document
from indexer.tombstones import forget_documents

TEXTS = st.text(st.characters(codec="utf-8"), max_size=400) | st.lists(
    st.sampled_from(["x = 1", "é" * 3000, "", "return 'a\rb'", "\u2028"]), max_size=90
).map("\n".join)


def described(text: str) -> Document:
    data = text.encode()
    digest = hashlib.sha256(data).hexdigest()
    return Document(document_id=0, sha256=digest, language="python", n_bytes=len(data), origins=())


@given(TEXTS, st.integers(1, 5), st.text(max_size=5))
def test_pieces_are_ranges_of_the_text(text: str, n: int, seed: str) -> None:
    """Each piece is its range of the text, none is twice there, and there is always one."""
    pieces = choose_pieces(described(text), text, seed=seed, n=n)
    data = text.encode()

    assert 1 <= len(pieces) <= n
    assert [data[piece.start : piece.end].decode() for piece in pieces] == [
        piece.text for piece in pieces
    ]
    assert len({piece.start for piece in pieces}) == len(pieces)


@given(TEXTS, st.text(max_size=5))
def test_the_same_seed_chooses_the_same(text: str, seed: str) -> None:
    """A choice can be repeated; a smaller one is part of it, so that before and after compare."""
    document = described(text)
    pieces = choose_pieces(document, text, seed=seed, n=3)

    assert pieces == choose_pieces(document, text, seed=seed, n=3)
    assert choose_pieces(document, text, seed=seed, n=1)[0] in pieces


def test_of_many_documents_fewer_pieces_are_asked_for() -> None:
    """Each document is asked for, and all of them together not much more than a thousand times."""
    assert [spans_of_each(n) for n in (0, 1, 333, 500, 501, 10**6)] == [3, 3, 3, 2, 1, 1]


def test_another_seed_chooses_others(canaries: list[SourceFile]) -> None:
    """Who asks for a receipt cannot foresee the pieces without the state of the index."""
    text = canaries[0].text
    chosen = {
        tuple(piece.start for piece in choose_pieces(described(text), text, seed=str(n)))
        for n in range(20)
    }

    assert len(chosen) > 15


def test_forgotten_texts_are_read_until_they_are_gone(
    built: Path, canaries: list[SourceFile]
) -> None:
    """What is forgotten can be asked for as long as it is on the disk, and no longer."""
    wanted = {hashlib.sha256(file.text.encode()).hexdigest() for file in canaries}
    with Index.open(built) as index:
        ids = [one for one, sha256 in index.live_digests() if sha256 in wanted]
    forget_documents(built, ids)
    stored = {document.sha256: text for document, text in stored_documents(built, wanted)}
    compact_index(built)

    assert stored.keys() == wanted
    assert sorted(stored.values()) == sorted(file.text for file in canaries)
    assert list(stored_documents(built, wanted)) == []


def test_an_answer_tells_what_is_found(built: Path, canaries: list[SourceFile]) -> None:
    """A document that is still there is reported as found, so that a receipt of it must fail."""
    text = canaries[0].text
    pieces = choose_pieces(described(text), text, seed="s")
    with Probes(built, [IndexProbe]) as probes:
        answers = list(ask_again(probes, pieces, found_before={}))
        elsewhere = list(
            ask_again(probes, [replace(pieces[0], document_sha256="0" * 64)], found_before={})
        )

    assert [answer.is_found for answer in answers] == [True] * 3
    assert [answer.was_found for answer in answers] == [None] * 3
    assert (elsewhere[0].is_found, elsewhere[0].n_elsewhere) == (False, answers[0].n_elsewhere + 1)
