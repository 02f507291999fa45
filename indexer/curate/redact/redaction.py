"""Takes e-mail addresses, IP addresses, keys, passwords and names out of a text."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial

from indexer.curate.pipeline import Step
from indexer.curate.redact.find import find, merge
from indexer.curate.redact.replace import replace
from indexer.curate.redact.spans import Span
from indexer.curate.redact.tagging import Tagger, tagged
from indexer.source_file import SourceFile

NAME = "redact"
MOST_ROUNDS = 8  # in practice the second finds nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Redaction:
    """A text without what was found in it, and where that stood in the original."""

    text: str
    spans: tuple[Span, ...]  # ordered, disjoint; offsets of the original text


def redact(text: str, tagger: Tagger | None = None) -> Redaction:
    """Replace what the rules, and the tagger if there is one, find.

    A replacement can bring a new find to light (the end of one thing is the beginning of another),
    so the result is looked at again until no rule finds anything. The tagger is asked once.

    Raises:
        CurateError: the tagger answers what no tagger may.
    """
    spans: list[Span] = []
    result = text
    places: list[tuple[int, int]] = []
    by_tagger = list(tagged(text, tagger)) if tagger else []
    for n_round in range(MOST_ROUNDS):
        found = find(result, () if n_round else by_tagger)
        if not found:
            break
        spans = merge([*spans, *_in_original(found, spans, places)])
        result, places = replace(text, spans)
    return Redaction(result, tuple(spans))


def redaction_step(tagger: Tagger | None) -> Step:
    """The step of curation; the tagger, where there is one, is named by its digest."""
    if tagger is None:
        return Step(NAME, step_redact)
    return Step(f"{NAME}: tagger {tagger.digest[:12]}", partial(step_redact, tagger=tagger))


def step_redact(file: SourceFile, tagger: Tagger | None = None) -> SourceFile:
    """The file with a redacted text."""
    redaction = redact(file.text, tagger)
    return dataclasses.replace(file, text=redaction.text) if redaction.spans else file


def _in_original(
    found: Sequence[Span], spans: Sequence[Span], places: Sequence[tuple[int, int]]
) -> Iterator[Span]:
    """Spans of a redacted text as spans of the original; a touched replacement is taken whole."""
    starts = [start for start, _ in places]

    def original(at: int, *, is_end: bool) -> int:
        number = bisect_right(starts, at - is_end) - 1
        if number < 0:
            return at
        if at - is_end < places[number][1]:
            return spans[number].end if is_end else spans[number].start
        return at - places[number][1] + spans[number].end

    for span in found:
        yield span._replace(
            start=original(span.start, is_end=False), end=original(span.end, is_end=True)
        )
