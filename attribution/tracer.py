"""The trace: snippet → fingerprints → candidates → alignment on stored text → verdict."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution import align, fuse, inexact, judge, retrieve
from attribution.align import Lexed
from attribution.config import TraceConfig
from attribution.judge import Finding
from attribution.positions import Positions
from attribution.sources import Asked, lead_of, match_of, stored_bytes
from attribution.types import Lead, Match, Trace, Verdict
from indexer import (
    Document,
    Index,
    IndexerError,
    default_index_path,
    lex,
    start_hypotheses,
    winnow,
)
from indexer.errors import DocumentForgottenError

_MAX_FORGOTTEN_MEANWHILE = 3  # times that one trace starts over because of that
MISSING_VIEWS = ("dense",)  # no index has vectors yet, so none brings candidates
Answer = tuple[tuple[Match, ...], tuple[Lead, ...]]
_LEAD_K = 8  # lexemes in a seed of documents that came without fingerprint hits


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reading:
    """The query lexed under one start hypothesis, and what its fingerprints hit."""

    query: Lexed
    positions: NDArray[np.int64]  # lexeme index of each fingerprint's first lexeme
    hits: retrieve.Hits
    chains: retrieve.Chains
    ranked: list[int]  # documents by what view E has of them, best first
    e_coverage: float  # the part of the fingerprints that the first of them has


class Tracer:
    """Traces text back to the documents of an index; safe to share between threads."""

    def __init__(self, index: Index, config: TraceConfig | None = None) -> None:
        self.index = index
        self.config = config or TraceConfig()
        self._lexed = lru_cache(maxsize=self.config.n_cached_documents)(self._lex_document)

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
            IndexError: there is no such document.
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
        reason = ""
        data = text.encode("utf-8", "replace")  # a lone surrogate becomes one "?": offsets hold
        if len(data) > self.config.max_query_bytes:
            limit = self.config.max_query_bytes
            reason = f"the text has {len(data):,} bytes, more than {limit:,}: trace a part of it"
        else:
            try:
                matches, leads = self._matches_of_live(data, language, with_leads=with_leads)
            except IndexerError as error:
                reason = str(error)
        verdict = Verdict.FOUND if matches else Verdict.NONE
        return Trace(
            verdict=Verdict.UNKNOWN if reason else verdict,
            matches=matches,
            corpus_digest=self.index.manifest.corpus_digest,
            elapsed_ms=(time.perf_counter() - started) * 1000,
            reason=reason,
            leads=leads,
            missing_views=MISSING_VIEWS,
        )

    def _matches_of_live(self, data: bytes, language: str, *, with_leads: bool) -> Answer:
        """Look again where a document was forgotten while it was being looked at."""
        for _ in range(_MAX_FORGOTTEN_MEANWHILE):
            try:
                return self._answer(data, language, with_leads=with_leads)
            except DocumentForgottenError:
                continue
        return self._answer(data, language, with_leads=with_leads)

    def _answer(self, data: bytes, language: str, *, with_leads: bool) -> Answer:
        """Exact runs; what they leave, renamed or edited; comments where nothing is found."""
        reading, findings = self._best_reading(data, language)
        query = reading.query
        n_lexemes = len(query.lexemes)
        n_left = n_lexemes - judge.n_lexemes_covered(findings, n_lexemes)
        is_inexact_wanted = n_left >= min(self.config.min_covering_lexemes, max(1, n_lexemes))
        candidates: list[fuse.Candidate] = []
        if len(data) <= self.config.max_inexact_bytes and (is_inexact_wanted or with_leads):
            sketched = inexact.sketch(self.index, query, language)
            candidates = inexact.candidates(
                sketched,
                by_e=reading.ranked,
                e_coverage=reading.e_coverage,
                by_words=self._leads(data),
            )
            if is_inexact_wanted:
                aligner = inexact.Aligner(query, language, sketched, self.config)
                findings += self._findings_of(aligner, query, candidates)
        if not findings:
            with_comments = Lexed(data=data, lexemes=lex(data, language, keep_comments=True))
            if self._is_worth_a_closer_look(with_comments, language):
                query = with_comments
                findings = list(self._findings_by_search(query))
        matches = self._matches(query, reading, findings, language)
        claimed = {source.document_id for match in matches for source in match.sources}
        unclaimed = [one for one in candidates if one.document_id not in claimed]
        wanted = unclaimed[: self.config.max_leads] if with_leads else []
        return matches, tuple(lead_of(self.index, one) for one in wanted)

    def _findings_of(
        self, aligner: inexact.Aligner, query: Lexed, candidates: list[fuse.Candidate]
    ) -> Iterator[Finding]:
        """What can be claimed of the candidates that are worth aligning."""
        is_short = len(query.lexemes) <= self.config.max_short_lexemes
        limit = self.config.max_leads if is_short else self.config.max_inexact
        for document_id in inexact.worth_aligning(candidates, limit=limit, is_short=is_short):
            document = self._lexed(document_id, keep_comments=False)
            if is_short:  # a copy of so little may have no fingerprint
                k = min(_LEAD_K, max(2, len(query.lexemes) // 2))
                ours, theirs = query.lexemes.hashes, document.lexemes.hashes
                diagonals = align.seed_diagonals(ours, theirs, k=k)
                yield from self._findings(query, document_id, document, diagonals)
            language = self.index.document(document_id).language
            yield from aligner.findings(document_id, document, language)

    def _matches(
        self, query: Lexed, reading: Reading, findings: list[Finding], language: str
    ) -> tuple[Match, ...]:
        data = query.data
        groups = judge.grouped(findings, n_query_lexemes=len(query.lexemes), config=self.config)
        positions = Positions(data)
        n_left = self.config.max_recounted
        matches = []
        for group in groups:
            is_exact = query is reading.query and group[0].is_exact
            others = self._others(group, reading)[:n_left] if is_exact else []
            n_left -= len(others)
            asked = Asked(query=query, language=language, positions=positions)
            matches.append(match_of(self.index, group, others, asked, self.config))
        return tuple(sorted(matches, key=lambda match: match.query.start))

    def _best_reading(self, data: bytes, language: str) -> tuple[Reading, list[Finding]]:
        """The start hypothesis under which most of the text is found; the plain one if they tie."""
        best: tuple[Reading, list[Finding]] | None = None
        most = -1
        for inside in self._hypotheses(data, language):
            reading = self._read(data, language, inside)
            findings = list(self._findings_by_fingerprint(reading))
            n_found = judge.n_bytes_covered(findings)
            if n_found > most:
                best, most = (reading, findings), n_found
            if most == len(data):
                break
        if best is None:
            raise ValueError("there is always the hypothesis that a text starts in code")
        return best

    def _hypotheses(self, data: bytes, language: str) -> tuple[bytes, ...]:
        if len(data) > self.config.max_fragment_bytes:
            return (b"",)
        return start_hypotheses(data, language)

    def _read(self, data: bytes, language: str, inside: bytes) -> Reading:
        manifest = self.index.manifest
        query = Lexed(data=data, lexemes=lex(data, language, inside=inside))
        fingerprints = retrieve.without_repeats(
            winnow(query.lexemes.hashes, k=manifest.k, w=manifest.w)
        )
        positions = fingerprints.positions
        hits = retrieve.sorted_hits(self.index.lookup(fingerprints.values))
        ranked, e_coverage = inexact.ranked(
            hits, n_fingerprints=len(positions), at_least=max(1, len(positions) // 10)
        )
        n_lexemes = len(query.lexemes)
        chains, last = retrieve.chains_of(
            hits, positions, n_lexemes=n_lexemes, k=manifest.k, w=manifest.w
        )
        shortest = judge.shortest_claim(n_lexemes, self.config)
        chains = retrieve.promising(chains, shortest=shortest)
        hits = retrieve.hits_of(hits, last, chains)
        return Reading(
            query=query,
            positions=positions,
            hits=hits,
            chains=chains,
            ranked=ranked,
            e_coverage=e_coverage,
        )

    def _findings_by_fingerprint(self, reading: Reading) -> Iterator[Finding]:
        preferred: Iterable[int] = ()
        if retrieve.n_longest(reading.chains) > self.config.max_per_region:
            preferred = self._leads(reading.query.data)  # more ties than can be aligned
        documents = retrieve.choose_documents(
            reading.chains,
            n_lexemes=len(reading.query.lexemes),
            preferred=frozenset(preferred),
            config=self.config,
        )
        for document_id in documents:
            document = self._lexed(document_id, keep_comments=False)
            first, last = np.searchsorted(reading.hits.document_id, [document_id, document_id + 1])
            held = np.searchsorted(document.lexemes.starts, reading.hits.offset[first:last])
            diagonals = held - reading.positions[reading.hits.query_index[first:last]]
            yield from self._findings(reading.query, document_id, document, diagonals)

    def _findings_by_search(self, query: Lexed) -> Iterator[Finding]:
        for document_id in self._leads(query.data):
            document = self._lexed(document_id, keep_comments=True)
            diagonals = align.seed_diagonals(
                query.lexemes.hashes, document.lexemes.hashes, k=_LEAD_K
            )
            yield from self._findings(query, document_id, document, diagonals)

    def _is_worth_a_closer_look(self, with_comments: Lexed, language: str) -> bool:
        """Whether a snippet may be known by its comments, which have no fingerprints."""
        data, n_with_comments = with_comments.data, len(with_comments.lexemes)
        if n_with_comments < self.config.min_covering_lexemes:
            return False
        if len(data) > self.config.max_snippet_bytes:
            return False
        hypotheses = self._hypotheses(data, language)
        n_lexemes = min(len(lex(data, language, inside=inside)) for inside in hypotheses)
        if n_lexemes == n_with_comments:
            return False
        # The membership filter reads every character, comments too; it misses very short texts.
        if n_lexemes < self.config.min_covering_lexemes:
            return True
        return self.index.longest_chain(data.decode()) >= self.config.min_chain

    def _leads(self, data: bytes) -> list[int]:
        """The documents that full-text search finds, best first."""
        text = data[: self.config.max_snippet_bytes].decode("utf-8", "ignore")
        leads = self.index.search(text, top_k=self.config.max_leads)
        return list(dict.fromkeys(lead.document_id for lead in leads))

    def _findings(
        self, query: Lexed, document_id: int, document: Lexed, diagonals: NDArray[np.int64]
    ) -> Iterator[Finding]:
        hashes = query.lexemes.hashes
        shortest = judge.shortest_claim(len(hashes), self.config)
        runs = align.shared_runs(
            hashes,
            document.lexemes.hashes,
            align.best_diagonals(diagonals, self.config.max_diagonals),
            min_length=shortest,
        )
        for maximal in runs:
            run = align.without_ragged_ends(query, maximal, min_length=shortest)
            reasons = judge.exact_reasons(
                n_lexemes=run.length,
                n_distinct_pairs=align.n_distinct_pairs(hashes[run.query : run.query + run.length]),
                n_query_lexemes=len(hashes),
                config=self.config,
            )
            core = align.core_extent(query, document, run)
            text = query.data[core.query_start : core.query_end]
            if judge.all_hold(reasons):
                yield Finding(
                    document_id=document_id,
                    run=run,
                    core=core,
                    extent=align.widened_extent(query, document, run),
                    tier=judge.tier_of(
                        text, document.data[core.document_start : core.document_end]
                    ),
                    reasons=reasons,
                )

    def _others(self, group: list[Finding], reading: Reading) -> list[int]:
        """Documents that hold the group's run too, if their fingerprints are right."""
        run = group[0].run
        known = {finding.document_id for finding in group}
        likely = retrieve.holders(
            reading.chains, run.query, run.query + run.length, w=self.index.manifest.w
        )
        return [document_id for document_id in likely if document_id not in known]

    def _lex_document(self, document_id: int, *, keep_comments: bool) -> Lexed:
        data = stored_bytes(self.index, document_id)
        language = self.index.document(document_id).language
        return Lexed(data=data, lexemes=lex(data, language, keep_comments=keep_comments))
