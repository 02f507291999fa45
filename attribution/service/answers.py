"""Questions to an index and their answers: bytes in, bytes out, in whatever process has the index.

`_ANSWERS` lists what can be asked. Nothing here knows of HTTP but the status of an answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.absence import QUICK, absence_of
from attribution.config import ServiceConfig
from attribution.errors import (
    LookTooLongError,
    NoSuchViewError,
    OtherDocumentError,
    QueryRefusedError,
)
from attribution.hybrid import DEEPER, hybrid
from attribution.outcomes import Absence, Looked
from attribution.overlap import overlap
from attribution.reporting import Context
from attribution.service import asked, sources
from attribution.service.place import Place, open_served
from attribution.service.served_index import Generation
from attribution.target import Target
from attribution.trace_json import as_json_lines
from attribution.types import Verdict
from indexer import Index, IndexerError, Origin
from indexer.errors import DocumentForgottenError, DocumentUnknownError, IndexReplacedError
from indexer.optout.errors import SelectorError
from indexer.store.lexical import Lead, words_of

log = logging.getLogger(__name__)

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MAX_GONE_MEANWHILE = 3  # times that one question starts over because of that
_FAILED = "the service failed; the same question may fail again"
_STATUSES: dict[type[Exception], HTTPStatus] = {  # the first that fits
    NoSuchViewError: HTTPStatus.UNPROCESSABLE_ENTITY,
    OtherDocumentError: HTTPStatus.CONFLICT,
    QueryRefusedError: HTTPStatus.BAD_REQUEST,
    SelectorError: HTTPStatus.BAD_REQUEST,
    DocumentUnknownError: HTTPStatus.NOT_FOUND,
    DocumentForgottenError: HTTPStatus.NOT_FOUND,
    LookTooLongError: HTTPStatus.SERVICE_UNAVAILABLE,
    IndexerError: HTTPStatus.SERVICE_UNAVAILABLE,
}

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the body, which is JSON unless a page was asked for."""

    status: int
    body: bytes


class Answerer:
    """Answers questions about an index; safe to share between threads."""

    def __init__(self, place: Place, config: ServiceConfig) -> None:
        self._served = open_served(place)
        self._config = config

    def answer(self, name: str, body: bytes) -> Answer:
        """The answer to one question, of the newest generation; an error is one, too."""
        try:
            record = asked.read_object(body)
            found = self._look(_ANSWERS[name], record)
        except Exception as error:
            return of_error(error)
        text = found if isinstance(found, str) else json.dumps(found)
        return Answer(HTTPStatus.OK, text.encode("utf-8", "replace"))

    def close(self) -> None:
        """Let go of connections, if there are any."""
        self._served.close()

    def _look(self, question: Question, record: Mapping[str, Any]) -> Record | str:
        """Look again where what was being looked at was forgotten or replaced meanwhile."""
        for _ in range(_MAX_GONE_MEANWHILE):
            try:
                return question(self._served.newest(), record, self._config)
            except (DocumentForgottenError, IndexReplacedError):
                continue
        return question(self._served.newest(), record, self._config)


def of_error(error: Exception) -> Answer:
    """The answer that an error is; what nobody foresaw is not told."""
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                log.warning("cannot answer error=%s", type(error).__name__)
            return problem(status, str(error))
    log.error("a question failed error=%s", type(error).__name__)
    log.debug("a question failed", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED)


def problem(status: int, message: str) -> Answer:
    """Why there is no other answer, for people."""
    return Answer(status, json.dumps({"error": message}).encode())


def _trace(at: Generation, record: Mapping[str, Any], _: ServiceConfig) -> str:
    it = asked.read_trace(record)
    target = _target(it)
    trace = at.traces.trace(it.text, language=it.language, with_leads=it.wants_leads)
    is_absent = trace.verdict is Verdict.NONE
    absence = _absence(at, it) if it.wants_proof and is_absent else None
    context = Context(
        n_documents=at.index.manifest.n_live,
        min_lexemes=at.tracer.config.min_lexemes,
        corpus_digest=trace.corpus_digest,
        version=version("starcite"),
    )
    (line,) = as_json_lines([Looked(target=target, trace=trace, absence=absence)], context)
    return line


def _target(it: asked.TraceAsked) -> Target:
    """The text as a file of its own."""
    data = it.text.encode("utf-8", "replace")
    return Target(
        name=it.path,
        text=it.text,
        language=it.language,
        start=0,
        start_line=0,
        end_line=len(_LINE.findall(it.text)),
        start_byte=0,
        file_sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        file_sha256=hashlib.sha256(data).hexdigest(),
    )


def _absence(at: Generation, it: asked.TraceAsked) -> Absence:
    data, shortest = it.text.encode("utf-8", "replace"), at.tracer.config.min_lexemes
    return absence_of(at.index, data, it.language, min_lexemes=shortest, bounds=QUICK)


