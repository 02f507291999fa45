"""What is evaluated, as seen by the tasks: text in, text or a number out.

A model, a baseline and a lane of the language server all answer through these three protocols,
so that one table compares them. Nothing here knows how an answer comes about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Answerer(Protocol):
    """Writes what belongs between two texts."""

    @property
    def name(self) -> str:
        """The row of the table."""

    def complete(self, prefix: str, suffix: str, *, one_line: bool) -> str:
        """The text at the cursor, greedily; up to the end of the line if `one_line`."""


class Scorer(Protocol):
    """Says how well it foresaw a text."""

    @property
    def name(self) -> str:
        """The row of the table."""

    def nats(self, text: str) -> float:
        """-ln p(text) of the whole text from its first character on; base e."""


class Sampler(Protocol):
    """Draws continuations at random."""

    @property
    def name(self) -> str:
        """The row of the table."""

    def sample(
        self, prompt: str, *, temperature: float, max_tokens: int, stop: Sequence[str], seed: int
    ) -> str:
        """One continuation, cut before the first of `stop`; greedy at temperature 0."""
