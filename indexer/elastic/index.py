"""An index in Elasticsearch as queries see it: the interface of `indexer.Index`.

Candidates of all views come from searches; texts come joined from their chunks, and whoever reads
one gets what its digest names or an error.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.elastic import generations
from indexer.elastic.errors import ElasticError, asking
from indexer.elastic.layout import Facts, document_of, postings_of, words_of_values
from indexer.elastic.server import Server
from indexer.errors import (
    DocumentForgottenError,
    IndexClosedError,
    IndexReplacedError,
    UnprovableError,
)
from indexer.index import Postings
from indexer.store.documents import Document
from indexer.store.fingerprints import View
from indexer.store.lexical import MAX_TERMS, Lead, words_of
from indexer.text.normalize import to_bytes

_REGION = 96  # fingerprints of a query that are searched together: about 60 lines
_MAX_CHUNKS = 256  # that one region may bring, those with the rarest fingerprints first
_MAX_CHUNKS_IN_ALL = 4096
_MIN_CHUNKS = 32
_PAGE = 1000  # chunks of one document, or documents, read at a time
_MAX_WORDS = 512  # counted in one question
_AHEAD = 4  # documents read with a lookup: nearly always those that will be aligned
_N_KEPT = 64  # documents kept with their texts: what a number stands for never changes
_MAX_KEPT_WORDS = 100_000
_OF_LEADS = {"stored_fields": "_none_", "docvalue_fields": ["number", "start_line", "end_line"]}
_BOUNDLESS = 1 << 20  # tiles: nothing here can rule a text out


@dataclass(frozen=True, slots=True)
class _Fetched:
    document: Document
    text: str
    corpus: str
    n_chunks: int


class ElasticIndex:
    """One index of a cluster, open; safe to share between threads."""

    def __init__(self, server: Server) -> None:
        """Raises: ElasticError: there is none under that name, or it cannot be read."""
        self._server = server
        name = generations.newest(server)
        if name is None:
            raise ElasticError(
                f"no index {server.name} on {server.where}; run: starcite elastic push"
            )
        self.name = name
        self.manifest: Facts = generations.facts(server.client, name, where=server.where)
        self._is_closed = False
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Fetched] = OrderedDict()
        self._doc_freqs: dict[str, int] = {}
        with self._asking():
            with_words = {"exists": {"field": "words"}}
            self._n_chunks = int(server.client.count(index=name, query=with_words)["count"])

    def close(self) -> None:
        """Close the connections; every later question is refused."""
        self._is_closed = True
        self._server.close()

    @property
    def number(self) -> int:
        """Which one it is of those that its alias has stood for."""
        number = self.name.rpartition("-")[2]
        return int(number) if number.isdigit() else 0

    def check(self) -> None:
        """Raises: ElasticError: the cluster does not answer, or lacks a part of the index."""
        with self._asking():
            health = self._server.client.cluster.health(index=self.name)["status"]
        if health == "red":
            raise ElasticError(
                f"parts of {self.name} on {self._server.where} are missing: start the nodes that "
                "hold them"
            )

    def let_go(self) -> None:
        """Forget the documents that were read, so that the next question reads them anew."""
        with self._lock:
            self._kept.clear()

    def lookup(self, fingerprints: NDArray[np.uint32], *, view: View = "e") -> Postings:
        """Where each fingerprint of a view occurs, by query index, document and offset.

        A region of the query brings the chunks that share the rarest of its fingerprints, and all
        chunks of their documents that share any.
        """
        n_regions = -(-len(fingerprints) // _REGION)
        size = min(_MAX_CHUNKS, max(_MIN_CHUNKS, _MAX_CHUNKS_IN_ALL // max(1, n_regions)))
        regions = np.array_split(fingerprints, n_regions) if n_regions else []
        queries = [_any_of(view, np.unique(region)) for region in regions]
        found = self._chunks(queries, view, size)
        numbers = sorted({number for hits in found for number, _, _ in hits})
        cut_short = [
            {"bool": {"must": query, "filter": {"terms": {"number": numbers}}}}
            for query, hits in zip(queries, found, strict=True)
            if len(hits) == size
        ]
        found += self._chunks(cut_short, view, _MAX_CHUNKS_IN_ALL)
        chunks = {(number, chunk): at for hits in found for number, chunk, at in hits}
        if view == "e":
            self._keep(list(dict.fromkeys(number for number, _ in chunks))[:_AHEAD])
        return _postings(fingerprints, chunks)

    def search(self, text: str, *, top_k: int) -> list[Lead]:
        """The chunks of 50 lines that share the rarest words with a text, best first."""
        words = words_of(text)
        if len(set(words)) > MAX_TERMS:
            distinct = sorted(set(words))
            freqs = dict(zip(distinct, self.doc_freqs(distinct)[1], strict=True))
            known = [word for word in distinct if freqs[word]]
            rarest = set(sorted(known, key=lambda word: (freqs[word], word))[:MAX_TERMS])
            words = [word for word in words if word in rarest]
        if not words or top_k < 1:
            return []
        # A word that stands twice counts twice.
        query = {"match": {"words": " ".join(words)}}
        answer = self._ask({"query": query, "size": top_k, **_OF_LEADS}, is_global=True)
        return _leads(answer["hits"]["hits"])

    def similar(self, _text: str, *, top_k: int) -> list[Lead]:
        """Nothing, as `missing_views` says: `push` brings no vectors of embedded indexes yet."""
        return []

    @property
    def missing_views(self) -> tuple[str, ...]:
        """The kinds of candidates that it cannot bring."""
        return ("dense",)

    def nearest(self, vector: NDArray[np.float32], *, top_k: int) -> list[Lead]:
        """The chunks whose vectors are nearest to one of unit length, best first.

        Nothing where the index was pushed without vectors.
        """
        answer = self._ask(
            {
                "knn": {
                    "field": "vector",
                    "query_vector": vector.tolist(),
                    "k": top_k,
                    "num_candidates": max(100, 4 * top_k),
                },
                "size": top_k,
                **_OF_LEADS,
            }
        )
        return _leads(answer["hits"]["hits"])

    def longest_chain(self, text: str) -> int:
        """More than anything asks for: there are no tiles here, so nothing rules a text out."""
        return min(_BOUNDLESS, len(text))

    def doc_freqs(self, words: Sequence[str]) -> tuple[int, list[int]]:
        """How many chunks of 50 lines there are, and in how many of them each word occurs."""
        with self._lock:
            unknown = sorted({word for word in words if word not in self._doc_freqs})
        for first in range(0, len(unknown), _MAX_WORDS):
            some = unknown[first : first + _MAX_WORDS]
            counts = self._counted(some)
            with self._lock:
                if len(self._doc_freqs) > _MAX_KEPT_WORDS:
                    self._doc_freqs = {}
                self._doc_freqs.update(zip(some, counts, strict=True))
        with self._lock:
            return self._n_chunks, [self._doc_freqs.get(word, 0) for word in words]

    def document(self, document_id: int) -> Document:
        """What is known of a document.

        Raises:
            DocumentForgottenError: there is none of that number, or not any more.
        """
        return self._fetched(document_id).document

    def text(self, document_id: int) -> str:
        """The text of a document, exactly as it was indexed.

        Raises:
            DocumentForgottenError: there is none of that number, or not any more.
            ElasticError: it is not the text that its digest names.
        """
        return self._fetched(document_id).text

    def corpus_of(self, document_id: int) -> str:
        """The digest of the curated corpus that a document was indexed from; "" if of none."""
        return self._fetched(document_id).corpus

    def n_chunks_of(self, document_id: int) -> int:
        """How many chunks a document has."""
        return self._fetched(document_id).n_chunks

    def documents(self, query: Mapping[str, Any] | None = None) -> Iterator[Document]:
        """Every document, or those whose first chunk a query finds, by number; no text is read."""
        wanted: list[Mapping[str, Any]] = [{"term": {"chunk": 0}}, *([query] if query else [])]
        after: int = -1
        while True:
            filters = [*wanted, {"range": {"number": {"gt": after}}}]
            answer = self._ask(
                {
                    "query": {"bool": {"filter": filters}},
                    "_source": ["record"],
                    "sort": [{"number": "asc"}],
                    "size": _PAGE,
                }
            )
            hits = answer["hits"]["hits"]
            for hit in hits:
                yield self._document(hit["_source"].get("record"))[0]
            if len(hits) < _PAGE:
                return
            after = int(hits[-1]["sort"][0])

    def segments(self) -> Iterator[Any]:
        """Nothing: that a text is absent is proved on an embedded index only."""
        raise UnprovableError("an index in Elasticsearch brings candidates, and no proofs")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        if self._is_closed:
            raise IndexClosedError(f"the index on {self._server.where} is closed")
        with asking(self._server.where):
            yield

    def _ask(self, body: Mapping[str, Any], *, is_global: bool = False) -> Mapping[str, Any]:
        """One search; `is_global`: how rare words are counts in all shards, not in each."""
        with self._asking():
            answer = self._server.client.search(
                index=self.name,
                body={"track_total_hits": False, **body},
                search_type="dfs_query_then_fetch" if is_global else None,
            )
        return self._checked(answer.body)

    def _chunks(
        self, queries: Sequence[Mapping[str, Any]], view: View, size: int
    ) -> list[list[tuple[int, int, str]]]:
        """For each query the chunks it finds: document, chunk of it, packed postings."""
        if not queries:
            return []
        at = f"at_{view}"
        searches: list[Mapping[str, Any]] = []
        for query in queries:
            searches += [
                {},
                {
                    "query": query,
                    "size": size,
                    "stored_fields": "_none_",  # half of the time: no id is read either
                    "docvalue_fields": ["number", "chunk", at],
                    "track_total_hits": False,
                },
            ]
        with self._asking():
            answers = self._server.client.msearch(index=self.name, searches=searches)["responses"]
        return [
            [
                (fields["number"][0], fields["chunk"][0], fields[at][0])
                for hit in self._checked(answer)["hits"]["hits"]
                for fields in (hit["fields"],)
            ]
            for answer in answers
        ]

    def _checked(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """One answer of several, unless it is an error or lacks what some shards have."""
        error = answer.get("error")
        if error:
            if error.get("type") == "index_not_found_exception":
                raise IndexReplacedError(self._server.where)
            raise ElasticError(f"{self._server.where} refuses a search: {error.get('type')}")
        if answer["_shards"]["failed"] or answer["timed_out"]:
            raise ElasticError(f"{self._server.where} searched a part of the index only; ask again")
        return answer

    def _counted(self, words: Sequence[str]) -> list[int]:
        filters = {str(n): {"term": {"words": word}} for n, word in enumerate(words)}
        counted = {"words": {"filters": {"filters": filters}}}
        buckets = self._ask({"size": 0, "aggs": counted})["aggregations"]["words"]["buckets"]
        return [int(buckets[str(n)]["doc_count"]) for n in range(len(words))]

    def _fetched(self, document_id: int) -> _Fetched:
        with self._lock:
            kept = self._kept.get(document_id)
            if kept is not None:
                self._kept.move_to_end(document_id)
                return kept
        self._keep([document_id])
        with self._lock:
            if document_id not in self._kept:
                raise DocumentForgottenError(document_id)
            return self._kept[document_id]

    def _keep(self, numbers: Sequence[int]) -> None:
        """Read documents, all in one question, and keep those that are there."""
        with self._lock:
            unknown = [number for number in numbers if number not in self._kept]
        fetched = self._fetch(unknown) if unknown else {}
        with self._lock:
            self._kept.update(fetched)
            while len(self._kept) > _N_KEPT:
                self._kept.popitem(last=False)

    def _fetch(self, numbers: Sequence[int]) -> dict[int, _Fetched]:
        """The documents of these numbers that are there, joined from their chunks and checked."""
        parts: dict[int, list[str]] = {}
        records: dict[int, str] = {}
        after: dict[str, Any] = {}
        while True:
            answer = self._ask(
                {
                    "query": {"terms": {"number": list(numbers)}},
                    "_source": ["text", "record"],
                    "sort": [{"number": "asc"}, {"chunk": "asc"}],
                    "size": _PAGE,
                    **after,
                }
            )
            hits = answer["hits"]["hits"]
            for hit in hits:
                number, chunk = hit["sort"]
                parts.setdefault(number, []).append(str(hit["_source"]["text"]))
                if chunk == 0:
                    records[number] = hit["_source"]["record"]
            if len(hits) < _PAGE:
                break
            after = {"search_after": hits[-1]["sort"]}
        found = {one: self._joined(one, records[one], parts[one]) for one in records}
        return {number: fetched for number, fetched in found.items() if fetched is not None}

    def _joined(self, number: int, record: str, parts: list[str]) -> _Fetched | None:
        document, corpus, n_chunks = self._document(record)
        if len(parts) < n_chunks:
            return None  # it is being taken out this very moment
        text = "\n".join(parts)
        if hashlib.sha256(to_bytes(text)).hexdigest() != document.sha256:
            raise ElasticError(f"document {number} is not the text that its digest names")
        return _Fetched(document, text, corpus, n_chunks)

    def _document(self, record: Any) -> tuple[Document, str, int]:
        try:
            return document_of(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ElasticError(
                f"the index {self.name} on {self._server.where} holds a record that is none"
            ) from error


def _any_of(view: View, values: NDArray[np.uint32]) -> dict[str, Any]:
    return {"match": {f"fp_{view}": " ".join(words_of_values(values))}}


def _postings(fingerprints: NDArray[np.uint32], chunks: Mapping[tuple[int, int], str]) -> Postings:
    """The postings of some chunks that are of these fingerprints, of which some may be equal."""
    packed = [postings_of(at) for at in chunks.values()]
    postings = np.concatenate([postings_of(""), *packed])
    n_packed = np.array([len(one) for one in packed], dtype=np.int64)
    numbers = np.repeat(np.array([number for number, _ in chunks], dtype=np.int64), n_packed)
    order = np.argsort(fingerprints, kind="stable")
    ordered = fingerprints[order]
    first = np.searchsorted(ordered, postings["value"], side="left")
    n_equal = np.searchsorted(ordered, postings["value"], side="right") - first
    nth = np.arange(n_equal.sum()) - np.repeat(np.cumsum(n_equal) - n_equal, n_equal)
    query_index = order[np.repeat(first, n_equal) + nth]
    document_id = np.repeat(numbers, n_equal)
    offset = np.repeat(postings["offset"], n_equal)
    rows = np.lexsort((offset, document_id, query_index))
    return Postings(
        query_index[rows], document_id[rows].astype(np.int32), offset[rows].astype(np.int64)
    )


def _leads(hits: Sequence[Mapping[str, Any]]) -> list[Lead]:
    leads = [
        Lead(
            document_id=int(hit["fields"]["number"][0]),
            start_line=int(hit["fields"]["start_line"][0]),
            end_line=int(hit["fields"]["end_line"][0]),
            score=float(hit["_score"]),
        )
        for hit in hits
    ]
    return sorted(leads, key=lambda lead: (-lead.score, lead.document_id, lead.start_line))
