"""Snippet → membership → candidates → alignment → verdict: where did this code come from?"""

from typing import TYPE_CHECKING, Any

from attribution.errors import AttributionFailure
from attribution.types import Claim, Match, SourceSpan, Span, Tier, Trace, Verdict

if TYPE_CHECKING:
    from attribution.tracer import Tracer

__all__ = [
    "AttributionFailure",
    "Claim",
    "Match",
    "SourceSpan",
    "Span",
    "Tier",
    "Trace",
    "Tracer",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    """Import the tracer, and with it the index, only when somebody traces."""
    if name != "Tracer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from attribution.tracer import Tracer  # noqa: PLC0415

    return Tracer
