"""The worker: one process that holds a model for all windows of a user.

Started by the first window as `python -m lsp_server.worker --endpoint … --model …`; ends by
itself some time after the last window has gone. Clients speak newline-delimited JSON, one object
a line, UTF-8, over the socket of `engine.endpoint`:

client → worker
    {"op": "hello", "token": "…"}            first; the token is "" on a Unix socket
    {"op": "generate", "id": 7, "request": {…}}   the fields of `GenerateRequest`
    {"op": "warm", "id": 8, "request": {…}}       reads the prompt into the cache, writes nothing
    {"op": "cancel", "id": 7}
worker → client
    {"state": "loading" | "ready" | "error", "detail": "…"}   after hello and after each change
    {"id": 7, "piece": "…"}
    {"id": 7, "done": "end" | "cancelled" | "error", "detail": "…"}   exactly one per request

A client's newest request wins: it stops the client's older ones. Each document keeps a slot, and
with it the cached prefix of its prompt, until other documents have used all slots since.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.endpoint import HAS_UNIX_SOCKETS, Endpoint
from lsp_server.engine.loop import ModelLoop, ScriptedLoop
from lsp_server.errors import StarciteServerError, WorkerError

log = logging.getLogger(__name__)


class Slots:
    """Which slot serves which document; the slot that was used longest ago is given away."""

    def __init__(self, n_slots: int) -> None:
        self._documents: OrderedDict[str, int] = OrderedDict()
        self._free = list(range(n_slots))
        self._locks = [asyncio.Lock() for _ in range(n_slots)]

    def of(self, document: str) -> tuple[int, asyncio.Lock]:
        """The document's slot and the lock to hold while using it."""
        if document not in self._documents:
            slot = self._free.pop() if self._free else self._documents.popitem(last=False)[1]
            self._documents[document] = slot
        self._documents.move_to_end(document)
        slot = self._documents[document]
        return slot, self._locks[slot]


@dataclass(eq=False)
class _Client:
    writer: asyncio.StreamWriter
    stops: dict[int, threading.Event] = field(default_factory=dict)

    def send(self, **message: Any) -> None:
        if not self.writer.is_closing():
            self.writer.write(json.dumps(message).encode() + b"\n")

    def stop_all(self) -> None:
        for stop in self.stops.values():
            stop.set()


