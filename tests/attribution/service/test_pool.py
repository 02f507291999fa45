"""Worker processes: each may die, hang or be asked too much, and the next question is answered."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.config import ServiceConfig
from attribution.errors import LookTooLongError, WorkerLostError
from attribution.service.answers import Answer, Answerer
from attribution.service.pool import ProcessLane
from attribution.service.worker import ANSWER_HEAD, question_frame, run
from tests.attribution.conftest import CART

QUESTION = json.dumps({"text": CART}).encode()


async def with_lane(
    index: Path,
    act: Callable[[ProcessLane], Awaitable[None]],
    *,
    n_workers: int = 1,
    max_answer_s: float = 60.0,
) -> ProcessLane:
    config = ServiceConfig()
    lane = ProcessLane(index, config, n_workers=n_workers, max_answer_s=max_answer_s)
    try:
        await act(lane)
    finally:
        await lane.close()
    return lane


def verdict(answer: Answer) -> str:
    found: str = json.loads(answer.body)["results"][0]["verdict"]
    return found


def test_workers_answer_side_by_side_and_end_with_the_lane(index_path: Path) -> None:
    """Every question gets its own answer, and no process is left."""

    async def act(lane: ProcessLane) -> None:
        await lane.start()
        pids.extend(lane.pids)
        none = json.dumps({"text": "x = 1"}).encode()
        asked = [QUESTION, none] * 8
        answers = await asyncio.gather(*(lane.ask("trace", one) for one in asked))
        assert [verdict(one) for one in answers] == ["found", "none"] * 8

    pids: list[int] = []
    asyncio.run(with_lane(index_path, act, n_workers=2))

    assert len(pids) == 2
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_a_killed_worker_costs_no_answer(index_path: Path) -> None:
    """kill -9 of every worker, idle or not: the question goes to its successor."""

    async def act(lane: ProcessLane) -> None:
        await lane.start()
        for _ in range(3):
            for pid in lane.pids:
                os.kill(pid, signal.SIGKILL)
            assert verdict(await lane.ask("trace", QUESTION)) == "found"

    lane = asyncio.run(with_lane(index_path, act))

    assert lane.n_replaced == 3


def test_a_worker_that_hangs_is_replaced(index_path: Path) -> None:
    """A question that takes too long is given up, and its worker with it."""

    async def act(lane: ProcessLane) -> None:
        await lane.start()
        pids.extend(lane.pids)
        os.kill(pids[0], signal.SIGSTOP)
        with pytest.raises(LookTooLongError, match="given up after 2 s"):
            await lane.ask("trace", QUESTION)
        await asyncio.gather(*lane._replacing)
        pids.extend(lane.pids)

    pids: list[int] = []
    lane = asyncio.run(with_lane(index_path, act, max_answer_s=2.0))

    assert (lane.n_replaced, len(set(pids))) == (1, 2)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


def test_workers_that_die_at_once_are_told_of(
    index_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no worker lives, a question ends with that and not with waiting."""
    monkeypatch.setattr("attribution.service.worker.sys.executable", "/bin/false")

    async def act(lane: ProcessLane) -> None:
        with pytest.raises(WorkerLostError):
            await lane.ask("trace", QUESTION)

    asyncio.run(with_lane(index_path, act))


def test_what_a_client_gives_up_is_not_worked_on(index_path: Path) -> None:
    """A cancelled question frees its place: the worker is replaced and answers the next one."""

    async def act(lane: ProcessLane) -> None:
        await lane.start()
        (pid,) = lane.pids
        os.kill(pid, signal.SIGSTOP)
        task = asyncio.create_task(lane.ask("trace", QUESTION))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        assert verdict(await lane.ask("trace", QUESTION)) == "found"

    lane = asyncio.run(with_lane(index_path, act))

    assert lane.n_replaced == 1


@given(data=st.binary(max_size=40))
def test_a_worker_reads_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Frames that end early end the worker; those that are whole are answered."""
    answerer = Answerer(tmp_path_factory.getbasetemp() / "none", ServiceConfig())
    answers = io.BytesIO()
    run(answerer, io.BytesIO(question_frame("index", b"{}") + data), answers)
    status, n_bytes = ANSWER_HEAD.unpack_from(answers.getvalue())

    assert status == 503
    assert b"no index in" in answers.getvalue()[ANSWER_HEAD.size : ANSWER_HEAD.size + n_bytes]
