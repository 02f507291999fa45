"""The index in Elasticsearch that the service answers from, always the one its alias stands for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import cast

from attribution.elastic import ElasticTracer
from attribution.service.served_index import Generation
from indexer.elastic.forget import resolve
from indexer.elastic.index import ElasticIndex
from indexer.elastic.server import connect

# So that a cluster that is slow or gone costs less than the time after which a worker is replaced.
_REQUEST_S = 4.0
_MAX_RETRIES = 1  # of a request, on another node where there are several


class ServedElastic:
    """Connects when it is first asked, and again until somebody answers."""

    def __init__(self, urls: Sequence[str], *, name: str) -> None:
        self._urls, self._name = urls, name
        self._connecting = threading.Lock()
        self._tracer: ElasticTracer | None = None

    def newest(self) -> Generation:
        """The index that the alias stands for now; documents are read anew for each question.

        Raises:
            ElasticError: nobody answers, there is no such index, or it cannot be read.
        """
        with self._connecting:
            if self._tracer is None:
                self._tracer = self._connected()
            traces = self._tracer
        tracer = traces.newest(is_sure=True)
        index = cast("ElasticIndex", tracer.index)
        index.let_go()
        return Generation(
            tracer=tracer,
            traces=traces,
            resolve=partial(resolve, index),
            name=f"{index.name} {index.manifest.corpus_digest[:16]}",
            number=index.number,
            has_membership=False,
        )

    def look(self) -> Generation:
        """The same, and that all of it can be searched.

        Raises:
            ElasticError: it cannot.
        """
        newest = self.newest()
        cast("ElasticIndex", newest.index).check()
        return newest

    def close(self) -> None:
        """Close the connections; the next question makes new ones."""
        with self._connecting:
            if self._tracer is not None:
                self._tracer.close()
            self._tracer = None

    def _connected(self) -> ElasticTracer:
        server = connect(
            self._urls, name=self._name, request_s=_REQUEST_S, max_retries=_MAX_RETRIES
        )
        try:
            return ElasticTracer(server)
        except BaseException:
            server.close()
            raise
