"""Tiers E0 to E2: runs of equal lexemes, by fingerprints, by words, or by comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution import align, inexact, judge, retrieve
from attribution.align import Lexed
from attribution.comment_lines import with_comment_lines
from attribution.config import TraceConfig
from attribution.judge import Finding
from attribution.texts import Texts
from attribution.types import Reason, Tier
from indexer import Index, lex, start_hypotheses, winnow
from indexer.store.lexical import Lead

_LEAD_K = 8  # lexemes in a seed of documents that came without fingerprint hits


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reading:
    """A text lexed under one start hypothesis, and what its fingerprints hit."""

    query: Lexed
    inside: bytes  # of what the text begins in the middle; empty for code
    positions: NDArray[np.int64]  # lexeme index of each fingerprint's first lexeme
    all_hits: retrieve.Hits
    hits: retrieve.Hits  # those of chains that may be claimed
    chains: retrieve.Chains
    ranked: list[int]  # documents by what view E has of them, best first
    e_coverage: float  # the part of the fingerprints that the first of them has


class Exact:
    """Looks up runs of equal lexemes in one index."""

    def __init__(self, index: Index, texts: Texts, config: TraceConfig) -> None:
        self._index = index
        self._texts = texts
        self._config = config

    def best_reading(self, data: bytes, language: str) -> tuple[Reading, list[Finding]]:
        """The start hypothesis under which most of the text is found; the plain one if they tie."""
        best: tuple[Reading, list[Finding]] | None = None
        most = -1
        for inside in self._hypotheses(data, language):
            reading = self._read(data, language, inside)
            findings = list(self._by_fingerprint(reading))
            n_found = judge.n_bytes_covered(findings)
            if n_found > most:
                best, most = (reading, findings), n_found
            if most == len(data):
                break
        if best is None:
            raise ValueError("there is always the hypothesis that a text starts in code")
        return best

    def by_comments(self, data: bytes, language: str) -> tuple[Lexed, list[Finding]]:
        """What a text shares once its comments count; they have no fingerprints."""
        query = Lexed(data=data, lexemes=lex(data, language, keep_comments=True))
        findings: list[Finding] = []
        if self._is_worth_a_closer_look(query, language):
            for document_id in self.leads(data):
                document = self._texts.lexed(document_id, keep_comments=True)
                findings += self.by_seeds(query, document_id, document, k=_LEAD_K)
        return query, findings

    def by_seeds(
        self, query: Lexed, document_id: int, document: Lexed, *, k: int
    ) -> Iterator[Finding]:
        """The runs that can be claimed of a document that no fingerprint has brought."""
        ours, theirs = query.lexemes.hashes, document.lexemes.hashes
        diagonals = align.seed_diagonals(ours, theirs, k=k)
        return self._findings(query, document_id, document, diagonals)

    def leads(self, data: bytes, *, top_k: int | None = None) -> dict[int, list[Lead]]:
        """The documents that full-text search finds, best first, each with its chunks."""
        text = data[: self._config.max_snippet_bytes].decode("utf-8", "ignore")
        n_chunks = self._config.max_leads if top_k is None else top_k
        found: dict[int, list[Lead]] = {}
        for lead in self._index.search(text, top_k=n_chunks):
            found.setdefault(lead.document_id, []).append(lead)
        return found

    def near(self, data: bytes) -> dict[int, list[Lead]]:
        """The documents whose vectors are near, best first, each with its fragments."""
        text = data[: self._config.max_snippet_bytes].decode("utf-8", "ignore")
        found: dict[int, list[Lead]] = {}
        for lead in self._index.similar(text, top_k=self._config.max_leads):
            found.setdefault(lead.document_id, []).append(lead)
        return found

    def others(self, group: list[Finding], reading: Reading) -> list[int]:
        """Documents that hold the group's run too, if their fingerprints are right."""
        run = group[0].run
        known = {finding.document_id for finding in group}
        likely = retrieve.holders(
            reading.chains, run.query, run.query + run.length, w=self._index.manifest.w
        )
        return [document_id for document_id in likely if document_id not in known]

    def _hypotheses(self, data: bytes, language: str) -> tuple[bytes, ...]:
        if len(data) > self._config.max_fragment_bytes:
            return (b"",)
        return start_hypotheses(data, language)

    def _read(self, data: bytes, language: str, inside: bytes) -> Reading:
        manifest = self._index.manifest
        query = Lexed(data=data, lexemes=lex(data, language, inside=inside))
        fingerprints = retrieve.without_repeats(
            winnow(query.lexemes.hashes, k=manifest.k, w=manifest.w)
        )
        positions = fingerprints.positions
        all_hits = retrieve.sorted_hits(self._index.lookup(fingerprints.values))
        ranked, e_coverage = inexact.ranked(
            all_hits, n_fingerprints=len(positions), at_least=max(1, len(positions) // 10)
        )
        n_lexemes = len(query.lexemes)
        chains, last = retrieve.chains_of(
            all_hits, positions, n_lexemes=n_lexemes, k=manifest.k, w=manifest.w
        )
        shortest = judge.shortest_claim(n_lexemes, self._config)
        chains = retrieve.promising(chains, shortest=shortest)
        return Reading(
            query=query,
            inside=inside,
            positions=positions,
            all_hits=all_hits,
            hits=retrieve.hits_of(all_hits, last, chains),
            chains=chains,
            ranked=ranked,
            e_coverage=e_coverage,
        )

    def _by_fingerprint(self, reading: Reading) -> Iterator[Finding]:
        preferred: Iterable[int] = ()
        if retrieve.n_longest(reading.chains) > self._config.max_per_region:
            preferred = self.leads(reading.query.data)  # more ties than can be aligned
        documents = retrieve.choose_documents(
            reading.chains,
            n_lexemes=len(reading.query.lexemes),
            preferred=frozenset(preferred),
            config=self._config,
        )
        for document_id in documents:
            document = self._texts.lexed(document_id)
            first, last = np.searchsorted(reading.hits.document_id, [document_id, document_id + 1])
            held = np.searchsorted(document.lexemes.starts, reading.hits.offset[first:last])
            diagonals = held - reading.positions[reading.hits.query_index[first:last]]
            yield from self._findings(reading.query, document_id, document, diagonals)

    def _is_worth_a_closer_look(self, with_comments: Lexed, language: str) -> bool:
        """Whether a snippet may be known by its comments, which have no fingerprints."""
        data, n_with_comments = with_comments.data, len(with_comments.lexemes)
        if n_with_comments < self._config.min_covering_lexemes:
            return False
        if len(data) > self._config.max_snippet_bytes:
            return False
        hypotheses = self._hypotheses(data, language)
        n_lexemes = min(len(lex(data, language, inside=inside)) for inside in hypotheses)
        if n_lexemes == n_with_comments:
            return False
        # The membership filter reads every character, comments too; it misses very short texts.
        if n_lexemes < self._config.min_covering_lexemes:
            return True
        return self._index.longest_chain(data.decode()) >= self._config.min_chain

    def _findings(
        self, query: Lexed, document_id: int, document: Lexed, diagonals: NDArray[np.int64]
    ) -> Iterator[Finding]:
        hashes = query.lexemes.hashes
        shortest = judge.shortest_claim(len(hashes), self._config)
        runs = align.shared_runs(
            hashes,
            document.lexemes.hashes,
            align.best_diagonals(diagonals, self._config.max_diagonals),
            min_length=shortest,
        )
        for maximal in runs:
            run = align.without_ragged_ends(query, maximal, min_length=shortest)
            reasons = judge.exact_reasons(
                n_lexemes=run.length,
                n_distinct_pairs=align.n_distinct_pairs(hashes[run.query : run.query + run.length]),
                n_query_lexemes=len(hashes),
                config=self._config,
            )
            if judge.all_hold(reasons):
                yield _finding(query, document_id, document, run, reasons)


def _finding(
    query: Lexed,
    document_id: int,
    document: Lexed,
    run: align.Run,
    reasons: tuple[Reason, ...],
) -> Finding:
    core = align.core_extent(query, document, run)
    ours = query.data[core.query_start : core.query_end]
    tier = judge.tier_of(ours, document.data[core.document_start : core.document_end])
    if tier is Tier.E1:
        extent = align.widened_extent(query, document, run)
    else:
        extent = with_comment_lines(query, document, run, core)
    return Finding(
        document_id=document_id,
        run=run,
        core=core,
        extent=extent,
        tier=tier,
        reasons=reasons,
    )
