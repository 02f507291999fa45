"""From packages, checkouts, data sets and notebooks to one record type: `SourceFile`."""

from indexer.corpus.errors import CorpusError
from indexer.corpus.fetch import fetch_corpus
from indexer.corpus.inventory import Inventory, read_inventory
from indexer.corpus.lock import Lock, default_lock, read_lock
from indexer.corpus.opening import open_corpus
from indexer.corpus.packages import read_corpus
from indexer.corpus.skips import Skip

__all__ = [
    "CorpusError",
    "Inventory",
    "Lock",
    "Skip",
    "default_lock",
    "fetch_corpus",
    "open_corpus",
    "read_corpus",
    "read_inventory",
    "read_lock",
]
