"""A lane of worker processes: each answers one question at a time, and any of them may die."""

from __future__ import annotations

import asyncio
import contextlib

from attribution.config import ServiceConfig
from attribution.errors import LookTooLongError, WorkerLostError
from attribution.service.answers import Answer
from attribution.service.lanes import Gate
from attribution.service.place import Place
from attribution.service.worker import ANSWER_HEAD, command, question_frame

_STOP_S = 5.0  # how long a worker may take to end; it has nothing to do by then


class Worker:
    """A process, started when it is first needed and again after it was lost."""

    def __init__(self, place: Place, config: ServiceConfig) -> None:
        self._command = command(place, config)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process's number; 0 if none runs."""
        return 0 if self._process is None else self._process.pid

    async def ask(self, name: str, body: bytes) -> Answer:
        """Put a question and wait for the answer.

        Raises:
            EOFError, OSError: the process has died, or cannot be started.
        """
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            raise EOFError("a process without pipes")
        questions.write(question_frame(name, body))
        await questions.drain()
        status, n_bytes = ANSWER_HEAD.unpack(await answers.readexactly(ANSWER_HEAD.size))
        return Answer(status, await answers.readexactly(n_bytes))

    async def stop(self) -> None:
        """End the process by ending its input; one that does not follow is killed."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            await _kill(process)

    async def kill(self) -> None:
        """End the process at once, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            await _kill(process)


class ProcessLane:
    """Looks up in worker processes, which use as many processors as there are workers."""

    def __init__(
        self, place: Place, config: ServiceConfig, *, n_workers: int, max_answer_s: float
    ) -> None:
        self.n_at_a_time = n_workers
        self.n_replaced = 0
        self.gate = Gate(n_workers + config.max_waiting)
        self._max_answer_s = max_answer_s
        self._workers = [Worker(place, config) for _ in range(n_workers)]
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        self._replacing: set[asyncio.Task[None]] = set()
        for worker in self._workers:
            self._idle.put_nowait(worker)

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [worker.pid for worker in self._workers if worker.pid]

    async def start(self) -> None:
        """Start every worker and let it open the index, before the first client asks."""
        workers = [self._idle.get_nowait() for _ in self._workers]
        await asyncio.gather(*(self._renew(worker) for worker in workers))

    async def ask(self, name: str, body: bytes) -> Answer:
        """The answer to a question; if a worker dies of it, another one is asked once more.

        Raises:
            LookTooLongError: it took too long; its worker is replaced.
            WorkerLostError: two workers in a row have died.
        """
        try:
            async with asyncio.timeout(self._max_answer_s):
                return await self._ask(name, body) or await self._ask_last(name, body)
        except TimeoutError:
            raise LookTooLongError(
                f"given up after {self._max_answer_s:g} s; ask for less, or again later"
            ) from None

    async def close(self) -> None:
        """End every worker."""
        for task in self._replacing:
            task.cancel()
        await asyncio.gather(*self._replacing, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def _ask_last(self, name: str, body: bytes) -> Answer:
        answer = await self._ask(name, body)
        if answer is None:
            raise WorkerLostError("the workers of this service die; ask its keeper to look at it")
        return answer

    async def _ask(self, name: str, body: bytes) -> Answer | None:
        """The answer of an idle worker; None if it died."""
        worker = await self._idle.get()
        try:
            answer = await worker.ask(name, body)
        except (EOFError, OSError):
            self._replace(worker)
            return None
        except asyncio.CancelledError:  # nobody waits any more for what it does
            self._replace(worker)
            raise
        self._idle.put_nowait(worker)
        return answer

    def _replace(self, worker: Worker) -> None:
        self.n_replaced += 1
        task = asyncio.get_running_loop().create_task(self._renew(worker))
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _renew(self, worker: Worker) -> None:
        await worker.kill()
        with contextlib.suppress(EOFError, OSError):  # whoever asks it next will see
            await worker.ask("index", b"{}")
        self._idle.put_nowait(worker)


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
