"""What can go wrong when somebody wants to be left out; a message holds the next step."""

from __future__ import annotations

from pathlib import Path

from indexer.errors import IndexerError


class OptoutError(IndexerError):
    """A request to be left out, or to be found, could not be carried out."""


class SelectorError(OptoutError):
    """What was asked for cannot be read; nothing was looked up."""

    exit_code = 2


class LedgerBrokenError(OptoutError):
    """The ledger of what was left out is not what was written."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"the opt-out ledger {path} is broken: {what}; put back a copy of it (each receipt "
            "names the entry it belongs to), and nothing is indexed until then"
        )
        self.path = path


class ReceiptError(OptoutError):
    """A receipt does not prove what it says."""


class MissingExtraError(OptoutError):
    """A package of the `corpus` extra is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f'{package} is not installed; run: pip install "starcite[corpus]"')
