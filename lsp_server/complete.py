"""The pipeline from a cursor to its completions: cache → copy lane → model → postprocess."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from lsp_server.cache import CompletionCache
from lsp_server.context import wants_block
from lsp_server.copy_lane import Copy, find_copy
from lsp_server.engine import Engine, EngineState
from lsp_server.model_lane import ModelLane, Place
from lsp_server.postprocess import RuleContext, postprocess

Lane = Literal["copy", "model", "cache"]
Multiline = Literal["auto", "always", "never"]
NO_COPY = Copy(text="", n_matched=0)


@dataclass(frozen=True, kw_only=True)
class CompletionOptions:
    """How completions are made; the editor's settings of the same names end up here.

    The copy lane's thresholds were chosen on held-out lines by `tests/bench/bench_completion.py`.
    """

    max_tokens: int = 32
    multiline: Multiline = "auto"
    copy_lane: bool = True
    debounce_ms: int = 0  # waited before the model is asked; never before a copy or a cache hit
    linger_ms: int = 150  # how long a generation outlives its cancelled request, unless it diverges
    sure_copy_chars: int = 30  # a copy with as long a match is shown at once, without the model
    lone_copy_chars: int = 12  # the least match of a copy that is shown where no model answers
    patience_ms: int = 400  # how long such a copy waits for the model's answer


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
    """Answers requests for completions from the copy lane and a model; held by the server.

    The newest request wins: one for another place stops what is being generated.
    """

    def __init__(self, engine: Engine | None, options: CompletionOptions) -> None:
        self._options = options
        self._cache = CompletionCache()
        self._model = engine and ModelLane(
            engine, self._cache, max_tokens=options.max_tokens, linger_ms=options.linger_ms
        )

    @property
    def engine_state(self) -> EngineState:
        """What the status bar shows of the model."""
        return self._model.engine.state if self._model else EngineState(name="", state="missing")

    async def complete(self, request: CompletionRequest) -> list[Completion]:
        """Complete at the cursor, best first; cancel the task to stop the model."""
        options, place = self._options, self._place(request)
        if _splits_word(place.context) and not request.invoked:
            return []
        context = place.context
        cached = self._cache.get(request.uri, context.prefix, context.line_after)
        if cached and cached.text:
            return [_insert(request, cached.text, "cache", cached.model)]
        copy = self._copy(request, context)
        if copy.n_matched >= options.sure_copy_chars and not request.invoked:
            return [_insert(request, copy.text, "copy")]
        has_copy = copy.n_matched >= options.lone_copy_chars
        found = []
        if self._model and self._model.is_ready and cached is None:
            patience_ms = options.patience_ms if has_copy and not request.invoked else None
            if text := await self._ask(self._model, place, request.invoked, patience_ms):
                found.append(_insert(request, text, "model", self._model.engine.name))
        if has_copy and (request.invoked or not found):
            found.append(_insert(request, copy.text, "copy"))
        return found

    async def warm(self, request: CompletionRequest) -> None:
        """Read the cursor's prompt into the model's cache ahead of the first request."""
        if self._model:
            await self._model.warm(self._place(request))

    async def close(self) -> None:
        """Stop what is running and let go of the engine."""
        if self._model:
            await self._model.close()
            await self._model.engine.close()

    async def _ask(
        self, model: ModelLane, place: Place, invoked: bool, patience_ms: int | None
    ) -> str:
        debounce_ms = 0 if invoked else self._options.debounce_ms
        try:
            async with asyncio.timeout(patience_ms and (debounce_ms + patience_ms) / 1000):
                return await model.ask(place, debounce_ms=debounce_ms)
        except TimeoutError:
            return ""

    def _place(self, request: CompletionRequest) -> Place:
        text, offset = request.text, request.offset
        multiline = self._options.multiline == "always" or (
            self._options.multiline == "auto" and wants_block(text, offset)
        )
        context = RuleContext(prefix=text[:offset], suffix=text[offset:], multiline=multiline)
        return Place(request.uri, context)

    def _copy(self, request: CompletionRequest, context: RuleContext) -> Copy:
        if not self._options.copy_lane:
            return NO_COPY
        copy = find_copy(request.text, request.offset, request.related)
        text = postprocess(copy.text, context) if copy else None
        return Copy(text=text, n_matched=copy.n_matched) if copy and text else NO_COPY


def _splits_word(context: RuleContext) -> bool:
    around = context.prefix[-1:], context.suffix[:1]
    return all(char.isalnum() or char == "_" for char in around)


def _insert(request: CompletionRequest, text: str, lane: Lane, model: str = "") -> Completion:
    at = request.offset
    return Completion(text=text, start=at, end=at, lane=lane, model=model)
