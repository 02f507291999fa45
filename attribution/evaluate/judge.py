"""Was an answer right? Compared with who holds the code, and on the stored text, never by trust."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.evaluate.corpus import LANGUAGE, Corpus, Place, first_occurrences, names_among
from attribution.evaluate.queries import Part, Query, Range
from attribution.evaluate.systems import Answer
from attribution.tracer import Tracer
from attribution.types import Commonness, Match, Span
from indexer import lex, start_hypotheses
from indexer.text.lex import Lexemes, enclosed_spans

_ALIKE = 0.5  # of the lexemes of an edited match must stand in the source in this order

Record = dict[str, Any]  # one line of the raw results


class Judge:
    """Judges answers over one index."""

    def __init__(self, tracer: Tracer, corpus: Corpus) -> None:
        self._tracer = tracer
        self._corpus = corpus

    def record(self, query: Query, system: str, answer: Answer) -> Record:
        """Everything that a figure is made of, as JSON values.

        Source text is kept of claims on unseen code only, which are for inspection.
        """
        firsts = [_first_of(part, query, answer) for part in query.parts]
        record: Record = {
            "key": query.key,
            "system": system,
            "class": query.name,
            "n_lines": query.n_lines,
            "n_lexemes": query.n_lexemes,
            "owner": query.owner,
            "split": split_of(query.owner),
            "origin": query.origin,
            "n_owners": query.n_owners,
            "n_holders": [len(part.holders) for part in query.parts],
            "shared_run": query.shared_run,
            "is_claim": answer.is_claim,
            "ranks": [_rank(part, query, answer) for part in query.parts],
            "licences": [
                self._is_licence_right(part, first)
                for part, first in zip(query.parts, firsts, strict=True)
            ],
            "wall_ms": round(answer.wall_ms, 3),
            "cpu_ms": round(answer.cpu_ms, 3),
        }
        if answer.matches:
            record["matches"] = [self._match(query, match) for match in answer.matches]
            record["iou"] = [
                self._iou(query, part, first, answer.matches)
                for part, first in zip(query.parts, firsts, strict=True)
                if first in part.holders
            ]
        return record

    def _is_licence_right(self, part: Part, first: int | None) -> bool | None:
        if first is None:
            return None
        known = {
            one.spdx_id for one in self._tracer.index.document(part.source.document_id).origins
        }
        return self._tracer.index.document(first).origins[0].spdx_id in known

    def _match(self, query: Query, match: Match) -> Record:
        first = match.sources[0]
        claimed = query.text[match.query.start : match.query.end]
        document, text = self._tracer.source(first.document_id)
        held = text[first.span.start : first.span.end]
        made = {
            "tier": str(match.tier),
            "n_lexemes": match.n_lexemes,
            "n_packages": match.n_packages,
            "probability": match.probability if match.evidence is not None else None,
            "is_common": match.commonness is not Commonness.RARE,
            "is_alarm": match.is_alarm,
            "is_verified": is_verified(claimed, held, str(match.tier)),
            "is_of_holder": any(first.document_id in part.holders for part in query.parts),
        }
        if not query.parts:
            origin = document.origins[0]
            made["source"] = f"{origin.name}/{origin.path}:{first.span.start_line + 1}"
            made["claimed"], made["held"] = claimed, held
        return made

    def _iou(
        self, query: Query, part: Part, document_id: int, matches: Sequence[Match]
    ) -> tuple[float, float | None]:
        """How exactly the ranges are those of the part: in the query, and in the document."""
        spans = [
            pair
            for match in _foremost([match for match in matches if _overlap(match, part)])
            for pair in _pieces(match, document_id)
        ]
        asked = [(span.start, span.end) for span, _ in spans]
        named = [(span.start, span.end) for _, span in spans]
        text = self._tracer.source(document_id)[1]
        true = [
            self._extents(text, document_id, place, part) for place in part.holders[document_id]
        ]
        if document_id == part.source.document_id:
            true.append((part.document, part.gone))
        return (
            overlap_of(query.text, asked, part.query, aside=part.added),
            max(
                (overlap_of(text, named, ranges, aside=aside) for ranges, aside in true),
                default=None,
            ),
        )

    def _extents(
        self, text: str, document_id: int, place: Place, part: Part
    ) -> tuple[tuple[Range, ...], tuple[Range, ...]]:
        """Where a document holds what the query kept, and what lies between without a lexeme."""
        rows = self._corpus.of_document(document_id).start + place.first
        data = text.encode("utf-8", "replace")
        kept = [one for one in part.kept if one[0] < one[1]]
        found = []
        for first, end in kept:
            start, stop = self._corpus.starts[rows + first], self._corpus.ends[rows + end - 1]
            before = len(data[:start].decode("utf-8", "ignore"))
            found.append((before, before + len(data[start:stop].decode("utf-8", "ignore"))))
        between = [
            (found[at][1], found[at + 1][0])
            for at, (one, other) in enumerate(pairwise(kept))
            if one[1] == other[0]
        ]
        return tuple(found), tuple(between)


def is_verified(claimed: str, held: str, tier: str) -> bool:
    """Whether two texts are what the tier says, decided here anew.

    E0 and E1 letter for letter, E2 by their lexemes (with comments or without), E3 under a
    one-to-one renaming, a later tier by how much of the claim stands in the source in this order.
    """
    if tier in {"E0", "E1"}:
        return claimed == held
    sides = [claimed.encode("utf-8", "replace"), held.encode("utf-8", "replace")]
    pairs = list(product(*(_readings(side) for side in sides)))
    if any(np.array_equal(one.lexemes.hashes, other.lexemes.hashes) for one, other in pairs):
        return True
    if tier == "E2":
        return False
    if tier == "E3":
        return any(_is_renaming(*pair) for pair in pairs)
    full = [lex(side, LANGUAGE, keep_comments=True) for side in sides]
    one, other = (lexemes.hashes.tolist() for lexemes in full)
    equal = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in equal) >= _ALIKE * max(1, len(one))


def split_of(owner: str) -> str:
    """Which half an owner belongs to, for good: thresholds and curves are fitted on `dev` only."""
    return "dev" if hashlib.sha256(owner.encode()).digest()[0] % 2 else "test"


def overlap_of(
    text: str, one: Iterable[Range], other: Iterable[Range], *, aside: Iterable[Range] = ()
) -> float:
    """Intersection over union of two sets of ranges of a text, whitespace and `aside` aside."""
    left, right, neither = (
        {at for a, b in ranges for at in range(a, b)} for ranges in (one, other, aside)
    )
    left, right = left - neither, right - neither
    union = {at for at in left | right if at < len(text) and not text[at].isspace()}
    return round(len(left & right & union) / len(union), 4) if union else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """A piece of a file, lexed in one way."""

    lexemes: Lexemes
    is_name: NDArray[np.bool_]
    is_quoted: NDArray[np.bool_]  # it stands in a string


def _is_renaming(one: _Reading, other: _Reading) -> bool:
    """Whether names pair off one to one and the rest is equal.

    A word that is the same in a string of both sides is a literal, and no name.
    """
    first, second = one.lexemes.hashes, other.lexemes.hashes
    if not np.array_equal(one.is_name, other.is_name):
        return False
    if not np.array_equal(first[~one.is_name], second[~one.is_name]):
        return False
    is_bound = one.is_name & ~(one.is_quoted & other.is_quoted & (first == second))
    return first_occurrences(first[is_bound]) == first_occurrences(second[is_bound])


def _readings(data: bytes) -> list[_Reading]:
    """A piece of a file as code, from inside a string, and with its comments."""
    starts = [(inside, False) for inside in start_hypotheses(data, LANGUAGE)]
    return [_read(data, inside, keep_comments=keep) for inside, keep in [(b"", True), *starts]]


def _read(data: bytes, inside: bytes, *, keep_comments: bool) -> _Reading:
    lexemes = lex(data, LANGUAGE, inside=inside, keep_comments=keep_comments)
    is_quoted = np.zeros(len(lexemes), dtype=bool)
    for start, end, is_comment in enclosed_spans(data, LANGUAGE, inside=inside):
        is_quoted |= (start <= lexemes.starts) & (lexemes.starts < end) & (not is_comment)
    row = np.concatenate([[np.uint64(0)], lexemes.hashes])
    is_name = names_among(data, lexemes.starts, row)[1:]
    return _Reading(lexemes=lexemes, is_name=is_name, is_quoted=is_quoted)


def _overlap(match: Match, part: Part) -> bool:
    return any(match.query.start < end and start < match.query.end for start, end in part.query)


def _foremost(matches: Sequence[Match]) -> list[Match]:
    """Of matches that say something of the same stretch the one that explains most."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda one: -one.n_lexemes):
        start, end = match.query.start, match.query.end
        is_inside = any(one.query.start <= start and end <= one.query.end for one in kept)
        if not is_inside:
            kept.append(match)
    return kept


