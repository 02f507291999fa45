"""Corpus → text → store → manifest: builds the attribution index and owns every on-disk format."""

from indexer.config import data_home, default_index_path
from indexer.source_file import Origin, SourceFile

__all__ = ["Origin", "SourceFile", "data_home", "default_index_path"]
