"""A tracer whose index is a service elsewhere: the same interface, and a budget of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attribution.remote.errors import RemoteError

if TYPE_CHECKING:
    from attribution.remote.tracer import RemoteTracer as RemoteTracer

__all__ = ["RemoteError", "RemoteTracer"]


def __getattr__(name: str) -> Any:
    """Import the tracer only when somebody traces."""
    if name != "RemoteTracer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from attribution.remote.tracer import RemoteTracer  # noqa: PLC0415

    return RemoteTracer
