"""From a lock file to the text of permissively licensed packages."""

from indexer.corpus.errors import CorpusError
from indexer.corpus.fetch import fetch_corpus
from indexer.corpus.inventory import Inventory, read_inventory
from indexer.corpus.lock import Lock, default_lock, read_lock
from indexer.corpus.packages import Skip, read_corpus

__all__ = [
    "CorpusError",
    "Inventory",
    "Lock",
    "Skip",
    "default_lock",
    "fetch_corpus",
    "read_corpus",
    "read_inventory",
    "read_lock",
]
