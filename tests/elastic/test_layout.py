"""What is stored: chunks, records and packed postings; no server is needed."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import Index
from indexer.elastic.layout import body_of, chunks_of, document_of, key_of, postings_of
from indexer.optout.selector import parse_selector
from indexer.store.documents import Document
from indexer.store.segment import fingerprints_of
from indexer.text.normalize import to_bytes
from tests.elastic.conftest import make_file, module


def document(text: str, **place: str) -> Document:
    file = make_file(text, "shop/cart.py", **place)
    return Document(
        document_id=7, sha256="0" * 64, language="python", n_bytes=1, origins=(file.origin,)
    )


@given(st.text(st.sampled_from("ab_1 (\n\r\x0c\t#'ä🌊"), max_size=3000), st.integers(0, 200))
def test_a_text_is_its_chunks_joined(text: str, n_lines: int) -> None:
    """Whatever its line ends, a text comes back letter for letter, with all its postings."""
    whole = text + "\nx = y + z * 2" * n_lines

    chunks = list(chunks_of(document(whole), whole, corpus=""))
    postings = [postings_of(one.get("at_e", "")) for one in chunks]
    values, offsets = fingerprints_of(to_bytes(whole), "python")["e"]

    assert "\n".join(one["text"] for one in chunks) == whole
    assert np.concatenate([one["value"] for one in postings]).tolist() == values.tolist()
    assert np.concatenate([one["offset"] for one in postings]).tolist() == offsets.tolist()


def test_a_posting_is_in_the_chunk_where_it_begins() -> None:
    """Each offset lies in the lines of its chunk."""
    text = module(1)

    chunks = list(chunks_of(document(text), text, corpus=""))
    begins = [len(to_bytes("\n".join(text.split("\n")[: one["start_line"]]))) for one in chunks]
    firsts = [int(postings_of(one["at_p"])["offset"].min()) for one in chunks]

    assert len(chunks) == 4
    assert all(first >= begin for first, begin in zip(firsts, begins, strict=True))


def test_a_record_comes_back() -> None:
    """What is known of a document, its corpus and its number of chunks stand in its first chunk."""
    text = module(1)
    there = document(text, repository="Octocat/Hello")

    first, *others = chunks_of(there, text, corpus="abc")

    assert document_of(first["record"]) == (there, "abc", 4)
    assert not any("record" in one for one in others)


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", "null", '{"corpus": 1}', "\ud800", '{"origins"']
)
def test_no_record_is_refused(record: str) -> None:
    """Garbage where a record should be is an error of a kind that is foreseen."""
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        document_of(record)


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_no_postings_are_refused(packed: bytes | str) -> None:
    """What is no array of postings is refused as such, whatever it is."""
    try:
        postings = postings_of(packed)  # type: ignore[arg-type]
    except ValueError:
        return
    assert postings.dtype.itemsize == 8


def test_the_key_is_of_owner_path_and_content() -> None:
    """Another owner, path or content is another key; another version or licence is not."""
    here = document("x")
    elsewhere = document("x", name="market")
    of_repository = document("x", name="market", repository="shop/other")

    assert key_of(here) == key_of(of_repository)
    assert key_of(here) != key_of(elsewhere)


def test_names_are_those_that_requests_use() -> None:
    """Owner, repository and package stand as `Selector` has them in normal form."""
    asked = parse_selector(owners=["Octocat"], repositories=["Octocat/Hello.git"])
    published = next(chunks_of(document("x", repository="octocat/Hello"), "x", corpus=""))
    packaged = next(chunks_of(document("x", name="My_Shop"), "x", corpus=""))

    assert published["names"] == sorted([*asked.owners, *asked.repositories])
    assert packaged["names"] == list(parse_selector(packages=["my.shop"]).packages)


def test_the_mapping_is_strict(embedded: Index) -> None:
    """No field is guessed, and what is only searched is not stored a second time."""
    mappings = body_of(embedded.manifest, n_shards=1, n_replicas=0, vector_dims=4)["mappings"]

    assert mappings["dynamic"] == "strict"
    assert set(mappings["_source"]["excludes"]) <= set(mappings["properties"])
    assert json.loads(json.dumps(mappings)) == mappings