class Worker:
    """Serves one model's loop to any number of clients until nobody has been there for a while."""

    def __init__(
        self, load: Callable[[], ModelLoop], endpoint: Endpoint, *, idle_exit_s: float
    ) -> None:
        self._load, self._endpoint, self._idle_exit_s = load, endpoint, idle_exit_s
        self._clients: set[_Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._state: dict[str, str] = {"state": "loading", "detail": ""}
        self._loop: ModelLoop | None = None
        self._slots = Slots(1)
        self._idle = asyncio.Event()

    async def serve(self) -> None:
        """Listen, load the model, and return once nobody has been connected for `idle_exit_s`."""
        server = await self._endpoint.listen(self._serve_client)
        self._keep(self._load_model())
        await self._wait_until_idle()
        self._endpoint.remove()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait_until_idle(self) -> None:
        self._idle.set()
        while True:
            await self._idle.wait()
            await asyncio.sleep(self._idle_exit_s)
            if not self._clients:
                return

    async def _load_model(self) -> None:
        try:
            loop = await asyncio.to_thread(self._load)
        except (StarciteServerError, RuntimeError, OSError, ValueError) as error:
            self._change_state("error", f"the model could not be loaded: {error}")
            return
        self._loop, self._slots = loop, Slots(loop.n_slots)
        self._change_state("ready", "")

    def _change_state(self, state: str, detail: str) -> None:
        self._state = {"state": state, "detail": detail}
        for client in self._clients:
            client.send(**self._state)

    async def _serve_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        client = _Client(writer)
        with contextlib.suppress(ConnectionError, ValueError, KeyError, TypeError):
            hello = json.loads(await reader.readline())
            if hmac.compare_digest(str(hello["token"]), self._endpoint.token()):
                self._clients.add(client)
                self._idle.clear()
                client.send(**self._state)
                while line := await reader.readline():
                    self._handle(client, json.loads(line))
        client.stop_all()
        self._clients.discard(client)
        writer.close()
        if not self._clients:
            self._idle.set()

    def _handle(self, client: _Client, message: dict[str, Any]) -> None:
        request_id = int(message["id"])
        if message["op"] == "cancel":
            if stop := client.stops.get(request_id):
                stop.set()
            return
        fields = message["request"]
        request = GenerateRequest(**{**fields, "stop": tuple(fields["stop"])})
        if message["op"] == "warm":
            request = replace(request, max_tokens=0, forced="")
        client.stop_all()
        client.stops[request_id] = threading.Event()
        self._keep(self._answer(client, request_id, request))

    async def _answer(self, client: _Client, request_id: int, request: GenerateRequest) -> None:
        stop = client.stops[request_id]
        done, detail = "end", ""
        try:
            loop = self._loaded()
            slot, lock = self._slots.of(request.document)
            async with lock:
                if not stop.is_set():
                    await self._run(loop, client, request_id, request, slot)
            done = "cancelled" if stop.is_set() else "end"
        except WorkerError as error:
            done, detail = "error", str(error)
        finally:
            stop.set()
            del client.stops[request_id]
            client.send(id=request_id, done=done, detail=detail)

    def _loaded(self) -> ModelLoop:
        if self._loop is None:
            raise WorkerError(self._state["detail"] or "the model is still loading")
        return self._loop

    async def _run(
        self, loop: ModelLoop, client: _Client, request_id: int, request: GenerateRequest, slot: int
    ) -> None:
        events, stop = asyncio.get_running_loop(), client.stops[request_id]

        def step(piece: str) -> bool:
            if piece and not stop.is_set():
                events.call_soon_threadsafe(lambda: client.send(id=request_id, piece=piece))
            return not stop.is_set()

        await asyncio.to_thread(loop.run, request, slot, step)

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _loader(arguments: argparse.Namespace) -> Callable[[], ModelLoop]:
    if arguments.script:
        script = json.loads(arguments.script.read_text("utf-8"))
        return lambda: ScriptedLoop(script["answers"], script.get("delay_ms", 0))

    if arguments.model.suffix == ".onnx":
        return lambda: _load_onnx(arguments.model)
    if arguments.model.suffix == ".safetensors":
        return lambda: _load_folder(arguments.model.parent)

    def load() -> ModelLoop:
        try:
            from lsp_server.engine.xllama import XllamaLoop  # noqa: PLC0415 - 100 MB of native code
        except ImportError as error:  # a bare Debian has no libgomp
            raise WorkerError(
                f"llama.cpp cannot be loaded ({error}); "
                "install what is missing, such as: apt-get install libgomp1"
            ) from error
        return XllamaLoop(arguments.model)

    return load


def _load_onnx(path: Path) -> ModelLoop:
    from lsp_server.engine.onnx_loop import OnnxLoop  # noqa: PLC0415 - 30 MB of native code

    return OnnxLoop(path)


def _load_folder(folder: Path) -> ModelLoop:
    from lsp_server.engine.transformers_loop import TransformersLoop  # noqa: PLC0415 - torch

    return TransformersLoop(folder)


def main() -> None:
    """Run the worker until it has been idle for long enough."""
    parser = argparse.ArgumentParser(prog="python -m lsp_server.worker")
    parser.add_argument("--endpoint", type=Path, required=True, help="the socket to listen on")
    parser.add_argument("--tcp", action="store_true", help="--endpoint is a file with a port")
    parser.add_argument("--model", type=Path, help="a .gguf, model.onnx or .safetensors file")
    parser.add_argument("--script", type=Path, help="a JSON file with answers, for tests")
    parser.add_argument("--idle-exit-s", type=float, default=30.0)
    arguments = parser.parse_args()
    endpoint = Endpoint(path=arguments.endpoint, unix=HAS_UNIX_SOCKETS and not arguments.tcp)
    worker = Worker(_loader(arguments), endpoint, idle_exit_s=arguments.idle_exit_s)
    asyncio.run(worker.serve())


if __name__ == "__main__":
    main()
