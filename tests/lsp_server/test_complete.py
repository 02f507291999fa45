"""The pipeline, driven by the scripted engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from lsp_server.complete import Completer, Completion, CompletionOptions, CompletionRequest
from lsp_server.engine import ScriptedEngine

QUIET = CompletionOptions(linger_ms=0)


def request_at(text: str, *, uri: str = "file:///a.py", invoked: bool = False) -> CompletionRequest:
    return CompletionRequest(
        uri=uri,
        language_id="python",
        text=text.replace("│", ""),
        offset=text.index("│"),
        invoked=invoked,
    )


async def ask(completer: Completer, text: str, **facts: Any) -> list[Completion]:
    return await completer.complete(request_at(text, **facts))


def make(
    script: Mapping[str, str], options: CompletionOptions = QUIET, **facts: Any
) -> tuple[Completer, ScriptedEngine]:
    engine = ScriptedEngine(script, **facts)
    return Completer(engine, options), engine


async def test_the_model_completes_the_line() -> None:
    """What the model writes up to the line's end is inserted at the cursor."""
    completer, _ = make({"x = ": "load(path)\ny = 2"})
    found = await ask(completer, "x = │\n")

    assert found == [Completion(text="load(path)", start=4, end=4, lane="model", model="scripted")]


async def test_the_prompt_is_healed() -> None:
    """The model chooses the last token before the cursor anew."""
    completer, engine = make({"x = lo": "ad()"})
    await ask(completer, "x = lo│\n")

    assert (engine.requests[0].prompt, engine.requests[0].forced) == ("x =", " lo")


async def test_typing_along_costs_no_request() -> None:
    """While the user types what is shown, and after a backspace, the model is not asked again."""
    completer, engine = make({"x = ": "load(path)"})
    texts = [(await ask(completer, f"x = {typed}│\n"))[0] for typed in ("", "l", "lo", "l", "")]

    assert [one.text for one in texts[1:]] == ["oad(path)", "ad(path)", "oad(path)", "load(path)"]
    assert {one.lane for one in texts[1:]} == {"cache"}
    assert engine.started == 1


async def test_a_long_copy_is_shown_without_the_model() -> None:
    """Where thirty characters and more stand elsewhere, the copy lane answers alone."""
    line = "    self.assertEqual(expected_value, compute("
    completer, engine = make({"": "noise"})
    found = await ask(completer, f"{line}1))\n{line}│\n")

    assert [(one.text, one.lane) for one in found] == [("1))", "copy")]
    assert engine.started == 0


async def test_without_a_model_the_copy_lane_answers() -> None:
    """While the model loads, a good copy is shown and a poor one is not."""
    completer, engine = make({"": "noise"}, state="loading")
    good = await ask(completer, "handler.register(name)\nhandler.register(│\n")
    poor = await ask(completer, "foo(1)\nbar(2)\nqux(│\n")

    assert [one.text for one in good] == ["name)"]
    assert poor == []
    assert engine.started == 0


async def test_a_copy_does_not_wait_long_for_the_model() -> None:
    """Where the model takes its time, as while it reads a new file, a good copy is shown."""
    options = CompletionOptions(linger_ms=0, patience_ms=20)
    completer, engine = make({"": "noise"}, options, first_piece_delay_ms=60_000)
    found = await ask(completer, "handler.register(name)\nhandler.register(│\n")
    await engine.wait_for(cancelled=1)

    assert [(one.text, one.lane) for one in found] == [("name)", "copy")]


async def test_invoked_returns_both_lanes() -> None:
    """Asked by key, the model's answer comes first and a differing copy second."""
    completer, _ = make({"handler.register(": "other)"})
    found = await ask(completer, "handler.register(name)\nhandler.register(│\n", invoked=True)

    assert [(one.text, one.lane) for one in found] == [("other)", "model"), ("name)", "copy")]


async def test_no_completion_inside_a_word() -> None:
    """With a letter on both sides of the cursor nothing is proposed while typing."""
    completer, engine = make({"": "x"})

    assert await ask(completer, "fo│o = 1\n") == []
    assert engine.started == 0


async def test_cancelling_the_request_stops_the_model() -> None:
    """A cancelled request reaches the engine, which writes no more."""
    completer, engine = make({"x = ": "a" * 400}, piece_delay_ms=1000)
    task = asyncio.create_task(ask(completer, "x = │\n"))
    await engine.wait_for(started=1)
    task.cancel()
    await engine.wait_for(cancelled=1)

    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.finished == 0


async def test_a_keystroke_along_joins_the_generation() -> None:
    """A request cancelled by a keystroke that goes along lends its generation to the next one."""
    options = CompletionOptions(linger_ms=10_000)
    completer, engine = make({"x = ": "load(path)"}, options, first_piece_delay_ms=50)
    first = asyncio.create_task(ask(completer, "x = │\n"))
    await engine.wait_for(started=1)
    first.cancel()
    found = await ask(completer, "x = lo│\n")

    assert [one.text for one in found] == ["ad(path)"]
    assert engine.started == 1


