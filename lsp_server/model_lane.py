"""The model lane: one generation at a time, joined by keystrokes that go along with it.

An editor drops an answer whose document has changed and asks anew with every keystroke. So a
generation outlives its cancelled request for a moment (`linger_ms`): a keystroke that goes along
with what is being written joins it, and any other stops it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from lsp_server.cache import Cached, CompletionCache
from lsp_server.context import anchored_prefix, near_suffix
from lsp_server.engine import Engine, GenerateRequest
from lsp_server.postprocess import RuleContext, has_ended, postprocess
from lsp_server.prompt import FAMILIES, build_prompt, heal, neutralise

BLOCK_TOKENS_FACTOR = 3  # a block may be this many times as long as a line


@dataclass(frozen=True)
class Place:
    """A cursor: the document, and what stands before and after it."""

    uri: str
    context: RuleContext

    def goes_along(self, origin: Place, text: str, *, is_whole: bool) -> bool:
        """Whether the cursor is at `origin` or further along `text`, which began there."""
        here, there = self.context, origin.context
        if (self.uri, here.line_after) != (origin.uri, there.line_after):
            return False
        if not here.prefix.startswith(there.prefix):
            return False
        typed = here.prefix[len(there.prefix) :]
        return text.startswith(typed) or (not is_whole and typed.startswith(text))


class ModelLane:
    """Asks an engine and remembers its answers in the cache."""

    def __init__(
        self, engine: Engine, cache: CompletionCache, *, max_tokens: int, linger_ms: int
    ) -> None:
        self.engine, self._cache = engine, cache
        self._max_tokens, self._linger_s = max_tokens, linger_ms / 1000
        self._flight: _Flight | None = None
        self._newest = object()
        self._warmed = ""

    @property
    def is_ready(self) -> bool:
        """Whether a question would be answered now."""
        return self.engine.state.state == "ready"

    async def ask(self, place: Place, *, debounce_ms: int = 0) -> str:
        """The model's completion, ready to be shown; "" for none."""
        me = self._newest = object()
        flight = self._joinable(place)
        if flight is None:
            self.stop()
            await asyncio.sleep(debounce_ms / 1000)
            if self._newest is not me:
                return ""
            flight = self._take_off(place)
        if not await self._landed(flight, place):
            if flight is not self._flight:
                return ""  # a newer request has stopped it
            await self._landed(self._take_off(place), place)
        hit = self._cache.get(place.uri, place.context.prefix, place.context.line_after)
        return hit.text if hit else ""

    async def warm(self, place: Place) -> None:
        """Read the place's prompt into the model's cache, unless that was the last thing done.

        Never stops a generation: what somebody waits for comes first.
        """
        if not self.is_ready or (self._flight and not self._flight.is_over):
            return
        prompt = build_request(place, self.engine.family, self._max_tokens)
        if prompt.prompt == self._warmed:
            return
        self._warmed = prompt.prompt
        await self.engine.warm(prompt)

    def stop(self) -> None:
        """Stop the generation on its way, if there is one."""
        if self._flight:
            self._flight.task.cancel()
            self._flight = None

    async def close(self) -> None:
        """Stop, and wait until the engine has let go."""
        flight = self._flight
        self.stop()
        if flight:
            await asyncio.gather(flight.task, return_exceptions=True)

    def _joinable(self, place: Place) -> _Flight | None:
        flight = self._flight
        return flight if flight and not flight.is_over and flight.goes_along(place) else None

    def _take_off(self, place: Place) -> _Flight:
        self.stop()
        request = build_request(place, self.engine.family, self._max_tokens)
        self._warmed = request.prompt
        self._flight = _Flight(self.engine, request, place, self._remember)
        return self._flight

    async def _landed(self, flight: _Flight, place: Place) -> bool:
        """Wait for a flight; whoever is cancelled as its last passenger lets it go on a little."""
        try:
            return await flight.land(place)
        except asyncio.CancelledError:
            loop = asyncio.get_running_loop()
            if self._linger_s:
                loop.call_later(self._linger_s, flight.stop_if_alone)
            else:
                flight.stop_if_alone()
            raise

    def _remember(self, place: Place, text: str) -> None:
        if not self.is_ready:
            return  # the engine has failed meanwhile: an empty answer means nothing
        shown = postprocess(text, place.context) or ""
        cached = Cached(text=shown, lane="model", model=self.engine.name)
        self._cache.put(place.uri, place.context.prefix, place.context.line_after, cached)


def build_request(place: Place, family_name: str, max_tokens: int) -> GenerateRequest:
    """The healed prompt of a place, in the layout of the model's family."""
    family, context = FAMILIES[family_name], place.context
    prefix, forced = heal(neutralise(anchored_prefix(context.prefix, len(context.prefix))))
    suffix = neutralise(near_suffix(context.suffix, 0))
    return GenerateRequest(
        document=place.uri,
        prompt=build_prompt(family, prefix, suffix, "spm" if family.spm else "psm"),
        forced=forced,
        stop=family.stop,
        max_tokens=max_tokens * (BLOCK_TOKENS_FACTOR if context.multiline else 1),
        multiline=context.multiline,
    )


class _Flight:
    """One running generation and the text so far."""

    def __init__(
        self,
        engine: Engine,
        request: GenerateRequest,
        origin: Place,
        remember: Callable[[Place, str], None],
    ) -> None:
        self._origin, self._text, self._n_waiting = origin, "", 0
        self._progress = asyncio.Event()
        self._remember = remember
        self.task = asyncio.create_task(self._fly(engine, request))
        self.task.add_done_callback(self._wake)

    @property
    def is_over(self) -> bool:
        return self.task.done()

    def goes_along(self, place: Place) -> bool:
        return place.goes_along(self._origin, self._text, is_whole=self.is_over)

    async def land(self, place: Place) -> bool:
        """Wait for the whole text; False once it was stopped or does not go along."""
        self._n_waiting += 1
        try:
            while not self.is_over and self.goes_along(place):
                self._progress.clear()
                await self._progress.wait()
        finally:
            self._n_waiting -= 1
        if self.task.cancelled() or not self.is_over:
            return False
        self.task.result()  # an engine's error reaches who waited for it
        return self.goes_along(place)

    def stop_if_alone(self) -> None:
        if not self._n_waiting:
            self.task.cancel()

    async def _fly(self, engine: Engine, request: GenerateRequest) -> None:
        async with aclosing(engine.generate(request)) as pieces:
            async for piece in pieces:
                self._text += piece
                self._progress.set()
                if has_ended(self._text, self._origin.context):
                    break
        self._remember(self._origin, self._text)

    def _wake(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # it is no news to the event loop
        self._progress.set()
