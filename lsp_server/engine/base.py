"""The one seam between the completion pipeline and whatever runs a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["missing", "loading", "ready", "error"]


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """Whether an engine can answer; `detail` is one line for people, with the next step."""

    name: str
    state: State
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """A prompt that is ready for the model.

    `document` names the prompt's document: an engine keeps one cached prefix for each. The model
    must begin with `forced` (token healing); what is yielded comes after it. A line ends at its
    newline unless `multiline`. At temperature 0 the likeliest token is taken, above it one is drawn
    from those that have `top_p` of the chances together; the same `seed` draws the same.
    """

    document: str
    prompt: str
    forced: str = ""
    stop: tuple[str, ...] = ()
    max_tokens: int = 32
    multiline: bool = False
    temperature: float = 0.0
    top_p: float = 0.95
    seed: int = 0


StateListener = Callable[[EngineState], None]


class Engine(Protocol):
    """Runs one model; one answer per request."""

    @property
    def name(self) -> str:
        """The model's name, as its manifest says."""

    @property
    def family(self) -> str:
        """Which prompts the model was trained on: a key of `lsp_server.prompt.FAMILIES`."""

    @property
    def corpus_digest(self) -> str:
        """Of the corpus that the model was trained on; "" where nobody knows."""

    @property
    def state(self) -> EngineState:
        """Whether a request would be answered now."""

    def on_state_change(self, listener: StateListener) -> None:
        """Call `listener` on the event loop after every change of state."""

    def generate(self, request: GenerateRequest) -> AsyncGenerator[str, None]:
        """Yield the model's text in pieces; closing the generator stops the model."""

    async def warm(self, request: GenerateRequest) -> None:
        """Read the prompt into the model's cache, so that the next request starts at once."""

    async def close(self) -> None:
        """Let go of the model; what is being generated stops."""
