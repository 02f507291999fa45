"""A group of findings as a match: every document that holds the run, with its origins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attribution.align import Lexed
from attribution.common import commonness_of
from attribution.config import TraceConfig
from attribution.evidence import evidence_of
from attribution.fuse import Candidate
from attribution.judge import Finding
from attribution.positions import Positions
from attribution.probability import probability_of
from attribution.types import Lead, Match, Piece, Rename, SourceSpan, Span, Tier
from indexer import Document, Index, Origin
from indexer.optout.swhid import sha1_git
from indexer.text.normalize import WHITESPACE, strip_whitespace

_BLANKS = np.frombuffer(WHITESPACE, dtype=np.uint8)
_WORD = frozenset(b"_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

# Where documents hold a run, as byte ranges. None: they hold the run, but not in the best tier or
# without the comments and blank lines that the best source shares; such are counted, not listed.
Places = dict[int, tuple[int, int] | None]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Asked:
    """The query of a trace."""

    query: Lexed
    language: str
    positions: Positions  # of the whole text
    start: int = 0  # byte of the whole text at which the query begins
    is_whole: bool = True  # else it is a block of the text

    def span(self, start: int, end: int) -> Span:
        """Bytes of the query as a span of the whole text."""
        return self.positions.span(self.start + start, self.start + end)


def match_of(
    index: Index,
    group: list[Finding],
    others: list[int],
    asked: Asked,
    config: TraceConfig,
) -> Match:
    """The match that a group of findings stands for.

    Args:
        index: where the documents are stored.
        group: findings of one run, the best evidence first.
        others: documents that may hold the run as well; they are looked at.
        asked: the query.
        config: how many sources to list, and from when on code is common.

    Raises:
        IndexerError: a document cannot be read.
    """
    head = group[0]
    places = _aligned(group) | _searched(index, head, others)
    documents = {document_id: index.document(document_id) for document_id in places}
    origins = [origin for one in documents.values() for origin in equal_origins(one)]
    listed = [(documents[one], place) for one, place in places.items() if place is not None]
    source = stored_bytes(index, head.document_id)
    evidence = evidence_of(
        index,
        head,
        query=asked.query.data,
        document=source,
        language=asked.language,
        n_query_lexemes=len(asked.query.lexemes),
        config=config,
    )
    n_owners = len({origin.owner for origin in origins})
    start, end = head.extent[:2]
    commonness, reasons = commonness_of(
        asked.query.data[start:end],
        n_owners=n_owners,
        n_lexemes=head.n_lexemes,
        bits=evidence.bits if head.tier is not Tier.E3 else math.inf,
        config=config,
    )
    return Match(
        tier=_tier(head, asked, source),
        query=asked.span(start, end),
        n_lexemes=head.n_lexemes,
        sources=tuple(_source(index, *one) for one in listed[: config.max_sources]),
        n_packages=len({(origin.source, origin.name) for origin in origins}),
        n_sources=len(places),
        n_owners=n_owners,
        commonness=commonness,
        probability=probability_of(evidence, head.tier),
        evidence=evidence,
        reasons=head.reasons + reasons,
        renames=tuple(
            Rename(query=one.decode(), source=other.decode()) for one, other in head.renames
        ),
        pieces=_pieces(head, asked, source),
    )


def lead_of(index: Index, candidate: Candidate) -> Lead:
    """A candidate of which nothing is claimed."""
    document = index.document(candidate.document_id)
    return Lead(
        document_id=document.document_id,
        document_sha256=document.sha256,
        score=round(candidate.score, 5),
        ranks=candidate.ranks,
        origins=equal_origins(document),
    )


def _tier(head: Finding, asked: Asked, source: bytes) -> Tier:
    """E0 where the whole text is the whole file; else what the aligned runs say."""
    is_same = asked.is_whole and head.tier is Tier.E1 and asked.query.data == source
    return Tier.E0 if is_same else head.tier


def _pieces(head: Finding, asked: Asked, source: bytes) -> tuple[Piece, ...]:
    if not head.extents:
        return ()
    there = Positions(source)
    return tuple(
        Piece(query=asked.span(*extent[:2]), source=there.span(*extent[2:]))
        for extent in head.extents
    )


def equal_origins(document: Document) -> tuple[Origin, ...]:
    """Where this very text was published; of near-duplicates nobody has proved that they match."""
    return tuple(origin for origin in document.origins if origin.relation == "same")


def stored_bytes(index: Index, document_id: int) -> bytes:
    """A document's text in UTF-8; what byte offsets of the index point into."""
    return index.text(document_id).encode("utf-8", "surrogatepass")


def _aligned(group: list[Finding]) -> Places:
    head = group[0]
    places: Places = {}
    for finding in group:
        is_as_good = finding.tier is head.tier and (
            finding.tier is not Tier.E1 or finding.extent[:2] == head.extent[:2]
        )
        if places.get(finding.document_id) is None:
            places[finding.document_id] = finding.extent[2:] if is_as_good else None
    return places


def _searched(index: Index, head: Finding, others: list[int]) -> Places:
    """Which of the other documents hold the head's source text, whitespace aside."""
    source = stored_bytes(index, head.document_id)
    whole = source[head.extent.document_start : head.extent.document_end]
    bare = strip_whitespace(source[head.core.document_start : head.core.document_end])
    places: Places = {}
    for document_id in others:
        data = stored_bytes(index, document_id)
        at = _find(data, whole)
        if at >= 0:
            places[document_id] = (at, at + len(whole))
        elif _holds_bare(data, bare):
            places[document_id] = None
    return places


def _holds_bare(data: bytes, bare: bytes) -> bool:
    """Whether a text without whitespace stands in one that has it, with whole words at its ends."""
    squeezed = strip_whitespace(data)
    at = squeezed.find(bare)
    if at < 0:
        return False
    ink = np.flatnonzero(~np.isin(np.frombuffer(data, dtype=np.uint8), _BLANKS))
    while at >= 0 and (
        _is_inside_word(data, int(ink[at]))
        or _is_inside_word(data, int(ink[at + len(bare) - 1]) + 1)
    ):
        at = squeezed.find(bare, at + 1)
    return at >= 0


def _find(data: bytes, part: bytes) -> int:
    """Where the part first stands with whole words at both ends, or -1."""
    at = data.find(part)
    while at >= 0 and (_is_inside_word(data, at) or _is_inside_word(data, at + len(part))):
        at = data.find(part, at + 1)
    return at


def _is_inside_word(data: bytes, offset: int) -> bool:
    if not 0 < offset < len(data):
        return False
    return all(byte in _WORD or byte >= 0x80 for byte in data[offset - 1 : offset + 1])


def _source(index: Index, document: Document, place: tuple[int, int]) -> SourceSpan:
    data = stored_bytes(index, document.document_id)
    return SourceSpan(
        document_id=document.document_id,
        document_sha256=document.sha256,
        span=Positions(data).span(*place),
        origins=equal_origins(document),
        sha1_git=sha1_git(data),
        corpus_digest=index.corpus_of(document.document_id),
    )
