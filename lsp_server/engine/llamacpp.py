"""The client side of the worker: an `Engine` whose model lives in another process.

Connects to the worker of the model, starts it where there is none, and starts it again with a
growing pause after it has crashed; what was being generated then ends without further text.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict

from filelock import FileLock

from lsp_server.engine.base import EngineState, GenerateRequest, State, StateListener
from lsp_server.engine.endpoint import Endpoint, Streams, endpoint_of
from lsp_server.errors import ModelError, ModelMissingError, StarciteServerError, WorkerError
from lsp_server.models import DEFAULT_MODEL, open_model

log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
RETRY_PAUSES_S = (0.2, 1.0, 3.0, 10.0, 30.0)  # after the first, second … failure in a row
MISSING_PAUSE_S = 3.0  # how often to look whether a missing model has been fetched

# A worker may outlive the engine that started it, and must be reaped all the same.
_started: list[subprocess.Popen[bytes]] = []


class LlamaCppEngine:
    """A GGUF model behind the worker process; make it with `open_engine`."""

    def __init__(
        self, name_or_path: str, *, idle_exit_s: float = 30.0, worker_options: Sequence[str] = ()
    ) -> None:
        self.name = self._wanted = name_or_path
        self.family, self.corpus_digest = "prefix", ""
        self._idle_exit_s, self._worker_options = idle_exit_s, tuple(worker_options)
        self._state = EngineState(name=self.name, state="loading")
        self._listeners: list[StateListener] = []
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Queue[str | None]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._running = asyncio.create_task(self._run())

    @property
    def state(self) -> EngineState:
        """Whether the model is loaded and its worker answers."""
        return self._state

    def on_state_change(self, listener: StateListener) -> None:
        """Call `listener` on the event loop after every change of state."""
        self._listeners.append(listener)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[str, None]:
        """Yield the model's text; nothing while the model is not ready."""
        request_id = next(self._ids)
        if not self._send("generate", request_id, request):
            return
        answer = self._answers[request_id] = asyncio.Queue()
        try:
            while (piece := await answer.get()) is not None:
                yield piece
        finally:
            self._forget(request_id)

    async def warm(self, request: GenerateRequest) -> None:
        """Read the prompt into the slot of its document; returns when that is done."""
        request_id = next(self._ids)
        if not self._send("warm", request_id, request):
            return
        answer = self._answers[request_id] = asyncio.Queue()
        try:
            while await answer.get() is not None:
                pass
        finally:
            self._forget(request_id)

    async def close(self) -> None:
        """Leave the worker, which ends by itself when the last window has left."""
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    def _send(self, op: str, request_id: int, request: GenerateRequest) -> bool:
        if self._state.state != "ready" or self._writer is None:
            return False
        message = {"op": op, "id": request_id, "request": asdict(request)}
        self._writer.write(json.dumps(message).encode() + b"\n")
        return True

    def _forget(self, request_id: int) -> None:
        """Stop the request in the worker unless it is done."""
        if self._answers.pop(request_id, None) is not None and self._writer is not None:
            self._writer.write(json.dumps({"op": "cancel", "id": request_id}).encode() + b"\n")

    async def _run(self) -> None:
        """Keep a connection to the worker for as long as the engine is open."""
        n_failures = 0
        while True:
            try:
                pause_s = MISSING_PAUSE_S
                self._become("loading")
                reader, writer = await self._connect()
            except ModelMissingError as error:
                self._become("missing", str(error))
            except ModelError as error:
                self._become("error", str(error))
            except (WorkerError, OSError) as error:
                self._become("error", f"the model's worker cannot be reached: {error}")
                pause_s = RETRY_PAUSES_S[min(n_failures, len(RETRY_PAUSES_S) - 1)]
                n_failures += 1
            else:
                was_ready = await self._listen(reader, writer)
                n_failures = 1 if was_ready else n_failures + 1
                pause_s = RETRY_PAUSES_S[min(n_failures, len(RETRY_PAUSES_S)) - 1]
            await asyncio.sleep(pause_s)

    async def _connect(self) -> Streams:
        model = open_model(self._wanted)
        self.name, self.family = model.manifest.name, model.manifest.family
        self.corpus_digest = model.manifest.corpus_digest
        endpoint = endpoint_of(model.path)
        with contextlib.suppress(OSError):
            return await endpoint.connect()
        lock = FileLock(endpoint.lock_path, thread_local=False)
        await asyncio.to_thread(lock.acquire, timeout=START_TIMEOUT_S)
        try:
            with contextlib.suppress(OSError):  # another window was faster
                return await endpoint.connect()
            worker = self._start(endpoint, str(model.path))
            return await _await_worker(endpoint, worker)
        finally:
            lock.release()

    def _start(self, endpoint: Endpoint, model_path: str) -> subprocess.Popen[bytes]:
        _started[:] = [worker for worker in _started if worker.poll() is None]
        command = [sys.executable, "-P", "-m", "lsp_server.worker"]  # -P: never the user's folder
        command += ["--endpoint", str(endpoint.path), "--model", model_path]
        command += ["--idle-exit-s", str(self._idle_exit_s), *self._worker_options]
        with endpoint.log_path.open("wb") as log_file:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log_file,
                start_new_session=True,  # it outlives this window while others use it
            )
        _started.append(worker)
        log.info("worker.started pid=%d", worker.pid)
        return worker

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Deliver what the worker says until it is gone; return whether it was ever ready."""
        self._writer = writer
        was_ready = False
        try:
            while line := await reader.readline():
                message = json.loads(line)
                if "state" in message:
                    self._become(message["state"], message["detail"])
                    was_ready |= message["state"] == "ready"
                elif answer := self._answers.get(message["id"]):
                    self._deliver(answer, message)
        except (OSError, ValueError) as error:
            log.warning("worker.lost reason=%s", type(error).__name__)
        finally:
            self._writer = None
            writer.close()
            for answer in self._answers.values():
                answer.put_nowait(None)
            self._answers.clear()
        if self._state.state != "error":
            self._become("error", "the model's worker ended; it is being started again")
        return was_ready

    def _deliver(self, answer: asyncio.Queue[str | None], message: dict[str, str]) -> None:
        if "piece" in message:
            answer.put_nowait(message["piece"])
            return
        if message["done"] == "error":
            log.warning("worker.refused detail=%s", message["detail"])
        del self._answers[int(message["id"])]
        answer.put_nowait(None)

    def _become(self, state: State, detail: str = "") -> None:
        new = EngineState(name=self.name, state=state, detail=detail)
        if new == self._state:
            return
        self._state = new
        for listener in self._listeners:
            listener(new)


async def open_engine(
    name_or_path: str = DEFAULT_MODEL,
    *,
    idle_exit_s: float = 30.0,
    worker_options: Sequence[str] = (),
) -> LlamaCppEngine:
    """Make an engine for a model; returns at once, the model loads in the background.

    A missing or damaged model is a state, not an exception: the engine looks again now and then,
    so that it comes to life when the model is fetched.
    """
    return LlamaCppEngine(name_or_path, idle_exit_s=idle_exit_s, worker_options=worker_options)


async def _await_worker(endpoint: Endpoint, worker: subprocess.Popen[bytes]) -> Streams:
    """Connect to a worker that has just been started.

    Raises:
        WorkerError: it ended, or did not listen in time.
    """
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(OSError, StarciteServerError):
            return await endpoint.connect()
        if (code := worker.poll()) is not None:
            raise WorkerError(f"it ended with code {code}; see {endpoint.log_path}")
        await asyncio.sleep(0.02)
    worker.terminate()
    raise WorkerError(f"it did not listen within {START_TIMEOUT_S:.0f} s; see {endpoint.log_path}")
