"""Traces text by a service elsewhere: by sending it, or by its fingerprints alone."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from attribution.config import RemoteConfig
from attribution.remote.errors import RemoteError
from attribution.remote.fingerprints import RemoteCandidates
from attribution.remote.records import RecordError, origins_of, read, trace_of
from attribution.remote.transport import Transport
from attribution.tracer import Tracer
from attribution.types import Trace, Verdict
from indexer import Document
from indexer.errors import DocumentForgottenError
from indexer.text.normalize import to_bytes

if TYPE_CHECKING:
    from indexer import Index

WITHOUT_TEXT = ("bm25", "membership")  # views that cannot be asked without sending the text
_NOT_FOUND = 404


class RemoteTracer:
    """A tracer on a service's index; safe to share between threads. Nothing is opened in advance.

    Whatever goes wrong with the service, `trace` answers within its budget: UNKNOWN, with the
    reason. It never says that nothing was found where nobody has looked.
    """

    def __init__(self, config: RemoteConfig) -> None:
        """Raises: RemoteSettingError: the address or the token cannot be used."""
        self._config = config
        self._transport = Transport(config)
        self._lock = threading.Lock()
        self._local: tuple[RemoteCandidates, Tracer] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def source(self, document_id: int) -> tuple[Document, str]:
        """An indexed document and its stored text.

        Raises:
            IndexError: there is no such document any more.
            RemoteError: the service could not be asked.
        """
        path = f"/v1/documents/{document_id}"
        status, record = self._transport.ask(path, None, until=self._until())
        if status == _NOT_FOUND:
            raise DocumentForgottenError(document_id)
        told = read(_Stored, record)
        document = Document(
            document_id=document_id,
            sha256=told.document_sha256,
            language=told.language,
            n_bytes=len(to_bytes(told.text)),
            origins=origins_of(record),
        )
        return document, told.text

    def trace(self, text: str, *, language: str = "python", with_leads: bool = False) -> Trace:
        """Where the text came from, as the service's index has it; see `Tracer.trace`."""
        started = time.perf_counter()
        try:
            if self._config.fingerprints_only:
                found = self._by_fingerprints(text, language, with_leads=with_leads)
            else:
                found = self._by_text(text, language, with_leads=with_leads)
        except RemoteError as error:
            found = Trace(verdict=Verdict.UNKNOWN, reason=str(error))
        return replace(found, elapsed_ms=(time.perf_counter() - started) * 1000)

    def _by_text(self, text: str, language: str, *, with_leads: bool) -> Trace:
        asked = {"text": text, "language": language, "leads": with_leads}
        status, record = self._transport.ask("/v1/trace", asked, until=self._until())
        if status >= 400:
            raise RemoteError(f"the index service refuses the text: {record.get('error')!s:.200}")
        return trace_of(record)

    def _by_fingerprints(self, text: str, language: str, *, with_leads: bool) -> Trace:
        """Trace here with candidates from there; once more if the index was changed meanwhile."""
        until = self._until()
        found = Trace(verdict=Verdict.UNKNOWN)
        for _ in range(2):
            candidates, tracer = self._generation(until)
            candidates.give(until)
            found = tracer.trace(text, language=language, with_leads=with_leads)
            if not candidates.is_outdated:
                break
        return replace(found, missing_views=(*found.missing_views, *WITHOUT_TEXT))

    def _generation(self, until: float) -> tuple[RemoteCandidates, Tracer]:
        with self._lock:
            known = self._local
        if known is None or known[0].is_outdated:
            candidates = RemoteCandidates(self._transport, self._config, until=until)
            known = candidates, Tracer(cast("Index", candidates))
            with self._lock:
                self._local = known
        return known

    def _until(self) -> float:
        return time.monotonic() + self._config.timeout_ms / 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stored:
    document_sha256: str
    language: str
    text: str


__all__ = ["RecordError", "RemoteTracer"]
