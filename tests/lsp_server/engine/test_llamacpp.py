"""The engine and its worker as a real process, with a scripted model in it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine import Engine, EngineState, GenerateRequest, open_engine
from lsp_server.engine.endpoint import endpoint_of
from tests.lsp_server.models_on_disk import install

Open = Callable[..., Awaitable[Engine]]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and Unix sockets")
SCRIPT = {"fast(": "a, b)", "slow(": "x" * 4000, "bad(": "!context exceeded"}


class States:
    """Collects an engine's states, and waits for one of them."""

    def __init__(self, engine: Engine) -> None:
        self.seen = [engine.state]
        self._changed = asyncio.Event()
        engine.on_state_change(self._take)

    def _take(self, state: EngineState) -> None:
        self.seen.append(state)
        self._changed.set()

    async def wait_for(self, state: str) -> EngineState:
        """The first state of that name from now on, or the current one."""
        while self.seen[-1].state != state:
            self._changed.clear()
            await self._changed.wait()
        return self.seen[-1]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "lsp_server")
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens engines whose worker runs the script; the worker ends soon after the last."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"answers": SCRIPT, "delay_ms": 10}))
    engines: list[Engine] = []

    async def open_one(name: str = "tiny", **facts: Any) -> Engine:
        options = ["--script", str(script)]
        engines.append(await open_engine(name, idle_exit_s=0.05, worker_options=options, **facts))
        return engines[-1]

    yield open_one
    for engine in engines:
        await engine.close()


def workers(caplog: pytest.LogCaptureFixture) -> list[int]:
    """The process ids of the workers that were started."""
    return [int(pid) for pid in re.findall(r"worker\.started pid=(\d+)", caplog.text)]


async def text_of(engine: Engine, prompt: str, document: str = "a") -> str:
    request = GenerateRequest(document=document, prompt=prompt, max_tokens=1000)
    return "".join([piece async for piece in engine.generate(request)])


async def test_the_model_answers_through_its_worker(start: Open) -> None:
    """The engine says loading at once and ready later, and then answers."""
    install("tiny")
    engine = await start()
    states = States(engine)
    before = await text_of(engine, "fast(")
    await states.wait_for("ready")

    assert (states.seen[0].state, before) == ("loading", "")
    assert await text_of(engine, "fast(") == "a, b)"
    assert engine.family == "smollm2"


async def test_windows_share_one_worker_that_ends_by_itself(
    start: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Three windows, opened at once, get one process; after the last has gone it goes too."""
    file = install("tiny")
    engines = [await start() for _ in range(3)]
    await asyncio.gather(*(States(engine).wait_for("ready") for engine in engines))
    answers = await asyncio.gather(*(text_of(engine, "fast(") for engine in engines))
    for engine in engines:
        await engine.close()
    (pid,) = workers(caplog)
    await asyncio.to_thread(os.waitpid, pid, 0)

    assert answers == ["a, b)"] * 3
    assert not endpoint_of(file).path.exists()


async def test_only_the_user_can_reach_the_worker(start: Open) -> None:
    """The socket and its folder are closed to everybody else."""
    file = install("tiny")
    await States(await start()).wait_for("ready")
    path = endpoint_of(file).path

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_closing_the_generator_stops_the_model(start: Open) -> None:
    """A model stopped in the middle of a ten-second answer takes the next request at once."""
    install("tiny")
    engine = await start()
    await States(engine).wait_for("ready")
    slow = engine.generate(GenerateRequest(document="a", prompt="slow(", max_tokens=1000))
    await anext(slow)
    await slow.aclose()
    async with asyncio.timeout(5):
        answer = await text_of(engine, "fast(")

    assert answer == "a, b)"


async def test_the_newest_request_of_a_window_wins(start: Open) -> None:
    """A new request ends the window's older one, and another window's goes on."""
    install("tiny")
    mine, other = await start(), await start()
    for engine in (mine, other):
        await States(engine).wait_for("ready")
    theirs = other.generate(GenerateRequest(document="b", prompt="slow(", max_tokens=1000))
    await anext(theirs)
    older = asyncio.create_task(text_of(mine, "slow("))
    await asyncio.sleep(0)
    newer = await text_of(mine, "fast(")

    assert newer == "a, b)"
    assert len(await older) < 4000
    assert await anext(theirs)
    await theirs.aclose()


async def test_a_refused_request_is_answered_empty(start: Open) -> None:
    """A prompt that the model refuses ends without text, and the next one is answered."""
    install("tiny")
    engine = await start()
    await States(engine).wait_for("ready")

    assert await text_of(engine, "bad(") == ""
    assert await text_of(engine, "fast(") == "a, b)"


async def test_a_killed_worker_comes_back(start: Open, caplog: pytest.LogCaptureFixture) -> None:
    """What was pending ends, the state says why, and a new worker is ready soon."""
    install("tiny")
    engine = await start()
    states = States(engine)
    await states.wait_for("ready")
    pending = asyncio.create_task(text_of(engine, "slow("))
    await asyncio.sleep(0)
    (pid,) = workers(caplog)
    os.kill(pid, signal.SIGKILL)
    error = await states.wait_for("error")
    partial = await pending
    await states.wait_for("ready")

    assert "being started again" in error.detail
    assert len(partial) < 4000
    assert await text_of(engine, "fast(") == "a, b)"
    assert len(workers(caplog)) == 2


async def test_a_missing_model_is_a_state_until_it_is_there(
    start: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the model the state names the next step; once fetched, the engine comes to life."""
    monkeypatch.setattr("lsp_server.engine.llamacpp.MISSING_PAUSE_S", 0.02)
    engine = await start("smollm2-135m")
    states = States(engine)
    missing = await states.wait_for("missing")
    install("smollm2-135m")
    await states.wait_for("ready")

    assert "run: starcite model fetch" in missing.detail


async def test_a_damaged_model_is_an_error_with_the_next_step(start: Open) -> None:
    """A truncated file is named before a worker is started with it."""
    install("tiny").write_bytes(b"G")
    state = await States(await start()).wait_for("error")

    assert "model.gguf has 1 bytes" in state.detail


async def test_a_file_that_no_runtime_can_load_is_an_error() -> None:
    """Where llama.cpp refuses the file, the state says so, and nothing crashes."""
    install("tiny", b"GGUF but nothing that llama.cpp could read")
    engine = await open_engine("tiny", idle_exit_s=0.05)
    try:
        state = await States(engine).wait_for("error")
    finally:
        await engine.close()

    assert "could not be loaded" in state.detail
