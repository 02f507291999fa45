"""An engine whose answers are written down beforehand: for tests, demos and latency benches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping

from lsp_server.engine.base import EngineState, GenerateRequest, State, StateListener


class ScriptedEngine:
    """Answers with the text whose key ends the prompt, in pieces, after the given delays.

    `script` maps what stands before the cursor to the answer; the longest key that fits wins.
    `started`, `cancelled` and `finished` count what became of the requests, and `changed` is
    notified each time, so that a test waits for an event and never for a time.
    """

    def __init__(
        self,
        script: Mapping[str, str],
        *,
        name: str = "scripted",
        family: str = "prefix",
        corpus_digest: str = "",
        state: State = "ready",
        first_piece_delay_ms: float = 0,
        piece_delay_ms: float = 0,
        piece_chars: int = 4,
    ) -> None:
        self.name = name
        self.family = family
        self.corpus_digest = corpus_digest
        self.started = self.cancelled = self.finished = self.warmed = 0
        self.requests: list[GenerateRequest] = []
        self.read_ahead: list[GenerateRequest] = []
        self.changed = asyncio.Condition()
        self._script = dict(script)
        self._state = EngineState(name=name, state=state)
        self._listeners: list[StateListener] = []
        self._first_piece_delay_s = first_piece_delay_ms / 1000
        self._piece_delay_s = piece_delay_ms / 1000
        self._piece_chars = piece_chars

    @property
    def state(self) -> EngineState:
        """The state that the script has reached."""
        return self._state

    def on_state_change(self, listener: StateListener) -> None:
        """Call `listener` after every `become`."""
        self._listeners.append(listener)

    def become(self, state: State, detail: str = "") -> None:
        """Change the state, as an engine does whose model has loaded or crashed."""
        self._state = EngineState(name=self.name, state=state, detail=detail)
        for listener in self._listeners:
            listener(self._state)

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[str, None]:
        """Yield the scripted answer in pieces of `piece_chars`."""
        self.requests.append(request)
        self.started += 1
        await self._notify()
        complete = False
        try:
            await asyncio.sleep(self._first_piece_delay_s)
            answer = self._answer(request.prompt + request.forced)
            for start in range(0, len(answer), self._piece_chars):
                yield answer[start : start + self._piece_chars]
                await asyncio.sleep(self._piece_delay_s)
            complete = True
        finally:
            self.finished += complete
            self.cancelled += not complete
            await self._notify()

    async def warm(self, request: GenerateRequest) -> None:
        """Note the prompt; there is nothing to read it into."""
        self.warmed += 1
        self.read_ahead.append(request)
        await self._notify()

    async def close(self) -> None:
        """Nothing is held."""

    async def wait_for(self, **counts: int) -> None:
        """Wait until each named counter has reached its number: `wait_for(cancelled=1)`."""
        async with self.changed:
            await self.changed.wait_for(
                lambda: all(getattr(self, name) >= n for name, n in counts.items())
            )

    def _answer(self, before_cursor: str) -> str:
        keys = [key for key in self._script if before_cursor.endswith(key)]
        return self._script[max(keys, key=len)] if keys else ""

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()