def _membership(at: Generation, record: Mapping[str, Any], _: ServiceConfig) -> Record:
    text = asked.read_text(record)
    _check_membership(at)
    longest = at.index.longest_chain(text)
    return {
        "longest_chain": longest,
        "is_worth_a_look": longest >= at.tracer.config.min_chain,
        "tile_chars": at.index.manifest.tile_chars,
        "corpus_digest": at.index.manifest.corpus_digest,
    }


def _overlap(at: Generation, record: Mapping[str, Any], _: ServiceConfig) -> Record:
    text = asked.read_overlap(record)
    _check_membership(at)
    return dict(overlap(at.index, text))


def _check_membership(at: Generation) -> None:
    if not at.has_membership:
        raise NoSuchViewError(
            "an index in Elasticsearch has no membership filter: POST /v1/trace says whether a "
            "text is in it, and where"
        )


def _search(at: Generation, record: Mapping[str, Any], _: ServiceConfig) -> Record:
    it = asked.read_search(record)
    if it.view != "bm25" and "dense" in at.index.missing_views:
        raise NoSuchViewError(
            f"this index has no dense view, so {it.view} cannot be searched; ask for bm25, or run "
            "where it is: starcite index embed"
        )
    return {
        "view": it.view,
        "missing_views": list(at.index.missing_views),
        "corpus_digest": at.index.manifest.corpus_digest,
        "results": [
            {**asdict(lead), **_described(at.index, lead.document_id)}
            for lead in _leads(at.index, it)
        ],
    }


def _leads(index: Index, it: asked.SearchAsked) -> list[Lead]:
    if it.view == "bm25":
        return index.search(it.text, top_k=it.top_k)
    if it.view == "dense":
        return index.similar(it.text, top_k=it.top_k)
    deep = DEEPER * it.top_k
    by_words, by_vectors = (view(it.text, top_k=deep) for view in (index.search, index.similar))
    return hybrid(by_words, by_vectors, top_k=it.top_k)


def _lookup(at: Generation, record: Mapping[str, Any], _: ServiceConfig) -> Record:
    it = asked.read_lookup(record)
    postings = at.index.lookup(it.fingerprints, view=it.view)
    return {
        "generation": at.name,
        "query_index": _packed(postings.query_index),
        "document_id": _packed(postings.document_id),
        "offset": _packed(postings.offset),
    }


def _document(at: Generation, record: Mapping[str, Any], _: ServiceConfig) -> Record:
    it = asked.read_document(record)
    document, text = at.tracer.source(it.document_id)
    if it.sha256 and it.sha256 != document.sha256:
        raise OtherDocumentError(
            f"document {it.document_id} is another one by now: the index was changed; trace again"
        )
    lines = _LINE.findall(text)
    end_line = len(lines) if it.end_line is None else min(it.end_line, len(lines))
    start_line = min(it.start_line, end_line)
    return {
        "document_id": it.document_id,
        **_described(at.index, it.document_id),
        "generation": at.name,
        "corpus_digest": at.index.manifest.corpus_digest,
        "curated_corpus": at.index.corpus_of(it.document_id),
        "n_lines": len(lines),
        "start_line": start_line,
        "end_line": end_line,
        "text": "".join(lines[start_line:end_line]),
        **(_frequencies(at.index, text) if it.wants_frequencies else {}),
    }


def _frequencies(index: Index, text: str) -> Record:
    """How rare each word of a text is: who judges a match elsewhere needs nothing more for it."""
    words = sorted(set(words_of(text)))
    n_chunks, freqs = index.doc_freqs(words)
    return {"n_chunks": n_chunks, "doc_freqs": dict(zip(words, freqs, strict=True))}


def _index(at: Generation, _record: Mapping[str, Any], _: ServiceConfig) -> Record:
    manifest = at.index.manifest
    return {
        "generation": at.name,
        "corpus_digest": manifest.corpus_digest,
        "n_documents": manifest.n_live,
        "k": manifest.k,
        "w": manifest.w,
        "p_k": manifest.p_k,
        "p_w": manifest.p_w,
        "missing_views": list(at.index.missing_views),
    }


def _sources(at: Generation, record: Mapping[str, Any], config: ServiceConfig) -> Record | str:
    selector = sources.parse_query(record["items"], config)
    found = sources.look(selector, config)(at.resolve)
    ask_again = record["ask_again"]  # empty unless a page is wanted
    return found.as_page(ask_again) if ask_again else found.as_record()


def _described(index: Index, document_id: int) -> Record:
    document = index.document(document_id)
    return {
        "document_sha256": document.sha256,
        "language": document.language,
        "origins": [_origin(origin) for origin in document.origins],
    }


def _origin(origin: Origin) -> Record:
    return {**asdict(origin), "purl": origin.purl}


def _packed(values: NDArray[Any]) -> str:
    """As base64 of little-endian 64-bit whole numbers."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<i8").tobytes()).decode("ascii")


Question = Callable[[Generation, Mapping[str, Any], ServiceConfig], Record | str]
_ANSWERS: dict[str, Question] = {
    "trace": _trace,
    "membership": _membership,
    "overlap": _overlap,
    "search": _search,
    "lookup": _lookup,
    "document": _document,
    "index": _index,
    "sources": _sources,
}
