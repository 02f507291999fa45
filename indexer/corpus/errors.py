"""What can go wrong between a lock file and the text of a corpus."""

from __future__ import annotations

from indexer.errors import IndexerError


class CorpusError(IndexerError):
    """A corpus could not be locked, fetched or read."""


class LockError(CorpusError):
    """A lock or names file is not what this version reads."""

    exit_code = 2


class FetchError(CorpusError):
    """Packages could not be fetched; what was fetched and checked before is kept."""


class HashMismatchError(FetchError):
    """A package index gave a file other than the one in the lock."""


class NoNetworkError(FetchError):
    """The package index could not be reached."""


class CorpusMissingError(CorpusError):
    """A folder holds no complete corpus."""


class CorpusDamagedError(CorpusError):
    """A file of a fetched corpus is missing, changed or no readable archive."""


class ExtraMissingError(CorpusError):
    """A reader needs a package of the `corpus` extra that is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f'{package} is not installed; run: pip install "starcite[corpus]"')


class CheckoutError(CorpusError):
    """A git checkout cannot be read."""


class UnknownCorpusError(CorpusError):
    """A path holds nothing that a reader knows."""
