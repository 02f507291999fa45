"""An index in Elasticsearch answers as the embedded one that it was filled from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from attribution.elastic import ElasticTracer
from attribution.tracer import Tracer
from attribution.types import Trace, Verdict
from indexer import Index, lex, winnow
from indexer.elastic import generations
from indexer.elastic.errors import ElasticError
from indexer.elastic.forget import find, forget
from indexer.elastic.index import ElasticIndex
from indexer.elastic.layout import chunk_id, chunks_of, key_of
from indexer.elastic.push import PushSetting, push
from indexer.elastic.server import Server
from indexer.errors import DocumentForgottenError, IndexReplacedError
from indexer.optout.resolve import resolve
from indexer.optout.selector import Selector, parse_selector
from indexer.store.lexical import words_of
from tests.elastic.conftest import module

RENAMED = module(5).replace("first", "eins").replace("second", "zwei")
QUERIES = {
    "verbatim": "\n".join(module(7).split("\n")[40:60]),
    "short": "    return sum(range(total_3), start=38)\n",
    "renamed": "\n".join(RENAMED.split("\n")[20:50]),
    "edited": "\n".join(line for n, line in enumerate(module(9).split("\n")[:40]) if n % 7),
    "whole": module(3),
    "two": "\n".join([*module(1).split("\n")[10:30], *module(2).split("\n")[90:110]]),
    "none": "class Nothing:\n    def like(this):\n        return {**this.kind, 'is': here}\n",
    "nothing": "",
}


def matches(trace: Trace) -> list[object]:
    """What is claimed, without the numbers of documents, which are the index's own."""
    return [
        (
            match.tier,
            match.query,
            match.n_lexemes,
            match.n_sources,
            match.n_owners,
            match.commonness,
            match.reasons,
            match.renames,
            match.pieces,
            sorted((one.document_sha256, one.span, one.origins) for one in match.sources),
        )
        for match in trace.matches
    ]


@pytest.mark.parametrize("name", QUERIES)
def test_a_trace_claims_the_same(name: str, pushed: ElasticIndex, embedded: Index) -> None:
    """Tiers, spans, sources and counts are those of the embedded engine."""
    there = Tracer(cast("Index", pushed)).trace(QUERIES[name])
    here = Tracer(embedded).trace(QUERIES[name])

    assert there.reason == ""
    assert there.verdict == here.verdict
    assert matches(there) == matches(here)


def test_every_part_answers_alike(pushed: ElasticIndex, embedded: Index) -> None:
    """Postings, leads, frequencies, documents, texts and facts are equal, in two shards."""
    fingerprints = winnow(lex(module(4).encode(), "python").hashes).values
    repeated = np.concatenate([fingerprints, fingerprints[:5]])
    words = [*sorted(set(words_of(QUERIES["two"]))), "no_such_word"]

    assert postings(pushed, repeated) == postings(embedded, repeated)
    assert len(postings(embedded, repeated)) > len(repeated)
    assert pushed.doc_freqs(words) == embedded.doc_freqs(words)
    assert [one.sha256 for one in pushed.documents()] == [
        embedded.document(one).sha256 for one in embedded.live_document_ids()
    ]
    for document in pushed.documents():
        text = pushed.text(document.document_id)
        assert hashlib.sha256(text.encode()).hexdigest() == document.sha256
    assert pushed.manifest.corpus_digest == embedded.manifest.corpus_digest
    assert pushed.manifest.n_live == embedded.manifest.n_live
    for name in ("verbatim", "two", "whole"):
        assert leads(pushed, QUERIES[name]) == leads(embedded, QUERIES[name])


def postings(
    index: ElasticIndex | Index, fingerprints: NDArray[np.uint32]
) -> list[tuple[int, str, int]]:
    found = index.lookup(fingerprints)
    return sorted(
        (query, index.document(document).sha256, offset)
        for query, document, offset in zip(
            found.query_index.tolist(),
            found.document_id.tolist(),
            found.offset.tolist(),
            strict=True,
        )
    )


def leads(index: ElasticIndex | Index, text: str) -> list[tuple[str, int, int]]:
    return [
        (index.document(one.document_id).sha256, one.start_line, one.end_line)
        for one in index.search(text, top_k=3)
    ]


