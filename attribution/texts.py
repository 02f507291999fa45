"""The stored texts that a trace reads, and their lexemes; the last ones are kept."""

from __future__ import annotations

from functools import lru_cache

from attribution.align import Lexed
from attribution.sources import stored_bytes
from indexer import Index, lex


class Texts:
    """Reads documents of an index; safe to share between threads."""

    def __init__(self, index: Index, *, n_cached: int) -> None:
        self._index = index
        self._stored = lru_cache(maxsize=n_cached)(self._read)
        self._whole = lru_cache(maxsize=n_cached)(self._lex)

    def lexed(self, document_id: int, *, keep_comments: bool = False) -> Lexed:
        """A document and all of its lexemes.

        Raises:
            IndexerError: it cannot be read.
        """
        self._index.document(document_id)  # refuses what has been forgotten since it was kept
        return self._whole(document_id, keep_comments=keep_comments)

    def data(self, document_id: int) -> bytes:
        """A document in UTF-8.

        Raises:
            IndexerError: it cannot be read.
        """
        self._index.document(document_id)
        return self._stored(document_id)

    def part(self, document_id: int, part: tuple[int, int]) -> Lexed:
        """A document and the lexemes of some whole lines of it, given as a range of bytes.

        Raises:
            IndexerError: it cannot be read.
        """
        language = self._index.document(document_id).language
        data = self._stored(document_id)
        return Lexed(data=data, lexemes=lex(data, language, part=part))

    def _read(self, document_id: int) -> bytes:
        return stored_bytes(self._index, document_id)

    def _lex(self, document_id: int, *, keep_comments: bool) -> Lexed:
        data = self._stored(document_id)
        language = self._index.document(document_id).language
        return Lexed(data=data, lexemes=lex(data, language, keep_comments=keep_comments))
