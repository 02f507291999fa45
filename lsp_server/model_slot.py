"""The model that the settings name: opened in the background, changed while the editor runs.

Requests are answered from the first moment: without a model, or before it has loaded, the copy
lane answers alone. A model that fails is a state with a reason and never an error to the editor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from lsp_server.complete import Completer, Completion, CompletionOptions, CompletionRequest
from lsp_server.config import CompletionSettings
from lsp_server.engine import Engine, EngineState
from lsp_server.engine.script_file import PREFIX as SCRIPTED
from lsp_server.engine.script_file import open_script
from lsp_server.errors import StarciteServerError
from lsp_server.protocol import ModelStatus

log = logging.getLogger(__name__)

WORKING_AFTER_S = 0.15  # an answer that comes sooner never shows as work in the status bar
SWITCHED_OFF = "starcite.completion.enabled is off"


class ModelSlot:
    """Holds the engine and the completer; what it shows of them is `status`."""

    def __init__(self, *, on_state: Callable[[], None], on_ready: Callable[[], None]) -> None:
        self._on_state = on_state
        self._on_ready = on_ready
        self._settings: CompletionSettings | None = None
        self._engine: Engine | None = None
        self._state = EngineState(name="", state="loading")
        self._completer = Completer(None, CompletionOptions())
        self._opening: asyncio.Task[None] | None = None
        self._slow: set[object] = set()

    @property
    def status(self) -> ModelStatus:
        """The model's state for the status bar."""
        state: Literal["missing", "loading", "ready", "working", "error"] = self._state.state
        if state == "ready" and self._slow:
            state = "working"
        trained = f"trained on corpus {self.corpus_digest[:12]}" if self.corpus_digest else ""
        detail = self._state.detail or trained
        return {"state": state, "name": self._state.name, "detail": detail}

    @property
    def corpus_digest(self) -> str:
        """Of the corpus that the model in use was trained on; "" where nobody knows."""
        return self._engine.corpus_digest if self._engine else ""

    def configure(self, settings: CompletionSettings) -> None:
        """Take over the settings; another model is opened in the background."""
        before, self._settings = self._settings, settings
        if before and (before.model, before.enabled) == (settings.model, settings.enabled):
            if before != settings:
                self._completer = Completer(self._engine, _options(settings))
            return
        if self._opening is not None:
            self._opening.cancel()
        self._opening = asyncio.get_running_loop().create_task(self._open(settings))

    async def complete(self, request: CompletionRequest) -> list[Completion]:
        """Completions, best first; an engine that fails gives none and changes the state."""
        request_id = object()
        timer = asyncio.get_running_loop().call_later(WORKING_AFTER_S, self._mark_slow, request_id)
        try:
            return await self._completer.complete(request)
        except StarciteServerError as error:
            log.warning("completion_failed error=%s", type(error).__name__)
            self._take_state(replace(self._state, state="error", detail=str(error)))
            return []
        finally:
            timer.cancel()
            if request_id in self._slow:
                self._slow.remove(request_id)
                self._on_state()

    async def warm(self, request: CompletionRequest) -> None:
        """Let the model read the cursor's prompt ahead of the first request."""
        try:
            await self._completer.warm(request)
        except StarciteServerError as error:
            log.warning("warming_failed error=%s", type(error).__name__)

    async def close(self) -> None:
        """Stop what runs and let go of the model."""
        if self._opening is not None:
            self._opening.cancel()
        await self._completer.close()

    async def _open(self, settings: CompletionSettings) -> None:
        old, self._completer = self._completer, Completer(None, _options(settings))
        self._engine = None
        name = settings.model
        if not settings.enabled:
            self._take_state(EngineState(name=name, state="missing", detail=SWITCHED_OFF))
            await old.close()
            return
        self._take_state(EngineState(name=name, state="loading"))
        await old.close()
        try:
            engine = await _open_engine(name)
        except (StarciteServerError, OSError) as error:
            self._take_state(EngineState(name=name, state="missing", detail=str(error)))
            return
        engine.on_state_change(self._take_state)
        newest = self._settings or settings  # the other options may have changed meanwhile
        self._engine, self._completer = engine, Completer(engine, _options(newest))
        self._take_state(engine.state)

    def _take_state(self, state: EngineState) -> None:
        became_ready = state.state == "ready" != self._state.state
        self._state = state
        self._on_state()
        if became_ready:
            self._on_ready()

    def _mark_slow(self, request_id: object) -> None:
        self._slow.add(request_id)
        self._on_state()


async def _open_engine(model: str) -> Engine:
    if model.startswith(SCRIPTED):
        return open_script(model)
    from lsp_server.engine import open_engine  # noqa: PLC0415 - a worker is not always needed

    return await open_engine(model)


def _options(settings: CompletionSettings) -> CompletionOptions:
    return CompletionOptions(
        max_tokens=settings.max_tokens,
        multiline=settings.multiline,
        copy_lane=settings.copy_lane,
        debounce_ms=settings.debounce_ms,
    )