def test_what_is_taken_out_is_found_by_nothing(server: Server, pushed: ElasticIndex) -> None:
    """After an opt-out no search, trace or number shows the document; the others stay."""
    tracer = Tracer(cast("Index", pushed))
    text = "\n".join(module(99).split("\n")[10:40])
    before = tracer.trace(text)
    found = find(pushed, parse_selector(repositories=["octocat/hello-world"]))
    report = forget(server, pushed, found)
    after = tracer.trace(text)

    gone = found[0].document.sha256
    assert [one.document.origins[0].path for one in found] == ["src/owned.py"]
    assert (report.n_documents, report.n_chunks) == (1, 4)
    assert gone in {source.document_sha256 for one in before.matches for source in one.sources}
    assert after.reason == ""
    assert gone not in {source.document_sha256 for one in after.matches for source in one.sources}
    assert find(pushed, parse_selector(owners=["octocat"])) == ()
    with pytest.raises(DocumentForgottenError):
        ElasticIndex(server).text(found[0].document.document_id)
    assert generations.facts(server.client, pushed.name, where="").n_documents == 41


def test_every_kind_of_request_finds_its_documents(pushed: ElasticIndex, embedded: Index) -> None:
    """Narrowing by name loses nothing that the embedded index would find."""
    text = module(3)
    requests = [
        parse_selector(owners=["Octocat"]),
        parse_selector(owners=["shop"], paths=["shop/mod_1*.py"]),
        parse_selector(packages=["Market"]),
        parse_selector(paths=["**/one.py"]),
        parse_selector(content_hashes=[f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"]),
        Selector(sha1_gits=("0" * 40,)),
    ]

    for request in requests:
        there = [one.document.sha256 for one in find(pushed, request)]
        here = [one.document.sha256 for one in resolve(embedded, request).found]
        assert sorted(there) == sorted(here)
    assert len(find(pushed, requests[1])) == 11


def test_a_text_that_was_changed_is_refused(server: Server, pushed: ElasticIndex) -> None:
    """A chunk that is not what was pushed makes the look-up fail: nothing is claimed of it."""
    document = next(iter(pushed.documents()))
    chunk = list(chunks_of(document, module(0), corpus=""))[1] | {"text": "changed"}
    key = key_of(document)
    server.client.index(
        index=pushed.name, id=chunk_id(key, 1), routing=key, document=chunk, refresh=True
    )

    trace = Tracer(cast("Index", pushed)).trace("\n".join(module(0).split("\n")[60:80]))

    assert trace.verdict is Verdict.UNKNOWN
    assert "digest" in trace.reason


def test_vectors_bring_their_nearest_neighbours(server: Server, embedded: Index) -> None:
    """With vectors, kNN finds the chunk that a vector was made of; without them nothing."""
    push(embedded, server, PushSetting(embed=_embed, vector_dims=32))
    index = ElasticIndex(server)
    chunk = "\n".join(module(8).split("\n")[50:100])

    nearest = index.nearest(_embed(chunk)[0], top_k=3)

    assert index.text(nearest[0].document_id) == module(8)
    assert (nearest[0].start_line, nearest[0].end_line) == (50, 100)
    push(embedded, server)

    assert ElasticIndex(server).nearest(_embed(chunk)[0], top_k=3) == []


def _embed(text: str) -> NDArray[np.float32]:
    """Words thrown onto random axes, and normed: the oldest embedding there is."""
    lines = text.split("\n")
    rows = []
    for first in range(0, len(lines), 50):
        row = np.zeros(32)
        for word in words_of("\n".join(lines[first : first + 50])):
            row[int(hashlib.md5(word.encode()).hexdigest(), 16) % 32] += 1  # noqa: S324
        rows.append(row / max(float(np.linalg.norm(row)), 1e-9))
    return np.array(rows, dtype=np.float32)


def test_a_rebuild_is_seen_by_whoever_traces(
    make_server: Callable[..., Server], server: Server, embedded: Index
) -> None:
    """A tracer that is open goes on with the index that has taken the place of the old one."""
    push(embedded, server)
    tracer = ElasticTracer(make_server(server.name))
    old = cast("ElasticIndex", tracer.newest().index)
    push(embedded, server)

    trace = tracer.trace(QUERIES["verbatim"])

    assert trace.verdict is Verdict.FOUND
    assert cast("ElasticIndex", tracer.newest().index).name != old.name
    with pytest.raises(IndexReplacedError):
        old.search("total_3", top_k=1)


def test_no_index(server: Server) -> None:
    """Before the first push it says what to run."""
    with pytest.raises(ElasticError, match="starcite elastic push"):
        ElasticIndex(server)
