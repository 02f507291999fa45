"""Where a model's worker listens, and who may talk to it.

A Unix socket (mode 0600) in `$STARCITE_HOME/run/` (mode 0700); where the path would be longer than
a socket's address can be, in a private folder of the temporary folder. Where the platform has no
Unix sockets: a loopback port with a random token, both in a file that only the user can read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexer import data_home
from lsp_server.errors import WorkerError

MAX_SOCKET_PATH_BYTES = 100  # `sun_path` holds 104 bytes on macOS and 108 on Linux
MAX_LINE_BYTES = 8 << 20
HAS_UNIX_SOCKETS = sys.platform != "win32"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The address of one model's worker; `path` is the socket, or the file with port and token."""

    path: Path
    unix: bool = HAS_UNIX_SOCKETS

    @property
    def lock_path(self) -> Path:
        """Held while a worker is being started, so that there is only one."""
        return self.path.with_suffix(".lock")

    @property
    def log_path(self) -> Path:
        """What the worker's process writes to stderr; never prompts or completions."""
        return self.path.with_suffix(".log")

    async def listen(self, serve: Serve) -> asyncio.Server:
        """Start to listen for clients; call it with the lock held."""
        self.path.unlink(missing_ok=True)
        if self.unix:
            umask = os.umask(0o177)
            try:
                return await asyncio.start_unix_server(
                    serve, path=str(self.path), limit=MAX_LINE_BYTES
                )
            finally:
                os.umask(umask)
        server = await asyncio.start_server(serve, host="127.0.0.1", limit=MAX_LINE_BYTES)
        _write_private(
            self.path,
            {"port": server.sockets[0].getsockname()[1], "token": secrets.token_hex(32)},
        )
        return server

    async def connect(self) -> Streams:
        """Connect and say hello.

        Raises:
            OSError: nobody listens there.
        """
        if self.unix:
            reader, writer = await asyncio.open_unix_connection(
                str(self.path), limit=MAX_LINE_BYTES
            )
        else:
            address = self._read_address()
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", int(address["port"]), limit=MAX_LINE_BYTES
            )
        writer.write(json.dumps({"op": "hello", "token": self.token()}).encode() + b"\n")
        return reader, writer

    def token(self) -> str:
        """What a client must say first; "" where the file system guards the socket."""
        return "" if self.unix else str(self._read_address()["token"])

    def remove(self) -> None:
        """Take the address away, so that nobody new connects."""
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _read_address(self) -> dict[str, Any]:
        try:
            address: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        except ValueError as error:
            raise ConnectionRefusedError(f"{self.path} is being written") from error
        return address


def endpoint_of(model_path: Path, *, unix: bool = HAS_UNIX_SOCKETS) -> Endpoint:
    """The endpoint of a model file's worker: the same for all windows of this user.

    The file's size and time and our version are part of it, so that a replaced model or an
    updated Starcite gets a worker of its own.

    Raises:
        WorkerError: there is no private folder to put it in.
    """
    status = model_path.stat()
    identity = f"{model_path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}\n"
    identity += version("starcite")
    name = f"worker-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.sock"
    path = data_home() / "run" / name
    if unix and len(os.fsencode(path)) > MAX_SOCKET_PATH_BYTES:
        path = Path(tempfile.gettempdir()) / f"starcite-{_user_id()}" / name
    _make_private(path.parent)
    return Endpoint(path=path, unix=unix)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if HAS_UNIX_SOCKETS:
        status = folder.stat()
        if status.st_uid != _user_id():
            raise WorkerError(f"{folder} belongs to another user; set STARCITE_HOME elsewhere")
        folder.chmod(0o700)


def _user_id() -> int:
    return os.getuid() if sys.platform != "win32" else 0


def _write_private(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file)
    partial.replace(path)
