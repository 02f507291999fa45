"""Takes e-mail addresses, IP addresses, keys, passwords and names out of a text."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from indexer.curate.redact.find import find, merge
from indexer.curate.redact.ip_addresses import PUBLIC_RESOLVERS
from indexer.curate.redact.replace import TOKENS, replace
from indexer.curate.redact.spans import Kind, Span, Tagger
from indexer.source_file import SourceFile

MOST_ROUNDS = 8  # in practice the second finds nothing
_ANY_TOKEN = re.compile("|".join(TOKENS.values()))


@dataclasses.dataclass(frozen=True, slots=True)
class Redaction:
    """A text without what was found in it, and where that stood in the original."""

    text: str
    spans: tuple[Span, ...]  # ordered, disjoint; offsets of the original text


def redact(text: str, tagger: Tagger | None = None) -> Redaction:
    """Replace what the rules, and the tagger if there is one, find.

    A replacement can bring a new find to light (the end of one thing is the beginning of another),
    so the result is looked at again until nothing is left: a redacted text has nothing to redact.
    """
    spans: list[Span] = []
    result = text
    places: list[tuple[int, int]] = []
    for _ in range(MOST_ROUNDS):
        found = merge([*find(result), *(_tagged(result, tagger) if tagger else ())])
        if not found:
            break
        spans = merge([*spans, *_in_original(found, spans, places)])
        result, places = replace(text, spans)
    return Redaction(result, tuple(spans))


def step_redact(file: SourceFile) -> SourceFile:
    """The step of curation: the file with a redacted text."""
    redaction = redact(file.text)
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


def _tagged(text: str, tagger: Tagger) -> Iterator[Span]:
    """The tagger's spans that are worth replacing (the rules of bigcode-dataset's utils.py).

    Dropped are: three characters or fewer, keys of eight or fewer, names of one word, addresses
    that are private or public resolvers, and whatever lies in a replacement.
    """
    taken = [match.span() for match in _ANY_TOKEN.finditer(text)]
    starts = [start for start, _ in taken]
    for span in tagger(text):
        body = text[span.start : span.end]
        shortest = 9 if span.kind is Kind.KEY else 4
        number = bisect_right(starts, span.start) - 1
        inside = number >= 0 and span.end <= taken[number][1]
        if inside or len(body) < shortest or (span.kind is Kind.NAME and not body.split()[1:]):
            continue
        if span.kind is not Kind.IP_ADDRESS or _is_public(body):
            yield span


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global and text not in PUBLIC_RESOLVERS
    except ValueError:
        return False