async def test_a_keystroke_away_stops_the_generation_at_once() -> None:
    """A request for anything else stops what is being written, however long it may linger."""
    options = CompletionOptions(linger_ms=10_000)
    script = {"x = ": "load(path)", "x = q": "uit()"}
    completer, engine = make(script, options, piece_delay_ms=20)
    first = asyncio.create_task(ask(completer, "x = │\n"))
    await engine.wait_for(started=1)
    await asyncio.sleep(0)
    first.cancel()
    found = await ask(completer, "x = q│\n")
    await engine.wait_for(cancelled=1)

    assert [one.text for one in found] == ["uit()"]
    assert engine.started == 2


async def test_a_generation_that_nobody_joins_ends() -> None:
    """After lingering in vain the generation is stopped."""
    options = CompletionOptions(linger_ms=5)
    completer, engine = make({"x = ": "a" * 400}, options, piece_delay_ms=1000)
    task = asyncio.create_task(ask(completer, "x = │\n"))
    await engine.wait_for(started=1)
    task.cancel()
    await engine.wait_for(cancelled=1)

    assert engine.finished == 0


async def test_the_newest_of_many_requests_wins() -> None:
    """Of a hundred requests at once only the newest is answered by the model, and none hangs."""
    completer, engine = make({"= ": "value"}, first_piece_delay_ms=5)
    tasks = [asyncio.create_task(ask(completer, f"x{n} = │\n")) for n in range(100)]
    found = await asyncio.gather(*tasks)

    assert [one.text for one in found[-1]] == ["value"]
    assert [answers for answers in found[:-1] if answers] == []
    assert engine.cancelled + engine.finished == engine.started


async def test_a_request_that_still_waits_never_stops_a_newer_one() -> None:
    """A request in its debounce gives way to one that was made by key after it."""
    options = CompletionOptions(linger_ms=0, debounce_ms=20)
    completer, engine = make({"= ": "value"}, options, first_piece_delay_ms=60)
    older = asyncio.create_task(ask(completer, "x = │\n"))
    await asyncio.sleep(0)
    newer = await ask(completer, "y = │\n", invoked=True)

    assert [one.text for one in newer] == ["value"]
    assert await older == []
    assert engine.started == 1


async def test_the_silence_of_a_failed_engine_is_not_remembered() -> None:
    """After the engine has come back, the same place is asked again."""
    completer, engine = make({}, first_piece_delay_ms=10)
    first = asyncio.create_task(ask(completer, "x = │\n"))
    await engine.wait_for(started=1)
    engine.become("error")
    await first
    engine.become("ready")
    await ask(completer, "x = │\n")
    await ask(completer, "x = │\n")

    assert engine.started == 2


async def test_warming_never_stops_a_generation() -> None:
    """A document that is opened while the model writes is read later."""
    completer, engine = make({"x = ": "load(path)"}, first_piece_delay_ms=20)
    asked = asyncio.create_task(ask(completer, "x = │\n"))
    await engine.wait_for(started=1)
    await completer.warm(request_at("y = │\n", uri="file:///b.py"))

    assert [one.text for one in await asked] == ["load(path)"]
    assert engine.warmed == 0


async def test_a_block_is_proposed_under_its_opener() -> None:
    """On a blank line under `def` the completion runs to the end of the block."""
    answer = "a = 1\n    return a\n\nprint()" + "x" * 400
    completer, engine = make({"def f():\n    ": answer})
    found = await ask(completer, "def f():\n    │\n")

    assert [one.text for one in found] == ["a = 1\n    return a"]
    assert engine.finished == 0  # stopped when the block had ended, long before the answer did


async def test_never_more_than_a_line_where_the_user_says_so() -> None:
    """With multiline off, a blank line under `def` gets one line."""
    options = CompletionOptions(multiline="never", linger_ms=0)
    completer, _ = make({"def f():\n    ": "a = 1\n    return a\n"}, options)
    found = await ask(completer, "def f():\n    │\n")

    assert [one.text for one in found] == ["a = 1"]


async def test_fim_families_see_the_suffix() -> None:
    """A model with sentinels gets both sides of the cursor, free of the user's own sentinels."""
    completer, engine = make({}, family="starcoder2")
    await ask(completer, "a = '<fim_suffix>'\nx = │\ny = 2\n")

    assert engine.requests[0].prompt == (
        "<fim_prefix>a = '< fim_suffix>'\nx =<fim_suffix>\ny = 2\n<fim_middle>"
    )
    assert engine.requests[0].forced == " "


async def test_warming_reads_a_prompt_once() -> None:
    """The same prompt is not read twice, and the model that loads is left alone."""
    completer, engine = make({}, state="loading")
    await completer.warm(request_at("x = │\n"))
    engine.become("ready")
    await completer.warm(request_at("x = │\n"))
    await completer.warm(request_at("x = │\n"))

    assert engine.warmed == 1
