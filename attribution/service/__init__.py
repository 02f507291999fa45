"""The HTTP service over an index: door → lane → worker → answer, for browsers and for teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attribution.service.app import create_app as create_app
    from attribution.service.door import Service as Service

__all__ = ["Service", "create_app"]


def __getattr__(name: str) -> Any:
    """Import the HTTP stack only for those who serve: a worker does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from attribution.service import app  # noqa: PLC0415

    return getattr(app, name)
