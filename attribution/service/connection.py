"""The places where the HTTP server is more patient, or says less, than a service may be."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from attribution.config import ServiceConfig


class Connection(H11Protocol):
    """A connection that is closed if its first request does not come in time.

    uvicorn waits for it without end, so that a few hundred idle clients keep everybody else out.
    """

    max_head_s = ServiceConfig().max_head_s
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Give the client its time from now on, and send each part of an answer at once.

        asyncio does the latter for sockets that were made for TCP by name; those of
        `socket.create_server` are not, and a client would wait 40 ms for the second part.
        """
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting = self.loop.call_later(self.max_head_s, self._give_up)

    @property
    def _has_asked(self) -> bool:
        return bool(self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self._waiting is not None:
            self._waiting.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        if not self._has_asked:
            self.transport.close()


class Server(uvicorn.Server):
    """A server that tells by which signals it was stopped."""

    @property
    def captured(self) -> tuple[int, ...]:
        """The signals, in order."""
        return tuple(self._captured_signals)
