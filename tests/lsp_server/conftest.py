"""Servers as processes, scripted models and a small real index."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lsp_server.lsp_client import LspClient

Spawn = Callable[..., Awaitable[LspClient]]


@pytest.fixture
async def spawn(tmp_path: Path) -> AsyncIterator[Spawn]:
    """Starts servers with a data folder of their own and ends them after the test."""
    clients: list[LspClient] = []

    async def start(*arguments: str, **initialize: Any) -> LspClient:
        home = tmp_path / "home with a space"
        client = await LspClient.spawn(home, *arguments)
        clients.append(client)
        if initialize.pop("initialize", True):
            await client.initialize(**initialize)
        return client

    yield start
    for client in clients:
        await client.stop()


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Makes the settings that choose a scripted model."""

    def write(script: dict[str, str], **facts: Any) -> dict[str, Any]:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({"script": script, **facts}), encoding="utf-8")
        return {"completion": {"model": f"scripted:{path}", "debounceMs": 0}}

    return write
