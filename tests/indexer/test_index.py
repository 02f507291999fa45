"""An open index answers from the corpus it was built from."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.build import build_index
from indexer.errors import (
    DocumentUnknownError,
    IndexClosedError,
    IndexDamagedError,
    IndexFormatError,
)
from indexer.index import Index
from indexer.manifest import write_manifest
from indexer.source_file import SourceFile
from indexer.text.lex import lex
from indexer.text.normalize import strip_whitespace, to_bytes
from indexer.text.winnow import K, W, winnow

MakeFile = Callable[..., SourceFile]


def fragment_of(index: Index, document_id: int, *, lines: slice) -> str:
    return "\n".join(index.text(document_id).split("\n")[lines])


def test_every_text_comes_back_with_its_origins(
    opened: Index, corpus_files: list[SourceFile]
) -> None:
    """Each distinct text is one document with every place it was found in; blank ones are none."""
    expected: dict[str, set[object]] = {}
    for file in corpus_files:
        if file.text.strip():
            expected.setdefault(file.text, set()).add(file.origin)
    documents = [opened.document(i) for i in range(opened.manifest.n_documents)]

    assert {opened.text(d.document_id): set(d.origins) for d in documents} == expected
    assert [d.sha256 for d in documents] == [
        hashlib.sha256(to_bytes(opened.text(i))).hexdigest() for i in range(len(documents))
    ]
    assert [d.n_bytes for d in documents] == [len(text.encode()) for text in expected]
    assert {len(d.origins) for d in documents} == {1, 2}


def test_every_fingerprint_of_a_fragment_leads_to_its_document(opened: Index) -> None:
    """Offsets are bytes of the document's UTF-8 text, where the same k lexemes stand."""
    fragment = fragment_of(opened, 5, lines=slice(40, 60))
    lexemes = lex(fragment.encode(), "python")
    fingerprints = winnow(lexemes.hashes)
    postings = opened.lookup(fingerprints.values)
    own = postings.document_id == 5
    document = lex(opened.text(5).encode(), "python")
    for query_index, offset in zip(postings.query_index[own], postings.offset[own], strict=True):
        position = int(np.searchsorted(document.starts, offset))
        start = fingerprints.positions[query_index]

        assert document.starts[position] == offset
        assert (document.hashes[position : position + K] == lexemes.hashes[start : start + K]).all()
    assert set(postings.query_index[own].tolist()) == set(range(len(fingerprints)))


@given(data=st.data())
def test_any_run_of_17_lexemes_is_found(index_path: Path, data: st.DataObject) -> None:
    """The promise that the whole trace rests on, from text to postings."""
    with Index.open(index_path) as index:
        document_id = data.draw(st.integers(0, index.manifest.n_documents - 1))
        text = index.text(document_id).encode()
        lexemes = lex(text, "python")
        first = data.draw(st.integers(0, len(lexemes) - K - W + 1))
        run = text[lexemes.starts[first] : lexemes.ends[first + K + W - 2]]
        postings = index.lookup(winnow(lexemes.hashes[first : first + K + W - 1]).values)
        inside = (postings.offset >= lexemes.starts[first]) & (
            postings.offset < lexemes.starts[first] + len(run)
        )

        assert (inside & (postings.document_id == document_id)).any()


def test_membership_knows_the_corpus_and_not_other_code(opened: Index) -> None:
    """A fragment has a chain, however it is indented; code from elsewhere has none."""
    fragment = fragment_of(opened, 2, lines=slice(10, 25))
    other = "class Zebra(Animal):\n    stripes: list[Stripe] = field(default_factory=list)\n" * 3

    assert opened.longest_chain(fragment) >= len(strip_whitespace(fragment.encode())) // 32 - 1 >= 4
    assert opened.longest_chain(fragment.replace("    ", "\t")) == opened.longest_chain(fragment)
    assert opened.longest_chain(other) == 0


