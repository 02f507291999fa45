"""Keeps what was once taken out from coming back: asked by every later ingest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexer.optout.ledger import FORGET, ledger_path, read_ledger
from indexer.optout.selector import Selector, match
from indexer.optout.swhid import sha1_git
from indexer.source_file import SourceFile
from indexer.text.normalize import to_bytes


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """All requests so far; a plain value, so that it can be sent to other processes."""

    selectors: tuple[Selector, ...] = ()
    removed: frozenset[str] = frozenset()  # sha256 of each text that was taken out

    @classmethod
    def open(cls, path: Path | None = None) -> LedgerFilter:
        """What the ledger of the data home, or the one in `path`, says now.

        Raises:
            LedgerBrokenError: it is not what was written; nothing may be indexed then.
        """
        requests = [
            entry.request for entry in read_ledger(path or ledger_path()) if entry.kind == FORGET
        ]
        return cls(
            selectors=tuple(dict.fromkeys(request.selector for request in requests)),
            removed=frozenset(sha256 for request in requests for sha256 in request.removed),
        )

    def why_not(self, file: SourceFile) -> str | None:
        """Which request keeps a file out, in words; None: it may be indexed."""
        if not self.selectors:
            return None
        data = to_bytes(file.text)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in self.removed:
            return f"sha256 {sha256}"
        origins = (file.origin, *file.twins)
        for selector in self.selectors:
            ask = partial(sha1_git, data)
            if match(selector, origins=origins, sha256=sha256, sha1_git=ask) is not None:
                return str(selector)
        return None


def without_forgotten(
    files: Iterable[SourceFile],
    *,
    path: Path | None = None,
    on_drop: Callable[[SourceFile, str], None] = lambda _file, _why: None,
) -> Iterator[SourceFile]:
    """The files that nobody asked to leave out; the ledger is read when the first is asked for.

    Raises:
        LedgerBrokenError: the ledger is not what was written.
    """
    ledger = LedgerFilter.open(path)
    for file in files:
        why = ledger.why_not(file)
        if why is None:
            yield file
        else:
            on_drop(file, why)
