"""A small LSP client over stdio that can also send what a well-behaved client never would."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TIMEOUT_S = 30.0  # for a loaded machine; nothing waits this long unless it is broken


class LspError(Exception):
    """An error response."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


def encode(message: Mapping[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class LspClient:
    """Drives `starcite lsp --stdio` as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.notifications: list[tuple[str, Any]] = []
        self.answers: dict[str, Callable[[Any], Any]] = {}  # to requests of the server
        self.initialized: dict[str, Any] = {}
        self._changed = asyncio.Condition()
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def spawn(cls, home: Path, *arguments: str) -> LspClient:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", "-m", "starcite", "lsp", "--stdio", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**26,
            env={**os.environ, "STARCITE_HOME": str(home)},
        )
        return cls(process)

    async def initialize(
        self,
        *,
        settings: Any = None,
        capabilities: Mapping[str, Any] | None = None,
        command_links: bool = False,
    ) -> Any:
        options = {"settings": settings, "commandLinks": command_links, "clientVersion": "test"}
        params = {
            "processId": os.getpid(),
            "rootUri": None,
            "capabilities": capabilities or {},
            "initializationOptions": options,
        }
        self.initialized = await self.request("initialize", params)
        self.notify("initialized", {})
        return self.initialized

    def open(self, uri: str, text: str, *, language: str = "python", version: int = 1) -> None:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: Mapping[str, Any]) -> None:
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        self.notify("textDocument/didChange", params)

    async def complete(self, uri: str, line: int, character: int, **context: Any) -> list[Any]:
        params = completion_params(uri, line, character, **context)
        return (await self.request("textDocument/inlineCompletion", params))["items"]

    def send(self, method: str, params: Any) -> tuple[int, asyncio.Future[Any]]:
        message_id = next(self._ids)
        self._pending[message_id] = asyncio.get_running_loop().create_future()
        self.write(encode({"id": message_id, "method": method, "params": params}))
        return message_id, self._pending[message_id]

    async def request(self, method: str, params: Any) -> Any:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.send(method, params)[1]

    def cancel(self, message_id: int) -> None:
        self.notify("$/cancelRequest", {"id": message_id})

    def notify(self, method: str, params: Any) -> None:
        self.write(encode({"method": method, "params": params}))

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def wait_for(self, method: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first notification of that method that fits, also one that has come already."""

        def found() -> list[Any]:
            return [
                params for name, params in self.notifications if name == method and fits(params)
            ]

        async with asyncio.timeout(TIMEOUT_S), self._changed:
            await self._changed.wait_for(found)
            return found()[0]

    async def shut_down(self) -> int:
        await self.request("shutdown", None)
        self.notify("exit", None)
        return await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.process.wait()

    async def stop(self) -> None:
        """End the process, however the test has left it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await self.process.stdin.wait_closed()
        await self.ended()
        await self._reader

    async def errors(self) -> str:
        """What the server has written to standard error, once it has ended."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                header = await self.process.stdout.readuntil(b"\r\n\r\n")
                length = int(header.split(b":")[1].split()[0])
                await self._take(json.loads(await self.process.stdout.readexactly(length)))

    async def _take(self, message: dict[str, Any]) -> None:
        if "method" in message and "id" in message:
            result = self.answers[message["method"]](message["params"])
            self.write(encode({"id": message["id"], "result": result}))
        elif "method" in message:
            async with self._changed:
                self.notifications.append((message["method"], message["params"]))
                self._changed.notify_all()
        else:
            future = self._pending.pop(message["id"])
            if "error" in message:
                future.set_exception(LspError(message["error"]))
            else:
                future.set_result(message["result"])


def completion_params(uri: str, line: int, character: int, **context: Any) -> dict[str, Any]:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2, **context},
    }


def insertion(line: int, character: int, text: str) -> dict[str, Any]:
    at = {"line": line, "character": character}
    return {"range": {"start": at, "end": at}, "text": text}
