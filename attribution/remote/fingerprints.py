"""An index elsewhere, asked by fingerprints alone: no text of the query leaves this machine.

The service gets hashes of ten lexemes and the numbers of documents; it sends where the hashes occur
and the documents' texts. Whatever is claimed is aligned here, on texts whose digest was checked.
What words or membership tiles would find is not looked for, as both would tell what was asked.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.config import RemoteConfig
from attribution.remote.errors import OtherGenerationError, RemoteError
from attribution.remote.records import RecordError, origins_of, read
from attribution.remote.transport import Transport
from indexer import Document
from indexer.errors import DocumentForgottenError
from indexer.index import Postings
from indexer.store.fingerprints import View
from indexer.store.lexical import Lead
from indexer.text.normalize import to_bytes

_MAX_FINGERPRINTS = 1024  # in one question, as the service takes them
_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a service says of its index."""

    generation: str
    corpus_digest: str
    n_documents: int
    k: int
    w: int
    p_k: int
    p_w: int
    missing_views: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fetched:
    document: Document
    text: str
    corpus: str
    doc_freqs: Mapping[str, int]


class RemoteCandidates:
    """One generation of a service's index, as a tracer asks for candidates."""

    def __init__(self, transport: Transport, config: RemoteConfig, *, until: float) -> None:
        self._transport = transport
        self._config = config
        self._budget = threading.local()  # each trace has its own, and one thread
        self.is_outdated = False
        self.give(until)
        self.manifest = _facts(self._ask("/v1/index", None))
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, _Fetched] = OrderedDict()
        self._n_chunks = 0
        self._doc_freqs: dict[str, int] = {}

    def give(self, until: float) -> None:
        """The time that this thread's next questions have, on the clock of `time.monotonic`."""
        self._budget.until = until

    def lookup(self, fingerprints: NDArray[np.uint32], *, view: View = "e") -> Postings:
        """Where each fingerprint of a view occurs."""
        parts = [
            self._looked_up(fingerprints[first : first + _MAX_FINGERPRINTS], view, first)
            for first in range(0, len(fingerprints), _MAX_FINGERPRINTS)
        ]
        query_index, document_id, offset = (
            np.concatenate([np.empty(0, dtype=np.int64), *columns])
            for columns in (zip(*parts, strict=True) if parts else ((), (), ()))
        )
        order = np.lexsort((offset, query_index))
        return Postings(query_index[order], document_id[order].astype(np.int32), offset[order])

    def search(self, _text: str, *, top_k: int) -> Sequence[Lead]:
        """Nothing: to search by words is to send them."""
        return []

    def similar(self, _text: str, *, top_k: int) -> Sequence[Lead]:
        """Nothing: what a text's vectors are like tells much of it."""
        return []

    @property
    def missing_views(self) -> tuple[str, ...]:
        """What the service lacks, and what it cannot be asked for without the text."""
        return tuple(dict.fromkeys(("dense", *self.manifest.missing_views)))

    def longest_chain(self, _text: str) -> int:
        """Nothing: to look a tile up is to send it."""
        return 0

    def doc_freqs(self, words: Sequence[str]) -> tuple[int, list[int]]:
        """How rare words are that the fetched documents hold; of others nothing is known."""
        with self._lock:
            return self._n_chunks, [self._doc_freqs.get(word, 0) for word in words]

    def document(self, document_id: int) -> Document:
        """What is known of a document."""
        return self._fetched(document_id).document

    def text(self, document_id: int) -> str:
        """The text of a document, whose digest was checked."""
        return self._fetched(document_id).text

    def corpus_of(self, document_id: int) -> str:
        """The digest of the curated corpus that a document was indexed from; "" if of none."""
        return self._fetched(document_id).corpus

    def _looked_up(
        self, fingerprints: NDArray[np.uint32], view: View, first: int
    ) -> tuple[NDArray[np.int64], ...]:
        asked = {"fingerprints": fingerprints.tolist(), "view": view}
        record = self._ask("/v1/lookup", asked)
        names = ("query_index", "document_id", "offset")
        columns = [_unpacked(record.get(name), name) for name in names]
        query_index, document_id, offset = columns
        if (
            len({len(column) for column in columns}) != 1
            or np.any(query_index >= len(fingerprints))
            or np.any(document_id >= 2**31)
            or np.any(offset >= 2**32)
            or any(np.any(column < 0) for column in columns)
        ):
            raise RecordError("the postings of the index service do not fit each other")
        return query_index + first, document_id, offset

    def _fetched(self, document_id: int) -> _Fetched:
        with self._lock:
            kept = self._kept.get(document_id)
            if kept is not None:
                self._kept.move_to_end(document_id)
                return kept
        record = self._ask(f"/v1/documents/{document_id}?frequencies=true", None, document_id)
        fetched, n_chunks = _document(record, document_id)
        with self._lock:
            self._kept[document_id] = fetched
            self._n_chunks = n_chunks
            self._doc_freqs.update(fetched.doc_freqs)
            while len(self._kept) > self._config.n_kept_documents:
                self._kept.popitem(last=False)
            if len(self._doc_freqs) > self._config.max_kept_words:
                self._doc_freqs = {
                    word: df for one in self._kept.values() for word, df in one.doc_freqs.items()
                }
        return fetched

    def _ask(self, path: str, asked: Mapping[str, Any] | None, document: int = -1) -> Any:
        status, record = self._transport.ask(path, asked, until=self._budget.until)
        if status == _NOT_FOUND and document >= 0:
            raise DocumentForgottenError(document)
        if status >= 400:
            raise RemoteError(f"the index service refuses a question: {record.get('error')!s:.200}")
        if path != "/v1/index" and record.get("generation") != self.manifest.generation:
            self.is_outdated = True
            raise OtherGenerationError("the service's index was changed meanwhile; trace again")
        return record


def _facts(record: Mapping[str, Any]) -> Facts:
    facts = read(Facts, record)
    if not all(1 <= one <= 1000 for one in (facts.k, facts.w, facts.p_k, facts.p_w)):
        raise RecordError("the index service was built with windows that cannot be")
    return facts


def _unpacked(value: object, name: str) -> NDArray[np.int64]:
    try:
        packed = base64.b64decode(value if isinstance(value, str) else "?", validate=True)
        return np.frombuffer(packed, dtype="<i8").astype(np.int64)
    except ValueError as error:
        raise RecordError(f"{name} in the answer of the index service is no array") from error


def _document(record: Mapping[str, Any], document_id: int) -> tuple[_Fetched, int]:
    """The document, and how many chunks the index has.

    Raises:
        RecordError: a field is missing or wrong, or the text is not that of the digest.
    """
    facts = read(_Told, record)
    data = to_bytes(facts.text)
    if hashlib.sha256(data).hexdigest() != facts.document_sha256:
        raise RecordError(f"the text of document {document_id} is not that of its digest")
    frequencies = record.get("doc_freqs")
    if not isinstance(frequencies, dict) or not all(
        type(one) is int and 0 <= one <= facts.n_chunks for one in frequencies.values()
    ):
        raise RecordError("doc_freqs in the answer of the index service are no counts")
    document = Document(
        document_id=document_id,
        sha256=facts.document_sha256,
        language=facts.language,
        n_bytes=len(data),
        origins=origins_of(record),
    )
    return _Fetched(document, facts.text, facts.curated_corpus, frequencies), facts.n_chunks


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    document_sha256: str
    language: str
    text: str
    curated_corpus: str
    n_chunks: int
