"""Corpus → text → store → manifest: builds the attribution index and owns every on-disk format."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from indexer.config import data_home, default_index_path
from indexer.errors import IndexerError
from indexer.source_file import Origin, SourceFile

if TYPE_CHECKING:
    from indexer.index import Index as Index
    from indexer.store.documents import Document as Document
    from indexer.text.lex import lex as lex
    from indexer.text.lex import start_hypotheses as start_hypotheses
    from indexer.text.winnow import winnow as winnow

__all__ = [
    "Document",
    "Index",
    "IndexerError",
    "Origin",
    "SourceFile",
    "data_home",
    "default_index_path",
    "lex",
    "start_hypotheses",
    "winnow",
]

_LAZY = {  # what needs numpy, zstandard or tantivy is imported when it is first asked for
    "Document": "indexer.store.documents",
    "Index": "indexer.index",
    "lex": "indexer.text.lex",
    "start_hypotheses": "indexer.text.lex",
    "winnow": "indexer.text.winnow",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
