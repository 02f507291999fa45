"""The index that the service answers from: the newest generation, and bounded work on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from attribution.config import ServiceConfig
from attribution.errors import BusyError
from indexer import Index
from indexer.errors import IndexMissingError
from indexer.liveness import Stamp, stamp_of

_Answer = TypeVar("_Answer")
_REPLACING_TRIES, _REPLACING_S = 5, 0.02  # a build puts its index in place by two renames


class ServedIndex:
    """Keeps an index open and opens it anew when it was extended, rewritten or built anew."""

    def __init__(self, path: Path, config: ServiceConfig) -> None:
        self.path = path
        self._config = config
        self._opening = threading.Lock()
        self._index: Index | None = None
        self._stamp: Stamp | None = None
        self._running = CapacityLimiter(config.max_running)
        self._n_asked = 0  # running or waiting; only the event loop's thread counts

    def newest(self) -> Index:
        """The index as it is now; one that it replaces stays readable for those who hold it.

        Raises:
            IndexerError: there is none, or it cannot be read.
        """
        with self._opening:
            stamp = stamp_of(self.path)
            if self._index is None or stamp is None or stamp != self._stamp:
                self._index = self._open()
                self._stamp = stamp  # if it changed since, the next question opens it once more
            return self._index

    async def ask(self, question: Callable[[Index], _Answer]) -> _Answer:
        """Put a question to the newest index in a thread.

        Raises:
            BusyError: too many questions wait already.
            IndexerError: there is no index, or it cannot be read.
        """
        if self._n_asked >= self._config.max_running + self._config.max_waiting:
            raise BusyError(f"{self._n_asked} questions are being looked up; ask again in a moment")
        self._n_asked += 1
        try:
            return await to_thread.run_sync(partial(self._put, question), limiter=self._running)
        finally:
            self._n_asked -= 1

    def _put(self, question: Callable[[Index], _Answer]) -> _Answer:
        return question(self.newest())

    def _open(self) -> Index:
        for _ in range(_REPLACING_TRIES if self._index is not None else 0):
            try:
                return Index.open(self.path)
            except IndexMissingError:
                time.sleep(_REPLACING_S)
        return Index.open(self.path)
