"""Does what need not be done at once in a second thread, in order and not far behind.

Compressing, hashing and signing are done by code that lets go of the interpreter's lock, so that
the caller goes on reading on another core meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

_MOST_WAITING = 32  # calls, each with a file: enough to keep two cores busy, few for memory


class Behind:
    """One thread that makes calls in the order in which they come; left, all of them are made."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="starcite-behind")
        self._waiting: deque[Future[None]] = deque()

    def do(self, call: Callable[..., None], *arguments: Any) -> None:
        """Have `call` made; what an earlier one raised is raised here, or when this is left."""
        self._waiting.append(self._pool.submit(call, *arguments))
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        while kind is None and self._waiting:
            self._waiting.popleft().result()
