"""Asks the tracer whether documents can still be found: for receipts of what was removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from attribution.config import TraceConfig
from attribution.tracer import Tracer
from attribution.types import Verdict
from indexer import Index, IndexerError


class TraceProbe:
    """A tracer that lists every source of every match, not only the best ones."""

    name = "trace"

    def __init__(self, path: Path) -> None:
        unlimited = replace(TraceConfig(), max_sources=1_000_000, max_matches=1_000_000)
        self._tracer = Tracer(Index.open(path), unlimited)

    def ask(self, text: str, language: str) -> frozenset[str]:
        """The sha256 of every document that the trace of a text names.

        Raises:
            IndexerError: the trace could not look.
        """
        trace = self._tracer.trace(text, language=language)
        if trace.verdict is Verdict.UNKNOWN:
            raise IndexerError(trace.reason)
        return frozenset(
            source.document_sha256 for match in trace.matches for source in match.sources
        )

    def close(self) -> None:
        """Close the index."""
        self._tracer.close()
