"""One piece of work at a time: the newest wins."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Latest:
    """Runs the newest work only: it cancels the one before, whose caller gets None."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None

    async def run(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None once newer work took its place.

        Raises:
            asyncio.CancelledError: at once when the caller is cancelled; the work is told so too.
        """
        self.cancel()
        task = self._task = asyncio.ensure_future(work)
        task.add_done_callback(_look_at_exception)
        try:
            await asyncio.wait([task])  # not `await task`: a slow stop must not delay the answer
        except asyncio.CancelledError:
            task.cancel()
            raise
        return None if task.cancelled() else task.result()

    def cancel(self) -> None:
        """Stop what is running, if anything is."""
        if self._task is not None:
            self._task.cancel()


def _look_at_exception(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # the caller may be gone; asyncio would report it as never retrieved
