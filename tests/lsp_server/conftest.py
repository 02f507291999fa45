"""Servers as processes, scripted models and a small real index."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from indexer import Origin, SourceFile
from indexer.build import Part, build_segments
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


INDEXED = '''"""Rings of things."""


class Ring:
    """Holds the newest `capacity` items and drops the oldest."""

    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError(f"capacity {capacity} is below one")
        self._items = [None] * capacity
        self._start = self._length = 0

    def push(self, item):
        # Overwrites the oldest item once the ring is full.
        place = (self._start + self._length) % len(self._items)
        self._items[place] = item
        if self._length < len(self._items):
            self._length += 1
        else:
            self._start = (self._start + 1) % len(self._items)

    def __iter__(self):
        for step in range(self._length):
            yield self._items[(self._start + step) % len(self._items)]
'''


def origin(name: str = "ringlib", **facts: str) -> Origin:
    known = {
        "source": "pypi",
        "version": "1.2.3",
        "path": "ringlib/ring.py",
        "spdx_id": "BSD-3-Clause",
        "license_evidence": "metadata: BSD-3-Clause; LICENSE: BSD-3-Clause",
    }
    return Origin(name=name, **{**known, **facts})


def build_ring_index(out: Path, corpus: str = "") -> None:
    """An index of the text above, published twice, among files that have nothing to do with it."""
    files = [SourceFile(text=INDEXED, language="python", origin=origin())]
    files.append(
        SourceFile(
            text=INDEXED,
            language="python",
            origin=origin("bigger", version="0.1", path="bigger/_vendored_ring.py"),
        )
    )
    files += [
        SourceFile(
            text="\n".join(f"{word}_{n} = {n} * {word!r}" for n in range(40)),
            language="python",
            origin=origin(word, path=f"{word}.py", spdx_id="MIT"),
        )
        for word in ("apple", "birch", "cedar")
    ]
    build_segments([Part(files=files, corpus=corpus)], out)


@pytest.fixture(scope="session")
def ring_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real index; copy it before changing it."""
    path = tmp_path_factory.mktemp("index") / "default"
    build_ring_index(path)
    return path
