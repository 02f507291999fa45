"""Where a worker listens, and who may talk to it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from lsp_server.engine.endpoint import MAX_SOCKET_PATH_BYTES, Endpoint, endpoint_of
from lsp_server.engine.loop import ScriptedLoop
from lsp_server.worker import Slots, Worker


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF")
    return path


def test_a_long_home_gets_a_short_socket(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the path would not fit a socket's address, a private temporary folder is used."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / ("long" * 30)))
    endpoint = endpoint_of(model)

    assert len(str(endpoint.path).encode()) <= MAX_SOCKET_PATH_BYTES
    assert endpoint == endpoint_of(model)
    assert endpoint.path.parent.is_dir()


def test_a_replaced_model_gets_a_worker_of_its_own(model: Path) -> None:
    """The same path with another content has another endpoint."""
    before = endpoint_of(model)
    model.write_bytes(b"GGUF, another one")

    assert endpoint_of(model) != before


async def serve(endpoint: Endpoint) -> asyncio.Task[None]:
    """A worker in this process that listens already and ends when it has been idle."""
    loaded = asyncio.Event()
    events = asyncio.get_running_loop()

    def load() -> ScriptedLoop:
        events.call_soon_threadsafe(loaded.set)
        return ScriptedLoop({})

    serving = asyncio.create_task(Worker(load, endpoint, idle_exit_s=0.2).serve())
    await loaded.wait()
    return serving


async def talk(endpoint: Endpoint, *lines: bytes) -> list[dict[str, object]]:
    """What a worker says to a client that sends `lines` and then no more."""
    reader, writer = await endpoint.connect()
    for line in lines:
        writer.write(line + b"\n")
    writer.write_eof()
    said = [json.loads(line) async for line in reader]
    writer.close()
    await writer.wait_closed()
    return said


@pytest.mark.parametrize("unix", [True, False])
async def test_a_client_gets_the_state_and_leaves(model: Path, *, unix: bool) -> None:
    """Over a Unix socket or loopback, a client is told the state; rubbish ends its connection."""
    endpoint = endpoint_of(model, unix=unix)
    serving = await serve(endpoint)
    polite = await talk(endpoint)
    rude = await talk(endpoint, b"{not json", b"[]")
    await serving

    assert polite[0]["state"] in {"loading", "ready"}
    assert {"state"} <= rude[0].keys()
    assert not endpoint.path.exists()


async def test_a_wrong_token_is_turned_away(model: Path) -> None:
    """Where the file system cannot guard the port, a client must know the token."""
    endpoint = endpoint_of(model, unix=False)
    serving = await serve(endpoint)
    port = json.loads(endpoint.path.read_text())["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'{"op": "hello", "token": "guess"}\n')
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    await serving

    assert said == b""
    assert endpoint.path.parent.stat().st_mode & 0o077 == 0


async def test_the_slot_used_longest_ago_is_given_away() -> None:
    """A document keeps its slot until others have used all slots since."""
    slots = Slots(2)
    first, second = slots.of("a")[0], slots.of("b")[0]
    slots.of("a")
    third = slots.of("c")[0]

    assert first != second
    assert third == second
    assert slots.of("a")[0] == first
