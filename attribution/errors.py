"""What can go wrong on the query side; an index that cannot be read raises `indexer` errors."""

from __future__ import annotations


class AttributionFailure(Exception):  # noqa: N818 (AttributionError reads as AttributeError)
    """The base of this package's errors; the message holds the value and the next step."""


class TargetError(AttributionFailure):
    """What was asked to be traced cannot be read: a bad path, range or encoding."""

    def __init__(self, message: str, *, is_nothing_to_trace: bool = False) -> None:
        super().__init__(message)
        self.is_nothing_to_trace = is_nothing_to_trace  # it is empty or binary: no code is missed


class LookError(AttributionFailure):
    """Nobody could look, though an index is there: a process was ended from outside."""


class OutputError(AttributionFailure):
    """What was found cannot be written where it was asked to."""


class CertificateError(AttributionFailure):
    """A negative certificate cannot be issued, or does not hold."""


class MissingExtraError(AttributionFailure):
    """A library of an extra is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        name = module.partition(".")[0]
        super().__init__(f'{name} is not installed; run: pip install "starcite[{extra}]"')


class ServeError(AttributionFailure):
    """The service was told to listen in a way that it refuses: a bad token, an open door."""


class QueryRefusedError(AttributionFailure):
    """A question to the service cannot be read."""


class BusyError(AttributionFailure):
    """The service has as many questions as it takes at a time."""


class LookTooLongError(AttributionFailure):
    """A look-up took longer than the service allows and was given up."""


class WorkerLostError(AttributionFailure):
    """A process that looked something up has died, and so has the one that took its place."""


class NoSuchViewError(QueryRefusedError):
    """The index does not have the view that was asked for."""


class OtherDocumentError(QueryRefusedError):
    """The document of that number is another one by now."""


class RequestRefusedError(AttributionFailure):
    """A request cannot be taken as it came; `status` is that of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
