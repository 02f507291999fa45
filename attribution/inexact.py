"""Tiers E3 and E4: what no run of equal lexemes explains, looked up in all views and aligned.

Candidates come from view E (shared k-grams), view P (shared k-grams without names) and BM25, in one
order by reciprocal rank. A view ranks and never claims: each candidate's stored text is aligned,
under one renaming (E3) or with edits (E4), and `judge.py` decides from the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from attribution import align, chain, fuse, judge, renamed
from attribution.align import Extent, Lexed, Run
from attribution.comment_lines import with_comment_lines
from attribution.config import TraceConfig
from attribution.evidence import bits_of
from attribution.judge import Finding
from attribution.renamed import Shaped
from attribution.retrieve import Hits, sorted_hits, without_repeats
from attribution.types import Reason, Tier
from indexer import Index
from indexer.text.rename import winnow_renamed

if TYPE_CHECKING:
    from attribution.exact import Reading

_SEED_K = 4  # lexemes in a seed of an alignment with edits
_SHAPE_K = 8  # lexemes in a seed of an alignment without names
_MAX_SHAPE_DIAGONALS = 12
_MAX_DIAGONALS = 32  # of an alignment with edits
_MAX_RUNS = 32  # of one document that are chained, longest first
_MIN_P_HITS = 2  # of a run of 40 lexemes in view P, wherever its windows fall
_MAX_WORDS_ONLY = 2  # documents aligned that words alone have brought
_MAX_RANKED = 32  # documents that a view may bring


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sketch:
    """A query as view P sees it: where its fingerprints are and what they hit."""

    positions: NDArray[np.int64]
    hits: Hits


def sketch(index: Index, query: Lexed, language: str) -> Sketch:
    """Look the query up without its names."""
    manifest = index.manifest
    fingerprints = without_repeats(
        winnow_renamed(query.data, query.lexemes, language, k=manifest.p_k, w=manifest.p_w)
    )
    hits = sorted_hits(index.lookup(fingerprints.values, view="p"))
    return Sketch(positions=fingerprints.positions, hits=hits)


def ranked(hits: Hits, *, n_fingerprints: int, at_least: int = 1) -> tuple[list[int], float]:
    """The documents with `at_least` distinct fingerprints of the query, best first.

    Second comes the part of all fingerprints that the first document has. A fingerprint counts by
    how few documents have it, so that boilerplate does not rank.
    """
    if not len(hits.document_id):
        return [], 0.0
    pairs = np.unique((hits.document_id << 32) | hits.query_index)
    documents, of_query = pairs >> 32, pairs & 0xFFFFFFFF
    weights = 1 / (1 + np.log2(np.bincount(of_query, minlength=n_fingerprints)[of_query]))
    ids, place = np.unique(documents, return_inverse=True)
    scores = np.bincount(place, weights=weights)
    n_hit = np.bincount(place)
    order = np.lexsort((ids, -scores))[:_MAX_RANKED]
    order = order[n_hit[order] >= at_least]
    coverage = float(n_hit[order[0]]) / max(1, n_fingerprints) if len(order) else 0.0
    return ids[order].tolist(), coverage


class Aligner:
    """Aligns one query with parts of documents, one after the other."""

    def __init__(
        self,
        index: Index,
        reading: Reading,
        language: str,
        sketched: Sketch,
        config: TraceConfig,
    ) -> None:
        self._index = index
        self._query = reading.query
        self._shaped = renamed.shaped(reading.query, language, inside=reading.inside)
        self._hits = (reading.all_hits, sketched.hits)
        self._config = config

    def offsets(self, document_id: int) -> NDArray[np.int64]:
        """At which bytes of a document fingerprints of the query stand, of either view."""
        found = []
        for hits in self._hits:
            first, last = np.searchsorted(hits.document_id, [document_id, document_id + 1])
            found.append(hits.offset[first:last])
        return np.concatenate(found)

    def findings(self, document_id: int, document: Lexed) -> Iterator[Finding]:
        """The claims about a part of a document: E3, and E4 where it explains more."""
        if not len(document.lexemes):
            return
        language = self._index.document(document_id).language
        found = list(self._renamed(document_id, renamed.shaped(document, language)))
        edited = self._edited(document_id, document)
        longest = max((one.n_lexemes for one in found), default=0)
        if edited is not None and edited.n_lexemes > longest:
            yield edited
        else:
            yield from found

    def _renamed(self, document_id: int, document: Shaped) -> Iterator[Finding]:
        diagonals = align.seed_diagonals(self._shaped.shapes, document.shapes, k=_SHAPE_K)
        runs = renamed.renamed_runs(
            self._shaped,
            document,
            align.best_diagonals(diagonals, _MAX_SHAPE_DIAGONALS),
            min_length=max(
                self._config.min_told_lexemes,
                math.ceil(self._config.min_renamed_coverage * len(self._query.lexemes)),
            ),
        )
        for run in runs:
            core = align.core_extent(self._query, document.lexed, run)
            reasons = self._renamed_reasons(document, run, core)
            if judge.all_hold(reasons):
                yield Finding(
                    document_id=document_id,
                    run=run,
                    core=core,
                    extent=with_comment_lines(self._query, document.lexed, run, core),
                    tier=Tier.E3,
                    reasons=reasons,
                    renames=renamed.renaming(self._shaped, document, run),
                )

    def _renamed_reasons(self, document: Shaped, run: Run, core: Extent) -> tuple[Reason, ...]:
        shapes = self._shaped.shapes[run.query : run.query + run.length]
        is_long = run.length >= self._config.min_renamed_lexemes
        return judge.renamed_reasons(
            n_lexemes=run.length,
            n_distinct_pairs=align.n_distinct_pairs(shapes),
            equal_numbers=renamed.share_of_equal_numbers(self._shaped, document, run),
            bits=0.0 if is_long else self._bits(document.lexed, [core]),
            n_query_lexemes=len(self._query.lexemes),
            config=self._config,
        )

    def _edited(self, document_id: int, document: Lexed) -> Finding | None:
        pieces = self._pieces(document)
        if len(pieces) < 2:  # one run alone is what the exact tiers judge
            return None
        ours = self._query.lexemes.hashes
        shared = np.concatenate([ours[one.query : one.query + one.length] for one in pieces])
        cores = [align.core_extent(self._query, document, one) for one in pieces]
        reasons = judge.edited_reasons(
            pieces=pieces,
            n_distinct_pairs=align.n_distinct_pairs(shared),
            bits=self._bits(document, cores),
            n_query_lexemes=len(ours),
            config=self._config,
        )
        if not judge.all_hold(reasons):
            return None
        extents = [
            with_comment_lines(self._query, document, one, core)
            for one, core in zip(pieces, cores, strict=True)
        ]
        return Finding(
            document_id=document_id,
            run=_hull(pieces),
            core=_around(cores),
            extent=_around(extents),
            tier=Tier.E4,
            reasons=reasons,
            pieces=pieces,
            extents=tuple(extents),
        )

    def _pieces(self, document: Lexed) -> tuple[Run, ...]:
        """The equal runs of the best alignment with edits."""
        ours, theirs = self._query.lexemes.hashes, document.lexemes.hashes
        diagonals = align.seed_diagonals(ours, theirs, k=_SEED_K)
        best = align.best_diagonals(diagonals, _MAX_DIAGONALS)
        runs = align.shared_runs(ours, theirs, best, min_length=_SEED_K)
        found = chain.best_chain(sorted(runs, key=lambda run: (-run.length, run))[:_MAX_RUNS])
        if found is None or found.n_equal < min(self._config.min_told_lexemes, len(ours) // 2):
            return ()
        return chain.filled(found, ours, theirs).pieces

    def _bits(self, document: Lexed, cores: list[Extent]) -> float:
        ours = b"\n".join(self._query.data[one.query_start : one.query_end] for one in cores)
        theirs = b"\n".join(document.data[one.document_start : one.document_end] for one in cores)
        return bits_of(self._index, ours, theirs)


def candidates(
    sketched: Sketch,
    *,
    by_e: list[int],
    e_coverage: float,
    by_words: list[int],
    by_vectors: list[int],
) -> list[fuse.Candidate]:
    """The documents that any view brings, in the order of the fusion."""
    n_fingerprints = len(sketched.positions)
    # A run that covers enough of the query has more than half of its fingerprints; a third leaves
    # room for those that repeat, and for those so frequent that a lookup gives a sample.
    at_least = max(_MIN_P_HITS, n_fingerprints // 3)
    by_p, _ = ranked(sketched.hits, n_fingerprints=n_fingerprints, at_least=at_least)
    rankings = {"E": by_e, "P": by_p, "BM25": by_words, "dense": by_vectors}
    return fuse.fused(rankings, e_coverage=e_coverage)


def worth_aligning(found: Iterable[fuse.Candidate], *, limit: int, is_short: bool) -> list[int]:
    """The first `limit` candidates; of those that share words and no k-gram only the best few.

    All of them count where the query is so short that its copy may have no k-gram.
    """
    most = limit if is_short else _MAX_WORDS_ONLY
    kept, n_words_only = [], 0
    for candidate in found:
        is_words_only = {view for view, _ in candidate.ranks} <= {"BM25", "dense"}
        n_words_only += is_words_only
        if not is_words_only or n_words_only <= most:
            kept.append(candidate.document_id)
    return kept[:limit]


def _hull(pieces: tuple[Run, ...]) -> Run:
    first, last = pieces[0], pieces[-1]
    return Run(first.query, first.document, last.query + last.length - first.query)


def _around(extents: list[Extent]) -> Extent:
    first, last = extents[0], extents[-1]
    return Extent(first.query_start, last.query_end, first.document_start, last.document_end)
