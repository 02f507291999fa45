"""The model's side of an engine: a blocking loop that the worker process runs in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from lsp_server.engine.base import GenerateRequest
from lsp_server.errors import WorkerError

Step = Callable[[str], bool]  # takes the new text, possibly ""; returns whether to go on


class ModelLoop(Protocol):
    """A loaded model that answers one request per slot at a time."""

    n_slots: int  # how many documents keep their prefix cached

    def run(self, request: GenerateRequest, slot: int, step: Step) -> None:
        """Generate, calling `step` after every token and every batch of the prompt.

        Raises:
            WorkerError: the model refuses the request.
        """


class ScriptedLoop:
    """Answers as written: `{end of prompt: answer}`, a token (four characters) per `delay_ms`."""

    n_slots = 2

    def __init__(self, script: Mapping[str, str], delay_ms: float = 0) -> None:
        self._script, self._delay_s = dict(script), delay_ms / 1000

    def run(self, request: GenerateRequest, slot: int, step: Step) -> None:
        """Emit the answer of the longest key that ends the prompt; "!" in front means an error."""
        before = request.prompt + request.forced
        answer = max(
            ((len(key), text) for key, text in self._script.items() if before.endswith(key)),
            default=(0, ""),
        )[1]
        if answer.startswith("!"):
            raise WorkerError(answer[1:])
        for start in range(0, len(answer), 4):
            time.sleep(self._delay_s)
            if not step(answer[start : start + 4]):
                return
