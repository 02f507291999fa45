"""The model loop with the real model: healing, cached prefixes, stopping."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from lsp_server.complete import Completer, CompletionOptions, CompletionRequest
from lsp_server.engine import Engine, GenerateRequest, open_engine
from lsp_server.engine.xllama import XllamaLoop, healing_grammar, n_threads
from lsp_server.errors import ModelError
from lsp_server.models import FETCHED_MODEL, open_model

CODE = "".join(
    f"def area_{n}(width, height):\n    return width * height + {n}\n\n\n" for n in range(15)
)


@pytest.fixture(scope="module")
def model_path() -> Path:
    try:
        return open_model(FETCHED_MODEL).path
    except ModelError as error:
        pytest.skip(f"needs the model: {error}")


@pytest.fixture(scope="module")
def loop(model_path: Path) -> XllamaLoop:
    return XllamaLoop(model_path)


def run(loop: XllamaLoop, slot: int = 0, **facts: object) -> str:
    pieces: list[str] = []

    def step(piece: str) -> bool:
        pieces.append(piece)
        return True

    loop.run(GenerateRequest(document="a", **facts), slot, step)  # type: ignore[arg-type]
    return "".join(pieces)


def test_the_grammar_forces_a_piece_and_lets_the_line_end() -> None:
    """Quotes, backslashes and control characters are escaped; a line may end with indentation."""
    assert healing_grammar(' "\\\n\x0c', multiline=False) == (
        'root ::= " \\"\\\\\\n\\U0000000C" [^\\n]* ("\\n" [ \\t\\n]*)?'
    )


def test_fewer_threads_than_cores() -> None:
    """One core stays free for the editor, where there is more than one."""
    assert n_threads() >= 1


def test_a_cut_token_is_healed(loop: XllamaLoop) -> None:
    """Inside a word the model writes what is left of it, and ends with the line."""
    text = run(loop, prompt=CODE + "def area_15(width,", forced=" hei", max_tokens=16)

    assert text == "ght):\n"


def test_a_stop_ends_the_answer_within_a_token(loop: XllamaLoop) -> None:
    """After the step that says stop the model writes nothing more."""
    pieces: list[str] = []

    def step(piece: str) -> bool:
        pieces.append(piece)
        return not piece

    request = GenerateRequest(document="a", prompt=CODE, max_tokens=200, multiline=True)
    loop.run(request, 0, step)

    assert sum(map(bool, pieces)) == 1


def test_a_stop_is_seen_while_the_prompt_is_read(loop: XllamaLoop) -> None:
    """A long prompt is left in its middle, long before the first token."""
    asked = 0

    def step(piece: str) -> bool:
        nonlocal asked
        asked += 1
        return asked < 3

    prompt = "# another text\n" + CODE[::-1]
    loop.run(GenerateRequest(document="b", prompt=prompt, max_tokens=4), 1, step)

    assert asked == 3


def test_the_prefix_stays_cached(loop: XllamaLoop) -> None:
    """The second answer to a prompt that has grown by a word takes a fraction of the first."""
    start = time.perf_counter()
    run(loop, slot=2, prompt=CODE, max_tokens=1)
    cold_s = time.perf_counter() - start
    start = time.perf_counter()
    run(loop, slot=2, prompt=CODE + "def area", max_tokens=1)

    assert time.perf_counter() - start < cold_s / 3


async def test_cancelling_reaches_the_model_in_the_worker(model_path: Path) -> None:
    """A completion cancelled while its long prompt is read frees the model for the next one."""
    engine: Engine = await open_engine(str(model_path), idle_exit_s=0.1)
    ready = asyncio.Event()
    engine.on_state_change(lambda state: ready.set() if state.state == "ready" else None)
    completer = Completer(engine, CompletionOptions(linger_ms=0, copy_lane=False))
    try:
        await ready.wait()
        task = asyncio.create_task(completer.complete(request_at(CODE[::-1] * 3)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        start = time.perf_counter()
        found = await completer.complete(request_at("def area(width, hei"))
    finally:
        await completer.close()

    assert time.perf_counter() - start < 4  # reading all of the long prompt takes twice as long
    assert [one.text for one in found] == ["ght):"]


def request_at(text: str) -> CompletionRequest:
    return CompletionRequest(
        uri="file:///a.py", language_id="python", text=text, offset=len(text), invoked=False
    )
