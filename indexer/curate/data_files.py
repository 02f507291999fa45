"""Keeps JSON and YAML that a person may have written: neither tiny nor long, mostly letters."""

from __future__ import annotations

from indexer.curate.characters import count_alphabetic
from indexer.curate.config import CurateConfig
from indexer.curate.pipeline import Drop
from indexer.source_file import SourceFile

_DATA = frozenset({"json", "yaml"})


def check_data_file(file: SourceFile, *, config: CurateConfig) -> SourceFile | Drop:
    """The file, or a drop for data of the wrong size or with few letters."""
    if file.kind != "file" or file.language not in _DATA:
        return file
    n_chars = len(file.text)
    if n_chars < config.min_data_chars:
        return Drop("short data file", f"{n_chars} characters")
    if n_chars > config.max_data_chars:
        return Drop("long data file", f"{n_chars} characters")
    share = count_alphabetic(file.text) / n_chars
    if share < config.min_data_alphabetic_share:
        return Drop("data file with few letters", f"{share:.3f}")
    return file
