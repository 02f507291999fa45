"""Many texts in one request: a line of NDJSON for each, in the order of the questions."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from attribution.config import ServiceConfig
from attribution.errors import LookTooLongError, WorkerLostError
from attribution.service.answers import Answer, problem
from attribution.service.lanes import Lane


class BatchResponse(StreamingResponse):
    """The answers, each with the number of its line (from 0) and a status of its own.

    A batch has one place at the gate and asks as many questions at a time as the lane has workers:
    it slows others down, but keeps none of them out.
    """

    def __init__(self, lane: Lane, lines: Sequence[bytes], config: ServiceConfig) -> None:
        super().__init__(_answers(lane, lines, config), media_type="application/x-ndjson")
        self._gate = lane.gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._gate.place():
            await super().__call__(scope, receive, send)


async def _answers(
    lane: Lane, lines: Sequence[bytes], config: ServiceConfig
) -> AsyncIterator[bytes]:
    running: deque[asyncio.Task[Answer]] = deque()
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + config.max_batch_s
    try:
        for number, line in enumerate(lines):
            if len(running) == lane.n_at_a_time:
                yield _numbered(number - len(running), await running.popleft())
            question = _answer(lane, line) if loop.time() < give_up_at else _too_late(config)
            running.append(loop.create_task(question))
        while running:
            yield _numbered(len(lines) - len(running), await running.popleft())
    finally:
        for task in running:
            task.cancel()


async def _answer(lane: Lane, line: bytes) -> Answer:
    try:
        return await lane.ask("trace", line)
    except (LookTooLongError, WorkerLostError) as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))


async def _too_late(config: ServiceConfig) -> Answer:
    message = f"the batch took longer than {config.max_batch_s:g} s; send this line again"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, message)


def _numbered(number: int, answer: Answer) -> bytes:
    """The JSON object of an answer with two more fields in front."""
    head = json.dumps({"line": number, "status": int(answer.status)})
    return head[:-1].encode() + b", " + answer.body[1:] + b"\n"
