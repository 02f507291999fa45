"""Queries to the dense views of an open index; the first one loads the encoder and FAISS."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import IndexerError
from indexer.liveness import Mask
from indexer.manifest import Manifest
from indexer.store.dense import FOLDER_NAME, DenseReader, has_view
from indexer.store.lexical import Lead
from indexer.text.fragments import fragments_of

if TYPE_CHECKING:
    from stareencoder import Encoder

log = logging.getLogger(__name__)

_MAX_FRAGMENTS = 8  # of a query; a longer one is asked for by as many, evenly spread


class DenseSearch:
    """The views of one index, as far as it has them."""

    def __init__(self, path: Path, manifest: Manifest, bases: Sequence[int]) -> None:
        self._folders = [
            (path / FOLDER_NAME / name, base)
            for name, base in zip(manifest.segments, bases, strict=False)
            if has_view(manifest.files, name)
        ]
        can_search = bool(self._folders) and find_spec("faiss") is not None
        self.is_whole = can_search and len(self._folders) == len(manifest.segments)
        self._can_search = can_search
        self._opening = threading.Lock()
        self._opened: tuple[Encoder, list[tuple[DenseReader, int]]] | None = None

    def search(self, text: str, forgotten: Mask | None, *, top_k: int) -> list[Lead]:
        """The fragments of live documents that are nearest to any fragment of a text, best first.

        Each stands there once, with its highest cosine.
        """
        if not self._can_search or top_k < 1:
            return []
        encoder, views = self._open()
        fragments = [one.text for one in fragments_of(text)]
        step = max(1, -(-len(fragments) // _MAX_FRAGMENTS))
        best: dict[tuple[int, int, int], float] = {}
        for vector in encoder.encode(fragments[::step]):
            for view, base in views:
                is_live = _live(forgotten, base)
                for near in view.search(vector, top_k=top_k, is_live=is_live):
                    place = (near.number + base, near.start_line, near.end_line)
                    best[place] = max(best.get(place, -1.0), near.cosine)
        leads = [
            Lead(document_id=document_id, start_line=start, end_line=end, score=score)
            for (document_id, start, end), score in best.items()
        ]
        return sorted(leads, key=lambda one: (-one.score, one.document_id, one.start_line))[:top_k]

    def _open(self) -> tuple[Encoder, list[tuple[DenseReader, int]]]:
        with self._opening:
            if self._opened is None:
                from stareencoder import Encoder  # noqa: PLC0415  # only a dense view needs it

                encoder, views = Encoder(), []
                for folder, base in self._folders:
                    try:
                        view = DenseReader(folder)
                    except IndexerError as error:
                        # A newer generation may have taken it away; leads are not evidence.
                        log.warning("dense view not opened reason=%s", type(error).__name__)
                        continue
                    if view.view.encoder_sha256 == encoder.digest:
                        views.append((view, base))
                self._opened = encoder, views
            return self._opened


def _live(forgotten: Mask | None, base: int) -> Callable[[int], bool]:
    if forgotten is None:
        return lambda _number: True
    return lambda number: not forgotten[base + number]
