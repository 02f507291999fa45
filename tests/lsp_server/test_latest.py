"""The newest piece of work wins."""

from __future__ import annotations

import asyncio

import pytest

from lsp_server.latest import Latest


async def test_newer_work_cancels_the_one_before() -> None:
    """The older caller gets None as soon as newer work begins, and its work is told to stop."""
    latest, started, stopped = Latest(), asyncio.Event(), asyncio.Event()

    async def for_ever() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "never"

    async def quick() -> str:
        return "new"

    older = asyncio.create_task(latest.run(for_ever()))
    await started.wait()

    assert await latest.run(quick()) == "new"
    assert await older is None
    assert stopped.is_set()


async def test_a_cancelled_caller_leaves_before_slow_work_has_stopped() -> None:
    """Cancelling answers at once even where the work takes its time to stop."""
    latest, started = Latest(), asyncio.Event()
    told, may_stop = asyncio.Event(), asyncio.Event()

    async def slow_to_stop() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.set()
            await may_stop.wait()
            raise

    caller = asyncio.create_task(latest.run(slow_to_stop()))
    await started.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.wait_for(told.wait(), timeout=10)

    assert not may_stop.is_set()
    may_stop.set()


async def test_an_error_reaches_the_caller() -> None:
    """Work that fails fails for the one who asked."""

    async def fails() -> None:
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        await Latest().run(fails())
