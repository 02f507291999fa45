"""Where questions are looked up: in threads of this process, or in processes of their own.

A lane takes a bounded number of questions; the next one is told to come back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from anyio import CapacityLimiter, to_thread

from attribution.config import ServiceConfig
from attribution.errors import BusyError
from attribution.service.answers import Answer, Answerer
from attribution.service.place import Place


class Gate:
    """Counts the questions that run or wait; only the event loop's thread uses it."""

    def __init__(self, n_places: int) -> None:
        self.n_places = n_places
        self.n_taken = 0
        self.n_refused = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one question, or for a batch of them.

        Raises:
            BusyError: all are taken.
        """
        if self.n_taken >= self.n_places:
            self.n_refused += 1
            raise BusyError(f"{self.n_taken} questions are being looked up; ask again in a moment")
        self.n_taken += 1
        try:
            yield
        finally:
            self.n_taken -= 1


class Lane(Protocol):
    """Something that answers questions; whoever asks has taken a place at its gate before."""

    gate: Gate
    n_at_a_time: int
    n_replaced: int  # workers that were lost or took too long

    async def start(self) -> None:
        """Be ready before the first question; a question also starts what is not started."""

    async def ask(self, name: str, body: bytes) -> Answer:
        """The answer to a question.

        Raises:
            LookTooLongError: it took too long and was given up.
            WorkerLostError: it could not be looked up.
        """

    async def close(self) -> None:
        """Let go of everything; nothing may be under way."""


class ThreadLane:
    """Looks up in threads: nothing to start, but one processor is all that it uses of Python."""

    def __init__(self, place: Place, config: ServiceConfig) -> None:
        self.n_at_a_time = config.max_running
        self.n_replaced = 0
        self.gate = Gate(config.max_running + config.max_waiting)
        self._answerer = Answerer(place, config)
        self._running = CapacityLimiter(config.max_running)

    async def start(self) -> None:
        """Nothing is to be started."""

    async def ask(self, name: str, body: bytes) -> Answer:
        """The answer to a question; a thread cannot be given up, so no time limit holds."""
        work = partial(self._answerer.answer, name, body)
        return await to_thread.run_sync(work, limiter=self._running)

    async def close(self) -> None:
        """Let go of connections, if there are any."""
        self._answerer.close()
