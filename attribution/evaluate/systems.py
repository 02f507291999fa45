"""Who is asked: the tracer, its layers alone, and baselines; one answer type for all of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from attribution.evaluate.corpus import LANGUAGE
from attribution.evaluate.oracle import Oracle
from attribution.tracer import Tracer
from attribution.types import Match, Tier
from indexer import lex, start_hypotheses, winnow
from indexer.store.fingerprints import View
from indexer.text.rename import winnow_renamed
from indexer.text.winnow import Fingerprints

_INEXACT = frozenset({Tier.E3, Tier.E4})
TOP_K = 100  # documents of a ranking that are kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a system said of a text."""

    ranked: tuple[int, ...]  # documents, best first, each once
    is_claim: bool  # whether a person would have been told
    matches: tuple[Match, ...] = ()  # of the tracer only: what was verified
    wall_ms: float = 0.0
    cpu_ms: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class System:
    """A way to look for a text's source."""

    name: str
    ask: Callable[[str], Answer]


def timed(system: System, text: str) -> Answer:
    """Ask and measure: wall time, and this thread's processor time, which others do not share."""
    wall, cpu = time.perf_counter(), time.thread_time()
    answer = system.ask(text)
    wall_ms, cpu_ms = (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000
    return Answer(
        ranked=answer.ranked,
        is_claim=answer.is_claim,
        matches=answer.matches,
        wall_ms=wall_ms,
        cpu_ms=cpu_ms,
    )


def by_count(documents: Iterable[int]) -> tuple[int, ...]:
    """Documents by how often they were hit, of equals the lower number first."""
    counts = Counter(documents)
    return tuple(sorted(counts, key=lambda one: (-counts[one], one))[:TOP_K])


def tracer_system(tracer: Tracer) -> System:
    """The whole of it: what `starcite trace` shows."""

    def ask(text: str) -> Answer:
        found = tracer.trace(text, language=LANGUAGE)
        # The best evidence first: what stands there as it is, before renamed and edited code.
        matches = sorted(found.matches, key=lambda one: (one.tier in _INEXACT, -one.n_lexemes))
        ranked = dict.fromkeys(source.document_id for one in matches for source in one.sources)
        return Answer(ranked=tuple(ranked)[:TOP_K], is_claim=bool(matches), matches=tuple(matches))

    return System(name="starcite", ask=ask)


def fingerprint_layer(tracer: Tracer, view: View) -> System:
    """The candidates of a view before anything is verified, by their number of hits."""
    index = tracer.index

    def fingerprints(data: bytes, inside: bytes) -> Fingerprints:
        lexemes = lex(data, LANGUAGE, inside=inside)
        if view == "e":
            return winnow(lexemes.hashes, k=index.manifest.k, w=index.manifest.w)
        return winnow_renamed(data, lexemes, LANGUAGE)

    def ask(text: str) -> Answer:
        data = text.encode("utf-8", "replace")
        hits: list[int] = []
        for inside in start_hypotheses(data, LANGUAGE):
            found = index.lookup(fingerprints(data, inside).values, view=view)
            hits = max(hits, found.document_id.tolist(), key=len)
        return Answer(ranked=by_count(hits), is_claim=bool(hits))

    return System(name=f"layer_{view}", ask=ask)


def bm25(tracer: Tracer) -> System:
    """Full-text search alone: it always names something."""

    def ask(text: str) -> Answer:
        leads = tracer.index.search(text, top_k=TOP_K)
        ranked = tuple(dict.fromkeys(lead.document_id for lead in leads))
        return Answer(ranked=ranked, is_claim=bool(ranked))

    return System(name="bm25", ask=ask)


def suffix_array(oracle: Oracle) -> System:
    """The longest shared run of any document, found exhaustively; 15 lexemes are a claim."""

    def ask(text: str) -> Answer:
        data = text.encode("utf-8", "replace")
        longest: dict[int, int] = {}
        for inside in start_hypotheses(data, LANGUAGE):
            hashes = lex(data, LANGUAGE, inside=inside).hashes
            for document_id, length in oracle.longest_by_document(hashes).items():
                longest[document_id] = max(length, longest.get(document_id, 0))
        ranked = sorted(longest, key=lambda one: (-longest[one], one))[:TOP_K]
        return Answer(ranked=tuple(ranked), is_claim=bool(ranked))

    return System(name="suffix_array", ask=ask)
