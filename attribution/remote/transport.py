"""Asks a service by HTTP within a deadline that holds for the whole exchange.

A socket's own timeout starts anew with every byte: a service that sends one a second is waited for
without end. Here each read waits for no longer than what is left of the budget.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attribution.config import RemoteConfig
from attribution.remote.breaker import Breaker
from attribution.remote.errors import RemoteError, RemoteSettingError

_READ_BYTES = 1 << 18
_MAX_IDLE = 4  # connections kept open between questions
_SCHEMES = {"http": 80, "https": 443}
Record = Mapping[str, Any]


class Transport:
    """Connections to one service, kept open between questions; safe to share between threads."""

    def __init__(self, config: RemoteConfig) -> None:
        self._config = config
        self._host, self._port, self._is_tls, self._base = _address(config.url)
        self._headers = {"Accept": "application/json", "User-Agent": "starcite"}
        if config.token:
            self._headers["Authorization"] = f"Bearer {_sendable(config.token)}"
        self._breaker = Breaker(config)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []

    def ask(self, path: str, record: Record | None, *, until: float) -> tuple[int, Record]:
        """The status and the JSON object of an answer: GET, or POST of a record.

        Args:
            path: below the service's address.
            record: what to post; None to get.
            until: when to give up, on the clock of `time.monotonic`.

        Raises:
            RemoteError: the service rests, does not answer in time, fails, or sends no JSON.
        """
        self._breaker.check()
        try:
            status, body = self._exchange(path, record, until)
            answer = _answer(status, body)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            why = "does not answer in time" if isinstance(error, TimeoutError) else _reason(error)
            failure = RemoteError(f"the index service at {self._config.url} {why}")
            self._breaker.failed(str(failure))
            raise failure from error
        self._breaker.succeeded()
        return status, answer

    def close(self) -> None:
        """Close what is open; the next question opens a connection again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, path: str, record: Record | None, until: float) -> tuple[int, bytes]:
        """One question; on a connection that the service has closed meanwhile, asked once more."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            with contextlib.suppress(http.client.BadStatusLine, ConnectionError):
                return self._over(kept, path, record, until)
        return self._over(self._connection(), path, record, until)

    def _over(
        self, connection: _Connection, path: str, record: Record | None, until: float
    ) -> tuple[int, bytes]:
        try:
            status, body = connection.exchange(
                "GET" if record is None else "POST",
                self._base + path,
                None if record is None else json.dumps(record).encode(),
                self._headers,
                until=until,
                max_bytes=self._config.max_answer_bytes,
            )
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # else the service has said that it closes
            with self._lock:
                if len(self._idle) < _MAX_IDLE:
                    self._idle.append(connection)
                    return status, body
            connection.close()
        return status, body

    def _connection(self) -> _Connection:
        context = ssl.create_default_context() if self._is_tls else None
        return _Connection(self._host, self._port, tls=context)


class _Connection(http.client.HTTPConnection):
    """A connection whose reads and writes end at a deadline."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._tls = tls
        self._until = 0.0
        self._patient: _Patient | None = None

    def connect(self) -> None:
        """Connect, and shake hands where that is asked for, within the deadline."""
        self.timeout = _left(self._until)
        super().connect()
        if self._tls is not None:
            self.sock.settimeout(_left(self._until))
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
        self._patient = _Patient(self.sock, self._until)
        self.sock = self._patient

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        until: float,
        max_bytes: int,
    ) -> tuple[int, bytes]:
        """The status and the body of an answer.

        Raises:
            OSError: TimeoutError among them.
            HTTPException: what came back is no HTTP.
            ValueError: it is longer than `max_bytes`.
        """
        self._until = until
        if self._patient is not None:
            self._patient.until = until
        kind = {} if body is None else {"Content-Type": "application/json"}
        self.request(method, path, body, {**headers, **kind})
        data = bytearray()
        with self.getresponse() as response:
            while part := response.read(_READ_BYTES):
                data += part
                if len(data) > max_bytes:
                    raise ValueError(f"an answer of more than {max_bytes:,} bytes")
        return response.status, bytes(data)


class _Patient:
    """A socket as http.client uses it, each of whose steps ends at `until`."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self.until = until

    def sendall(self, data: bytes) -> None:
        self.limit()
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self, self._sock.makefile("rb", buffering=0)))

    def limit(self) -> None:
        """Let the next step take no longer than what is left."""
        self._sock.settimeout(_left(self.until))

    def close(self) -> None:
        self._sock.close()  # as soon as what was made of it is closed, too


class _Incoming(io.RawIOBase):
    def __init__(self, patient: _Patient, raw: socket.SocketIO) -> None:
        super().__init__()
        self._patient, self._raw = patient, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._patient.limit()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _address(url: str) -> tuple[str, int, bool, str]:
    """Host, port, whether by TLS, and the path before every path.

    Raises:
        RemoteSettingError: it is no address of a service.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RemoteSettingError(f"the address {url!r} cannot be read: {error}") from error
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise RemoteSettingError(
            f"{url!r} is no address of a service; write https://host or http://"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise RemoteSettingError(
            "the address of a service has a name, a query or a fragment in it; leave them out, and "
            "put the token into a file"
        )
    if any(not " " < char < "\x7f" for char in parts.path + parts.hostname):
        raise RemoteSettingError(f"the address {url!r} holds a character that none can have")
    is_tls = parts.scheme == "https"
    return parts.hostname, port or _SCHEMES[parts.scheme], is_tls, parts.path.rstrip("/")


def _sendable(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise RemoteSettingError("the token holds a character that no header can")
    return token


def _answer(status: int, body: bytes) -> Record:
    """The JSON object of an answer.

    Raises:
        ValueError: it is none, or the service could not look.
    """
    try:
        record = json.loads(body)
    except ValueError:
        record = None
    if status >= 500 or status in {401, 403, 421, 429}:
        told = record.get("error") if isinstance(record, dict) else None
        raise ValueError(
            f"status {status}: {told}" if isinstance(told, str) else f"status {status}"
        )
    if not isinstance(record, dict):
        raise ValueError(f"status {status}, and what it sends is no JSON object")  # noqa: TRY004
    return record


def _reason(error: Exception) -> str:
    if isinstance(error, ValueError):
        return f"answers with {error}"
    return f"cannot be asked: {getattr(error, 'strerror', None) or error or type(error).__name__}"
