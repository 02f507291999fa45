"""The default corpus as the default index holds it: the frozen packages, and Python's own library.

Each is curated into a folder of shards of its own, whose digest the index names. What is there and
as it was frozen is not made again; what was begun is gone on with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from indexer.config import frozen_corpus_path, library_corpus_path
from indexer.corpus import Inventory, read_inventory
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.errors import CurateError
from indexer.curate.frozen import default_digest, read_frozen
from indexer.curate.shards import is_shards, read_shards_manifest
from indexer.curate.sources import STANDARD_LIBRARY, Sources
from indexer.curate.steps import make_steps

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


def curate_default(corpus: Path, progress: Progress) -> list[Path]:
    """Curate what was fetched; the folders of shards, that of the packages first.

    Raises:
        CorpusError: nothing was fetched, or it is damaged.
        CurateError: it cannot be curated.
    """
    inventory = read_inventory(corpus)
    has_library = any(archive.source == STANDARD_LIBRARY for archive in inventory.archives)
    has_packages = len(inventory.archives) > has_library
    folders = []
    if has_packages:
        folders.append(frozen_corpus_path())
        if not _is_frozen(folders[-1], inventory):
            _curate(Sources([corpus], standard_library=False), folders[-1], progress)
    if has_library:
        folders.append(library_corpus_path())
        _curate(Sources([corpus], packages=False), folders[-1], progress)
    return folders


def is_default_frozen(folder: Path) -> bool:
    """Whether shards are the frozen corpus that models are trained on."""
    digest = read_shards_manifest(folder).corpus_digest
    return digest == read_frozen(default_digest()).corpus_digest


def _is_frozen(folder: Path, inventory: Inventory) -> bool:
    """Whether shards are there that a rebuild would not change."""
    if not is_shards(folder):
        return False
    try:
        manifest, frozen = read_shards_manifest(folder), read_frozen(default_digest())
        sizes = {path.name for path in folder.iterdir() if path.stat().st_size}
    except (CurateError, OSError):
        return False
    return (
        inventory.lock_sha256 == frozen.lock_sha256
        and manifest.steps == frozen.steps
        and manifest.corpus_digest == frozen.corpus_digest
        and {shard.name for shard in manifest.shards} <= sizes
    )


def _curate(sources: Sources, folder: Path, progress: Progress) -> None:
    manifest = curate_corpus(
        Task(
            read=sources.read,
            folder=folder.absolute(),
            make_steps=partial(make_steps, benchmarks=sources.benchmarks()),
            skipped=sources.skipped,
        ),
        progress,
    )
    log.info("default corpus curated folder=%s digest=%s", folder.name, manifest.corpus_digest)
