"""What came of each text or file that `starcite trace` was asked about."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.target import Target
from attribution.types import Trace


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """Whether it is proved that no run of `min_lexemes` is shared, and else why it is not."""

    min_lexemes: int
    is_proved: bool
    is_shared: bool = False  # a run is shared: not merely unproved
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A text and what was found of it."""

    target: Target
    trace: Trace
    absence: Absence | None = None  # where nothing was found: what is proved of that
    is_named: bool = True  # by the caller; else it was found in a folder or in a diff


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """A file that was found in a folder or a diff, and cannot be traced."""

    name: str
    reason: str
    is_binary: bool  # or empty: nothing in it is code. Else it may well be, and nobody looked.


Outcome = Looked | Skipped
