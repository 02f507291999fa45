"""What can go wrong between the files of a corpus and its shards."""

from __future__ import annotations

from indexer.errors import IndexerError


class CurateError(IndexerError):
    """A corpus could not be curated or read back."""


class CurateConfigError(CurateError):
    """A configuration has an unknown key or a value that no rule can use."""

    exit_code = 2


class ShardsMissingError(CurateError):
    """A folder holds no complete set of shards."""


class ShardsDamagedError(CurateError):
    """A file of a set of shards is missing, truncated or not what was written."""