def _n_common(match: Match, part: Part) -> int:
    """How many code points of a part lie in a match."""
    return sum(
        max(0, min(match.query.end, end) - max(match.query.start, start))
        for start, end in part.query
    )


def _pieces(match: Match, document_id: int) -> list[tuple[Span, Span]]:
    """What a match says is equal in the query and in a document, without the edits between."""
    if match.pieces and match.sources[0].document_id == document_id:
        return [(piece.query, piece.source) for piece in match.pieces]
    return [
        (match.query, source.span) for source in match.sources if source.document_id == document_id
    ]


def _ranking(part: Part, query: Query, answer: Answer) -> Sequence[int]:
    """The documents that were named for this part: all of them where a text has one part only."""
    if len(query.parts) == 1 or not answer.matches:
        return answer.ranked
    mine = sorted(
        (match for match in answer.matches if _overlap(match, part)),
        key=lambda match: -_n_common(match, part),  # it may reach into a part that is not its own
    )
    return list(dict.fromkeys(source.document_id for match in mine for source in match.sources))


def _first_of(part: Part, query: Query, answer: Answer) -> int | None:
    ranking = _ranking(part, query, answer)
    return ranking[0] if ranking and answer.is_claim else None


def _rank(part: Part, query: Query, answer: Answer) -> int | None:
    """At which place, counting from 1, the first document stands that holds the part.

    Who says nothing of ranges may name as many documents a place as the text has sources.
    """
    if not answer.is_claim:
        return None
    ranking = _ranking(part, query, answer)
    a_place = 1 if answer.matches else len(query.parts)
    return next((at // a_place + 1 for at, one in enumerate(ranking) if one in part.holders), None)
