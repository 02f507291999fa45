"""Traces by an index in Elasticsearch: candidates come from there, alignment and judging stay."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import cast

from attribution.tracer import Tracer
from attribution.types import Trace, Verdict
from indexer import Document, Index, IndexerError
from indexer.config import ELASTIC_NAME
from indexer.elastic.generations import newest
from indexer.elastic.index import ElasticIndex
from indexer.elastic.server import Server, connect

_LOOK_AGAIN_S = 1.0  # between two looks at what the alias stands for


class ElasticTracer:
    """A tracer on whatever an alias stands for; safe to share between threads.

    Each answer is of one generation of the index. Where that was replaced while it was asked, the
    question is asked once more, of the next one.
    """

    def __init__(self, server: Server) -> None:
        """Raises: ElasticError: there is no index under that name, or it cannot be read."""
        self._server = server
        self._lock = threading.Lock()
        self._tracer = self._opened()
        self._looked_at = time.monotonic()

    @classmethod
    def open(cls, urls: Sequence[str], *, name: str = ELASTIC_NAME) -> ElasticTracer:
        """A tracer on the index of that name in the cluster at these addresses.

        Raises:
            ElasticError: the cluster or the index cannot be asked.
        """
        server = connect(urls, name=name)
        try:
            return cls(server)
        except BaseException:
            server.close()
            raise

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def newest(self, *, is_sure: bool = False) -> Tracer:
        """A tracer on the generation that the alias stands for now, or (unless sure) a second ago.

        Raises:
            ElasticError: it cannot be asked.
        """
        with self._lock:
            if is_sure or time.monotonic() - self._looked_at >= _LOOK_AGAIN_S:
                if newest(self._server) != _of(self._tracer).name:
                    self._tracer = self._opened()
                self._looked_at = time.monotonic()
            return self._tracer

    def trace(self, text: str, *, language: str = "python", with_leads: bool = False) -> Trace:
        """Where the text came from; see `Tracer.trace`."""
        try:
            tracer = self.newest()
            while True:
                trace = tracer.trace(text, language=language, with_leads=with_leads)
                asked, tracer = tracer, self.newest(is_sure=True) if trace.reason else tracer
                if tracer is asked:
                    return trace
        except IndexerError as error:
            return Trace(verdict=Verdict.UNKNOWN, reason=str(error))

    def source(self, document_id: int) -> tuple[Document, str]:
        """An indexed document and its stored text, as `Tracer.source`.

        Raises:
            IndexerError: there is no such document, or it cannot be read.
        """
        return self.newest().source(document_id)

    def _opened(self) -> Tracer:
        return Tracer(cast("Index", ElasticIndex(self._server)))


def _of(tracer: Tracer) -> ElasticIndex:
    return cast("ElasticIndex", tracer.index)
