"""Fills an index in Elasticsearch from embedded ones: all anew behind an alias, or in addition.

A rebuild becomes visible in one step when all of it is there and counted; what fails or is
interrupted leaves the index that was there. What is added is visible when it is written. An
addition that was interrupted is simply run again: documents that are there are left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from elasticsearch import ConflictError, NotFoundError

from indexer.elastic import generations
from indexer.elastic.bulk import Operation, Written, patiently, write
from indexer.elastic.errors import ElasticError, asking
from indexer.elastic.layout import Vectors, body_of, chunk_id, chunks_of, document_of, key_of
from indexer.elastic.server import Server
from indexer.index import Index
from indexer.optout.ledger_filter import LedgerFilter
from indexer.source_file import SourceFile
from indexer.store.documents import Document
from indexer.text.normalize import to_bytes

Embed = Callable[[str], Vectors]  # a text → unit rows, one for each of its chunks
_T = TypeVar("_T")
_NUMBERS = "numbers"  # the record that says which number the next document gets
_AT_ONCE = 200  # documents of which it is asked whether they are there


@dataclass(frozen=True, kw_only=True, slots=True)
class PushProgress:
    """How far it is."""

    n_documents: int
    n_bytes: int  # of their text


@dataclass(frozen=True, kw_only=True, slots=True)
class PushReport:
    """What came of it."""

    index: str  # behind the alias
    n_documents: int  # written now
    n_known: int  # were there already
    n_opted_out: int
    n_unstorable: int  # hold lone surrogates, which no JSON can carry
    n_chunks: int
    n_repeated: int  # chunks sent again, as the cluster was busy or a node was gone
    n_bytes: int  # of text
    stored_bytes: int  # of the whole index, without replicas
    elapsed_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PushSetting:
    """How to store it; `None` leaves the number of replicas to the number of nodes."""

    n_shards: int = 1
    n_replicas: int | None = None
    adds: bool = False
    patience_s: float = 120.0
    n_at_once: int = 500  # chunks sent together
    embed: Embed | None = None
    vector_dims: int = 0


def push(
    source: Index,
    server: Server,
    setting: PushSetting | None = None,
    *,
    progress: Callable[[PushProgress], None] = lambda _now: None,
) -> PushReport:
    """Bring the live documents of an embedded index into Elasticsearch.

    Raises:
        ElasticError: the cluster refuses, or has taken nothing for `patience_s` seconds.
        IndexerError: a document cannot be read.
    """
    return _Push(source, server, setting or PushSetting(), progress).run()


class _Push:
    def __init__(
        self,
        source: Index,
        server: Server,
        setting: PushSetting,
        progress: Callable[[PushProgress], None],
    ) -> None:
        self._source, self._server, self._setting = source, server, setting
        self._progress = progress
        self._ledger = LedgerFilter.open()
        self._n_documents = self._n_known = self._n_opted_out = self._n_unstorable = 0
        self._n_bytes = 0
        self._started = time.monotonic()

    def run(self) -> PushReport:
        before = generations.newest(self._server)
        if self._setting.adds and before is not None:
            self._check_fits(before)
            return self._report(before, self._fill(before))
        index = generations.following(self._server)
        self._create(index)
        try:
            written = self._fill(index)
            self._finish(index)
        except BaseException:
            with suppress(ElasticError), asking(self._server.where):
                self._server.client.indices.delete(index=index)
            raise
        generations.move_alias(self._server, index, before=before)
        if before is not None:
            with asking(self._server.where):
                self._server.client.indices.delete(index=before)
        return self._report(index, written)

    def _check_fits(self, index: str) -> None:
        """What is added must be looked up as what is there."""
        self._patiently(lambda: self._server.client.indices.refresh(index=index))
        have = generations.facts(self._server.client, index, where=self._server.where)
        own = self._source.manifest
        if (have.k, have.w, have.p_k, have.p_w) != (own.k, own.w, own.p_k, own.p_w):
            raise ElasticError(
                f"{index} on {self._server.where} was made with other windows; push without --add"
            )

    def _create(self, index: str) -> None:
        n_replicas = self._setting.n_replicas
        body = body_of(
            self._source.manifest,
            n_shards=self._setting.n_shards,
            n_replicas=min(1, self._server.n_nodes - 1) if n_replicas is None else n_replicas,
            vector_dims=self._setting.vector_dims,
        )
        with asking(self._server.where):
            self._server.client.indices.create(index=index, **body)

    def _fill(self, index: str) -> Written:
        written = Written()
        for written in write(  # noqa: B007 - the last one counts
            self._server.client,
            index,
            self._operations(index),
            where=self._server.where,
            patience_s=self._setting.patience_s,
            n_at_once=self._setting.n_at_once,
        ):
            self._progress(PushProgress(n_documents=self._n_documents, n_bytes=self._n_bytes))
        self._patiently(lambda: self._server.client.indices.refresh(index=index))
        return written

    def _operations(self, index: str) -> Iterator[Operation]:
        ids = list(self._source.live_document_ids())
        for first in range(0, len(ids), _AT_ONCE):
            documents = [self._source.document(one) for one in ids[first : first + _AT_ONCE]]
            if self._setting.adds:
                documents = self._new(index, documents)
            number = self._reserve(index, len(documents)) if documents else 0
            for document in documents:
                yield from self._chunks(document, number)
                number += 1

    def _new(self, index: str, documents: Sequence[Document]) -> list[Document]:
        """Without those that are there with all their places; of the others, all places known.

        Such a text has the key of the one that is there, and takes its place.
        """
        sha256s = [document.sha256 for document in documents]
        there = {one.sha256: one for one in self._held(index, sha256s)}
        new = []
        for document in documents:
            known = there[document.sha256].origins if document.sha256 in there else ()
            origins = tuple(dict.fromkeys((*known, *document.origins)))
            if origins == known:
                self._n_known += 1
            else:
                new.append(replace(document, origins=origins))
        return new

    def _held(self, index: str, sha256s: Sequence[str]) -> list[Document]:
        answer = self._patiently(
            lambda: self._server.client.search(
                index=index,
                body={
                    "query": {"terms": {"sha256": sha256s}},
                    "_source": ["record"],
                    "size": len(sha256s),
                },
            )
        )
        return [document_of(hit["_source"]["record"])[0] for hit in answer["hits"]["hits"]]

    def _chunks(self, document: Document, number: int) -> Iterator[Operation]:
        text = self._source.text(document.document_id)
        if not text.isascii() and to_bytes(text) != text.encode("utf-8", "replace"):
            self._n_unstorable += 1
            return
        file = SourceFile(
            text=text,
            language=document.language,
            origin=document.origins[0],
            twins=document.origins[1:],
        )
        if self._ledger.why_not(file) is not None:
            self._n_opted_out += 1
            return
        key = key_of(document)
        corpus = self._source.corpus_of(document.document_id)
        vectors = self._setting.embed(text) if self._setting.embed else None
        numbered = replace(document, document_id=number)
        for chunk in chunks_of(numbered, text, corpus=corpus, vectors=vectors):
            place = {"_id": chunk_id(key, chunk["chunk"]), "routing": key}
            yield {"index": place, "_source": chunk}
        self._n_documents += 1
        self._n_bytes += document.n_bytes

    def _finish(self, index: str) -> None:
        """Nothing becomes visible that is not all there."""
        client = self._server.client
        visible = {"refresh_interval": "1s"}
        self._patiently(lambda: client.indices.put_settings(index=index, settings=visible))
        n_there = generations.facts(client, index, where=self._server.where).n_documents
        if n_there != self._n_documents:
            raise ElasticError(
                f"{self._server.where} has {n_there:,} of {self._n_documents:,} documents; the "
                "index that was there stays. Run this again"
            )

    def _reserve(self, index: str, n: int) -> int:
        """The first of `n` numbers that nobody else gets, however many push at once."""
        while True:
            first = self._patiently(lambda: _reserved(self._server, index, n))
            if first is not None:
                return first

    def _patiently(self, question: Callable[[], _T]) -> _T:
        setting, where = self._setting, self._server.where
        return patiently(question, where=where, patience_s=setting.patience_s)

    def _report(self, index: str, written: Written) -> PushReport:
        with asking(self._server.where):
            stats = self._server.client.indices.stats(index=index, metric="store")
        return PushReport(
            index=index,
            n_documents=self._n_documents,
            n_known=self._n_known,
            n_opted_out=self._n_opted_out,
            n_unstorable=self._n_unstorable,
            n_chunks=written.n_operations,
            n_repeated=written.n_repeated,
            n_bytes=self._n_bytes,
            stored_bytes=int(stats["_all"]["primaries"]["store"]["size_in_bytes"]),
            elapsed_s=time.monotonic() - self._started,
        )


def _reserved(server: Server, index: str, n: int) -> int | None:
    """The first of `n` numbers; None: somebody else was faster, ask again."""
    client = server.client
    try:
        told = client.get(index=index, id=_NUMBERS, routing=_NUMBERS)
        first = int(told["_source"]["next_number"])
        at = {"if_seq_no": told["_seq_no"], "if_primary_term": told["_primary_term"]}
    except NotFoundError:
        first, at = 0, {"op_type": "create"}
    try:
        client.index(
            index=index, id=_NUMBERS, routing=_NUMBERS, document={"next_number": first + n}, **at
        )
    except ConflictError:
        return None
    return first