def test_search_leads_to_the_chunk(opened: Index) -> None:
    """The words of a function lead to the lines where it stands."""
    lead = opened.search("def work_6_20(first): total_20", top_k=1)[0]
    lines = opened.text(lead.document_id).split("\n")[lead.start_line : lead.end_line]

    assert any("def work_6_20(" in line for line in lines)


def test_lone_surrogates_of_an_editor_are_only_text(opened: Index) -> None:
    """A query that is no valid Unicode is answered like any other."""
    assert opened.longest_chain("\ud800" * 100) == 0
    assert opened.search("\ud800 work_1_1", top_k=1) != []


@pytest.mark.parametrize("document_id", [-1, 12, 10**9])
def test_an_unknown_document_is_refused_by_number(opened: Index, document_id: int) -> None:
    """Numbers outside of the index are an error and never another document."""
    with pytest.raises(DocumentUnknownError, match=f"no document {document_id}: .* has 12"):
        opened.text(document_id)


def test_a_closed_index_refuses_questions(index_path: Path) -> None:
    """Closing twice is fine; asking afterwards is an error that says so."""
    index = Index.open(index_path)
    index.close()
    index.close()
    for ask in (
        lambda: index.text(0),
        lambda: index.longest_chain("x" * 99),
        lambda: index.search("x", top_k=1),
        lambda: index.lookup(np.zeros(1, dtype=np.uint32)),
    ):
        with pytest.raises(IndexClosedError, match="is closed"):
            ask()


def test_threads_get_the_answers_of_one(opened: Index) -> None:
    """Many threads may read at once, the first searches included."""

    def answers(document_id: int) -> tuple[object, ...]:
        text = opened.text(document_id)
        postings = opened.lookup(winnow(lex(text.encode(), "python").hashes).values)
        return text, opened.longest_chain(text), opened.search(text, top_k=3), len(postings)

    ids = [i % 12 for i in range(48)]
    with ThreadPoolExecutor(8) as pool:
        concurrent = list(pool.map(answers, ids))

    assert concurrent == [answers(i) for i in ids]


def test_an_index_may_have_several_segments(
    tmp_path: Path, index_path: Path, make_file: MakeFile
) -> None:
    """A second segment continues the document ids, in every kind of look-up."""
    text = "def lonely_function(argument):\n    return argument.only_here(1, 2, 3)\n" * 4
    build_index([make_file(text)], tmp_path / "second")
    both = Path(shutil.copytree(index_path, tmp_path / "both"))
    shutil.copytree(tmp_path / "second/segments/000001", both / "segments/000002")
    with Index.open(index_path) as first, Index.open(tmp_path / "second") as second:
        moved = {n.replace("000001", "000002"): e for n, e in second.manifest.files.items()}
        manifest = replace(
            first.manifest,
            segments=("000001", "000002"),
            n_documents=13,
            files={**first.manifest.files, **moved},
        )
        write_manifest(both, manifest)
        own = second.lookup(winnow(lex(text.encode(), "python").hashes).values)
    with Index.open(both) as index:
        found = index.lookup(winnow(lex(text.encode(), "python").hashes).values)

        assert index.document(12).document_id == 12
        assert (index.text(12), index.text(3)) == (text, Index.open(index_path).text(3))
        assert found.offset.tolist() == own.offset.tolist()
        assert set(found.document_id.tolist()) == {12}
        assert [lead.document_id for lead in index.search("lonely_function", top_k=3)] == [12]
        assert index.longest_chain(text) == len(strip_whitespace(text.encode())) // 32

    write_manifest(both, replace(manifest, n_documents=14))
    with pytest.raises(IndexDamagedError, match="13 of 14 texts"):
        Index.open(both)


def test_an_index_with_other_tiles_is_refused(tmp_path: Path, index_path: Path) -> None:
    """Queries of this version would find nothing in it: an error, and never "no match"."""
    copy = Path(shutil.copytree(index_path, tmp_path / "index"))
    with Index.open(copy) as index:
        write_manifest(copy, replace(index.manifest, tile_chars=50))

    with pytest.raises(IndexFormatError, match="tiles of 50, this version reads tiles of 32"):
        Index.open(copy)
