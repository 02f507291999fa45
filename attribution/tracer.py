"""The trace: snippet → fingerprints → candidates → alignment on stored text → verdict."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attribution import blocks, fuse, inexact, judge
from attribution.align import Lexed
from attribution.config import TraceConfig
from attribution.exact import Exact, Reading
from attribution.judge import Finding
from attribution.parts import parts_of
from attribution.positions import Positions
from attribution.sources import Asked, lead_of, match_of
from attribution.texts import Texts
from attribution.types import Lead, Match, Trace, Verdict
from indexer import Document, Index, IndexerError, default_index_path
from indexer.errors import DocumentForgottenError
from indexer.store.lexical import Lead as Chunk

_MAX_FORGOTTEN_MEANWHILE = 3  # times that one trace starts over because of that
_SEED_K = 8  # lexemes in a seed of a short text that no fingerprint may know
Answer = tuple[tuple[Match, ...], tuple[Lead, ...], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What came of looking a text up, or a block of it."""

    start: int  # byte of the whole text at which it begins
    reading: Reading
    query: Lexed  # what the groups are about: the reading, or the text with its comments
    groups: list[list[Finding]]
    candidates: list[fuse.Candidate]


class Tracer:
    """Traces text back to the documents of an index; safe to share between threads."""

    def __init__(self, index: Index, config: TraceConfig | None = None) -> None:
        self.index = index
        self.config = config or TraceConfig()
        self._texts = Texts(index, n_cached=self.config.n_cached_documents)
        self._exact = Exact(index, self._texts, self.config)

    @classmethod
    def open(cls, path: Path | None = None) -> Tracer:
        """A tracer on the index in `path`, or on the default one.

        Raises:
            IndexerError: there is no index, it is damaged or of another format.
        """
        return cls(Index.open(path or default_index_path()))

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def source(self, document_id: int) -> tuple[Document, str]:
        """An indexed document and its stored text.

        Raises:
            IndexerError: there is no such document.
            IndexerError: it cannot be read.
        """
        return self.index.document(document_id), self.index.text(document_id)

    def trace(self, text: str, *, language: str = "python", with_leads: bool = False) -> Trace:
        """Where the text came from: what of it indexed documents hold, and how that is evidenced.

        NONE is an answer: no run of `min_lexemes` lexemes is shared. UNKNOWN is none: the reason
        says what kept the trace from looking. Leads, of which nothing is claimed, are listed on
        request.
        """
        started = time.perf_counter()
        matches: tuple[Match, ...] = ()
        leads: tuple[Lead, ...] = ()
        reason = unsearched = ""
        data = text.encode("utf-8", "replace")  # a lone surrogate becomes one "?": offsets hold
        if len(data) > self.config.max_query_bytes:
            limit = self.config.max_query_bytes
            reason = f"the text has {len(data):,} bytes, more than {limit:,}: trace a part of it"
        else:
            try:
                matches, leads, unsearched = self._answer_of_live(
                    data, language, with_leads=with_leads
                )
            except IndexerError as error:
                reason = str(error)
        verdict = Verdict.FOUND if matches else Verdict.NONE
        return Trace(
            verdict=Verdict.UNKNOWN if reason else verdict,
            matches=matches,
            corpus_digest=self.index.manifest.corpus_digest,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            reason=reason,
            unsearched=unsearched,
            leads=leads,
            missing_views=self.index.missing_views,
        )

    def _answer_of_live(self, data: bytes, language: str, *, with_leads: bool) -> Answer:
        """Look again where a document was forgotten while it was being looked at."""
        for _ in range(_MAX_FORGOTTEN_MEANWHILE):
            try:
                return self._answer(data, language, with_leads=with_leads)
            except DocumentForgottenError:
                continue
        return self._answer(data, language, with_leads=with_leads)

    def _answer(self, data: bytes, language: str, *, with_leads: bool) -> Answer:
        """The whole text, then each block of it that nothing explains."""
        looks = [self._look(data, language, with_leads=with_leads)]
        waiting = deque(self._unexplained(looks[0]))
        while waiting and len(looks) <= self.config.max_blocks:
            start, end = waiting.popleft()
            looks.append(self._look(data[start:end], language, start=start))
            waiting.extend(self._unexplained(looks[-1]))
        positions = Positions(data)
        matches = [
            match for look in looks for match in self._matches(look, positions, language, len(data))
        ]
        matches.sort(key=lambda match: match.query.start)
        leads = self._leads(looks[0].candidates, matches) if with_leads else ()
        return tuple(matches), leads, _unsearched(waiting, positions)

    def _look(
        self, data: bytes, language: str, *, start: int = 0, with_leads: bool = False
    ) -> Look:
        """Exact runs; where they leave something, renamed and edited ones; at last the comments."""
        reading, findings = self._exact.best_reading(data, language)
        n_lexemes = len(reading.query.lexemes)
        n_left = n_lexemes - int(np.count_nonzero(judge.covered_by(findings, n_lexemes)))
        is_left = n_left >= min(self.config.min_left_lexemes, max(1, n_lexemes))
        is_wanted = is_left and n_lexemes <= self.config.max_block_lexemes
        candidates: list[fuse.Candidate] = []
        if is_wanted or (with_leads and len(data) <= self.config.max_inexact_bytes):
            sketched = inexact.sketch(self.index, reading.query, language)
            is_short = n_lexemes <= self.config.max_short_lexemes
            top_k = self.config.max_short_leads if is_short else self.config.max_leads
            chunks = self._exact.leads(data, top_k=top_k)
            near = self._exact.near(data)
            candidates = inexact.candidates(
                sketched,
                by_e=reading.ranked,
                e_coverage=reading.e_coverage,
                by_words=list(chunks),
                by_vectors=list(near),
            )
            chunks = near | chunks  # lines to align; where both know some, those with the words
            if is_wanted:
                aligner = inexact.Aligner(self.index, reading, language, sketched, self.config)
                findings += self._inexact(aligner, reading, candidates, chunks)
        query = reading.query
        if not findings:
            query, findings = self._exact.by_comments(data, language)
        return Look(
            start=start,
            reading=reading,
            query=query,
            groups=judge.grouped(findings, n_query_lexemes=len(query.lexemes), config=self.config),
            candidates=candidates,
        )

    def _unexplained(self, look: Look) -> Iterator[tuple[int, int]]:
        """The blocks of a text, in bytes of the whole one, that nothing found in it explains."""
        query, heads = look.query, [group[0] for group in look.groups]
        found = blocks.blocks_of(
            query,
            judge.covered_by(heads, len(query.lexemes)),
            shortest=self.config.min_block_lexemes,
            longest=self.config.max_block_lexemes,
        )
        taken = [head.extent[:2] for head in heads]
        for block in found:
            if block != (0, len(query.lexemes)):  # that has just been looked up
                start, end = blocks.bytes_of(query, block, taken)
                yield look.start + start, look.start + end

    def _inexact(
        self,
        aligner: inexact.Aligner,
        reading: Reading,
        candidates: list[fuse.Candidate],
        chunks: dict[int, list[Chunk]],
    ) -> Iterator[Finding]:
        """What can be claimed of the candidates that are worth aligning."""
        query = reading.query
        is_short = len(query.lexemes) <= self.config.max_short_lexemes
        limit = self.config.max_short_leads if is_short else self.config.max_inexact
        n_chunks = None if is_short else 1
        wanted = inexact.worth_aligning(candidates, limit=limit, is_short=is_short)
        for place, document_id in enumerate(wanted):
            parts = parts_of(
                self._texts.data(document_id),
                aligner.offsets(document_id),
                [(one.start_line, one.end_line) for one in chunks.get(document_id, [])[:n_chunks]],
                n_query_bytes=len(query.data),
            )
            for part in parts:
                document = self._texts.part(document_id, part)
                if is_short:  # a copy of so little may have no fingerprint
                    k = min(_SEED_K, max(2, len(query.lexemes) // 2))
                    yield from self._exact.by_seeds(query, document_id, document, k=k)
                if place < self.config.max_inexact:
                    yield from aligner.findings(document_id, document)

    def _matches(
        self, look: Look, positions: Positions, language: str, n_bytes: int
    ) -> Iterator[Match]:
        query = look.query
        asked = Asked(
            query=query,
            language=language,
            positions=positions,
            start=look.start,
            is_whole=len(query.data) == n_bytes,
        )
        n_left = self.config.max_recounted
        for group in look.groups:
            is_exact = query is look.reading.query and group[0].is_exact
            others = self._exact.others(group, look.reading)[:n_left] if is_exact else []
            n_left -= len(others)
            match = match_of(self.index, group, others, asked, self.config)
            is_long = match.n_lexemes >= self.config.min_covering_lexemes
            if asked.is_whole or is_long or match.is_alarm:  # of a block, nothing short and common
                yield match

    def _leads(self, candidates: list[fuse.Candidate], matches: list[Match]) -> tuple[Lead, ...]:
        claimed = {source.document_id for match in matches for source in match.sources}
        unclaimed = [one for one in candidates if one.document_id not in claimed]
        return tuple(lead_of(self.index, one) for one in unclaimed[: self.config.max_leads])


def _unsearched(waiting: deque[tuple[int, int]], positions: Positions) -> str:
    """Which lines were not searched for renamed and edited copies."""
    if not waiting:
        return ""
    lines = [positions.span(start, end) for start, end in waiting]
    n_lines = sum(span.end_line - span.start_line for span in lines)
    return (
        f"{n_lines:,} lines from line {lines[0].start_line + 1:,} on were searched for exact "
        "copies only, not for renamed and edited ones: trace them by themselves"
    )
