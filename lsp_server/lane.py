"""Lanes of the completion pipeline as an evaluation asks them: one question, one answer.

`starcite eval model` compares them with models and baselines. The two packages do not import each
other: the front door hands `open_lane` over.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from lsp_server.complete import Completer, CompletionOptions, CompletionRequest
from lsp_server.engine import Engine, open_engine
from lsp_server.errors import ModelError
from lsp_server.models import DEFAULT_MODEL

_WITH_COPY = "copy+"
_OPTIONS = CompletionOptions(linger_ms=0, patience_ms=60_000)  # quality, not latency


class Lane:
    """Answers at a cursor, as the language server would in an editor; holds its model."""

    def __init__(self, name: str, engine: Engine | None, options: CompletionOptions) -> None:
        self.name = name
        self._options, self._engine = options, engine
        self._n_asked = 0

    async def answer(self, prefix: str, suffix: str, *, one_line: bool) -> str:
        """The first completion, or nothing."""
        options = replace(self._options, multiline="never" if one_line else "auto")
        self._n_asked += 1
        request = CompletionRequest(
            uri=f"file:///{self._n_asked}.py",
            language_id="python",
            text=prefix + suffix,
            offset=len(prefix),
            invoked=False,
        )
        found = await Completer(self._engine, options).complete(request)
        text = found[0].text if found else ""
        return text.split("\n", 1)[0] if one_line else text

    async def close(self) -> None:
        """Let go of the model."""
        if self._engine:
            await self._engine.close()


class BlockingLane:
    """A lane for callers without an event loop of their own."""

    def __init__(self, name: str) -> None:
        self._runner = asyncio.Runner()
        try:
            self._lane = self._runner.run(_open(name))
        except BaseException:
            self._runner.close()
            raise
        self.name = self._lane.name

    def complete(self, prefix: str, suffix: str, *, one_line: bool) -> str:
        """The text at the cursor; the rest of the line if `one_line`."""
        return self._runner.run(self._lane.answer(prefix, suffix, one_line=one_line))

    def close(self) -> None:
        """Let go of the model."""
        self._runner.run(self._lane.close())
        self._runner.close()


def open_lane(name: str) -> BlockingLane:
    """A lane by name: "copy", a model by name or path, "copy+MODEL", or "both" (of the default).

    Raises:
        ModelError: the model cannot be had.
    """
    return BlockingLane(name)


async def _open(name: str) -> Lane:
    if name == "copy":
        return Lane("copy lane", None, replace(_OPTIONS, sure_copy_chars=3, lone_copy_chars=3))
    name = f"{_WITH_COPY}{DEFAULT_MODEL}" if name == "both" else name
    engine = await open_engine(name.removeprefix(_WITH_COPY), idle_exit_s=1)
    settled = asyncio.Event()
    engine.on_state_change(lambda state: settled.set() if state.state != "loading" else None)
    await settled.wait()
    if engine.state.state != "ready":
        detail = engine.state.detail
        await engine.close()
        raise ModelError(detail)
    if name.startswith(_WITH_COPY):
        return Lane(f"copy lane + {engine.name}", engine, _OPTIONS)
    return Lane(engine.name, engine, replace(_OPTIONS, copy_lane=False))
