"""The pipeline from a cursor to its completions: cache → copy lane → model → postprocess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lsp_server.copy_lane import find_copy
from lsp_server.engine import Engine, EngineState, GenerateRequest

Lane = Literal["copy", "model", "cache"]
Multiline = Literal["auto", "always", "never"]


@dataclass(frozen=True, kw_only=True)
class CompletionOptions:
    """How completions are made; the editor's settings of the same names end up here."""

    max_tokens: int = 32
    multiline: Multiline = "auto"
    copy_lane: bool = True
    debounce_ms: int = 0  # waited before the model is asked; never before a copy or a cache hit


@dataclass(frozen=True, kw_only=True)
class CompletionRequest:
    """A cursor in a document; `offset` counts code points."""

    uri: str
    language_id: str
    text: str
    offset: int
    invoked: bool  # asked for by key and not by typing
    related: tuple[str, ...] = ()  # texts of other open documents, most recently used first


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Text that replaces `[start, end)` of the document, on the cursor's line."""

    text: str
    start: int
    end: int
    lane: Lane
    model: str  # the manifest name; "" for a copy


class Completer:
    """Answers requests for completions from the copy lane and a model; held by the server."""

    def __init__(self, engine: Engine | None, options: CompletionOptions) -> None:
        self._engine = engine
        self._options = options

    @property
    def engine_state(self) -> EngineState:
        """What the status bar shows of the model."""
        return self._engine.state if self._engine else EngineState(name="", state="missing")

    async def complete(self, request: CompletionRequest) -> list[Completion]:
        """Complete at the cursor, best first; cancel the task to stop the model."""
        text, lane, model = "", "copy", ""
        if self._options.copy_lane:
            copy = find_copy(request.text, request.offset, request.related)
            text = copy.text.split("\n", 1)[0] if copy else ""
        if not text and self._engine and self._engine.state.state == "ready":
            prompt = GenerateRequest(
                document=request.uri,
                prompt=request.text[: request.offset],
                max_tokens=self._options.max_tokens,
            )
            pieces = [piece async for piece in self._engine.generate(prompt)]
            text, lane, model = "".join(pieces).split("\n", 1)[0], "model", self._engine.name
        if not text.strip():
            return []
        at = request.offset
        return [Completion(text=text, start=at, end=at, lane=lane, model=model)]  # type: ignore[arg-type]

    async def warm(self, request: CompletionRequest) -> None:
        """Read the cursor's prompt into the model's cache ahead of the first request."""

    async def close(self) -> None:
        """Stop what is running and let go of the engine."""
        if self._engine:
            await self._engine.close()
