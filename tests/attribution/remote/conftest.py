"""A real service over the small corpus, and a backend that misbehaves as it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attribution.config import RemoteConfig
from attribution.remote import RemoteTracer
from tests.attribution.service.test_serve_cli import running

Reply = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def served(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `starcite serve` in a process of its own."""
    home = tmp_path_factory.mktemp("home")
    with running(index_path, home, "--workers", "1") as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(params=[False, True], ids=["text", "fingerprints"])
def config(served: str, request: pytest.FixtureRequest) -> RemoteConfig:
    """How to ask it: by text, and by fingerprints alone; patient, as test machines are busy."""
    return RemoteConfig(url=served, fingerprints_only=request.param, timeout_ms=60_000)


@pytest.fixture
def remote(config: RemoteConfig) -> Iterator[RemoteTracer]:
    """A tracer on that service."""
    tracer = RemoteTracer(config)
    yield tracer
    tracer.close()


@contextmanager
def backend(reply: Reply) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads the head of each request and replies as it is told.

    Gives its address and what has come in.
    """
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, reply, heads))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", heads
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, reply: Reply, heads: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # closed by the test
            return
        with connection:
            heads.append(connection.recv(65_536))
            try:
                reply(connection)
            except OSError:  # the client has gone
                continue
