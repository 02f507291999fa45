"""What speaks for a copy, measured: length, coverage, surprisal, rare words, shared comments."""

from __future__ import annotations

import math

from attribution.config import TraceConfig
from attribution.judge import Finding
from attribution.types import Evidence
from indexer import Index
from indexer.store.lexical import words_of
from indexer.text.lex import comment_spans

_MAX_WORDS = 256  # distinct words of a run that are looked up


def evidence_of(
    index: Index,
    finding: Finding,
    *,
    query: bytes,
    document: bytes,
    language: str,
    n_query_lexemes: int,
    config: TraceConfig,
) -> Evidence:
    """The evidence of a finding, from the two texts and the frequencies of words in the index.

    Surprisal: a word that df of N chunks hold is worth log2(N / df) bits. Only words that stand on
    both sides count; under a renaming those are few.
    """
    extent = finding.extent
    ours = query[extent.query_start : extent.query_end]
    theirs = document[extent.document_start : extent.document_end]
    words = _words(ours) & _words(theirs)
    n_chunks, freqs = index.doc_freqs(sorted(words)[:_MAX_WORDS])
    known = [df for df in freqs if df]
    return Evidence(
        n_lexemes=finding.n_lexemes,
        coverage=round(min(1.0, finding.n_lexemes / max(1, n_query_lexemes)), 4),
        bits=round(sum(math.log2(max(n_chunks, df) / df) for df in known), 2),
        n_rare_words=sum(df <= config.rare_chunks for df in known),
        n_comment_words=len(_comment_words(ours, language) & _comment_words(theirs, language)),
    )


def bits_of(index: Index, one: bytes, other: bytes) -> float:
    """The surprisal of the words that two texts share: the sum of log2(N / df) in bits."""
    words = sorted(_words(one) & _words(other))[:_MAX_WORDS]
    n_chunks, freqs = index.doc_freqs(words)
    return sum(math.log2(max(n_chunks, df) / df) for df in freqs if df)


def _words(text: bytes) -> set[str]:
    return set(words_of(text.decode("utf-8", "replace")))


def _comment_words(text: bytes, language: str) -> set[str]:
    spans = comment_spans(text, language)
    return _words(b" ".join(text[start:end] for start, end in spans))
