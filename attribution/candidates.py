"""What a tracer asks of whatever has the index: the seam for indexes that are elsewhere.

The embedded index has all of it (`indexer.Index`), and so has a service that is asked by
fingerprints alone (`attribution.remote.fingerprints`). Alignment and judging know no other way in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer import Document
from indexer.index import Postings
from indexer.store.fingerprints import View
from indexer.store.lexical import Lead


class Settings(Protocol):
    """How an index was built; what a query must do alike."""

    @property
    def k(self) -> int:
        """Lexemes in a k-gram of view E."""

    @property
    def w(self) -> int:
        """K-grams in a window of view E."""

    @property
    def p_k(self) -> int:
        """The same of view P."""

    @property
    def p_w(self) -> int:
        """The same of view P."""

    @property
    def corpus_digest(self) -> str:
        """Which corpus it holds."""


class Candidates(Protocol):
    """Brings candidates and their stored text; each method raises IndexerError if it cannot."""

    @property
    def manifest(self) -> Settings:
        """How it was built."""

    def lookup(self, fingerprints: NDArray[np.uint32], *, view: View = "e") -> Postings:
        """Where each fingerprint of a view occurs."""

    def search(self, text: str, *, top_k: int) -> Sequence[Lead]:
        """The chunks that share the rarest words with a text, best first."""

    def similar(self, text: str, *, top_k: int) -> Sequence[Lead]:
        """The fragments whose vectors are nearest to those of a text, best first; leads only."""

    @property
    def missing_views(self) -> tuple[str, ...]:
        """The kinds of candidates that it cannot bring."""

    def longest_chain(self, text: str) -> int:
        """The most membership tiles in a row that it may hold."""

    def doc_freqs(self, words: Sequence[str]) -> tuple[int, list[int]]:
        """How many chunks there are, and in how many of them each word occurs."""

    def document(self, document_id: int) -> Document:
        """What is known of a document."""

    def text(self, document_id: int) -> str:
        """The text of a document, exactly as it was indexed."""

    def corpus_of(self, document_id: int) -> str:
        """The digest of the curated corpus that a document was indexed from; "" if of none."""
