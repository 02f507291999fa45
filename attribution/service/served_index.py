"""The index in a folder that the service answers from, always in its newest generation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from attribution.tracer import Tracer
from attribution.types import Trace
from indexer import Index
from indexer.errors import IndexMissingError
from indexer.liveness import Stamp, stamp_of
from indexer.optout.resolve import Resolution, resolve

_REPLACING_TRIES, _REPLACING_S = 5, 0.02  # a build puts its index in place by two renames


class Traces(Protocol):
    """Something that traces texts."""

    def trace(self, text: str, *, language: str = "python", with_leads: bool = False) -> Trace:
        """Where the text came from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """One state of an index; document ids hold for one state."""

    tracer: Tracer
    traces: Traces  # by this state, or by the next one if that took its place meanwhile
    resolve: Callable[..., Resolution]  # a selector, and whom to tell of the progress
    name: str  # what tells it from every other state of any index
    number: int  # which state it is
    has_membership: bool = True

    @property
    def index(self) -> Index:
        """The index in this state."""
        return self.tracer.index


class ServedIndex:
    """Keeps an index open and opens it anew when it was extended, rewritten or built anew.

    Safe to share between threads. Whoever holds a generation may go on with it: the files of an
    older one stay open until nobody does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opening = threading.Lock()
        self._newest: Generation | None = None
        self._stamp: Stamp | None = None

    def newest(self) -> Generation:
        """The index as it is now.

        Raises:
            IndexerError: there is none, or it cannot be read.
        """
        with self._opening:
            stamp = stamp_of(self.path)
            if self._newest is None or stamp is None or stamp != self._stamp:
                index = self._open()
                self._newest = _generation(index)
                self._stamp = stamp  # if it changed since, the next question opens it once more
            return self._newest

    def look(self) -> Generation:
        """The same: what is open answers."""
        return self.newest()

    def close(self) -> None:
        """Nothing is held but what the garbage collector finds."""

    def _open(self) -> Index:
        for _ in range(_REPLACING_TRIES if self._newest is not None else 0):
            try:
                return Index.open(self.path)
            except IndexMissingError:
                time.sleep(_REPLACING_S)
        return Index.open(self.path)


def _generation(index: Index) -> Generation:
    tracer, manifest = Tracer(index), index.manifest
    return Generation(
        tracer=tracer,
        traces=tracer,
        resolve=partial(resolve, index),
        name=manifest.checksum[:16],
        number=manifest.generation,
    )
