"""What can go wrong with a service elsewhere; each ends in UNKNOWN, never in "nothing found"."""

from __future__ import annotations

from attribution.errors import AttributionFailure
from indexer import IndexerError


class RemoteError(AttributionFailure, IndexerError):
    """The service cannot be asked, or its answer cannot be read."""


class RemoteSettingError(RemoteError):
    """The address or the token of a service cannot be used."""


class OtherGenerationError(RemoteError):
    """The service's index was changed between two questions of one trace."""
