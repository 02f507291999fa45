"""Tokens in a format that names their issuer (the table is in `formats`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.curate.redact.entropy import LIKELY_BITS, looks_random
from indexer.curate.redact.formats import FORMATS, SHAPES, Format
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.view import WORD, View, byte_set

SHORTEST_RUN = 14  # no token has less in one piece
SHORTEST_WITHOUT_DIGIT = 30  # a shorter random string nearly always has a digit
LONGEST_LEAD_CHARS = 48  # what may stand between a token's beginning and its first long run

_RUN = byte_set(WORD + "_-")
_BY_PREFIX: dict[str, list[tuple[Format, re.Pattern[str]]]] = {
    prefix: [
        (fmt, re.compile(re.escape(shorter) + fmt.rest, re.ASCII))
        for fmt in FORMATS
        for shorter in fmt.prefixes
        if prefix.startswith(shorter)
    ]
    for known in FORMATS
    for prefix in known.prefixes
}


def _any_of(words: list[str], depth: int = 2) -> str:
    """An expression for any of the words; grouped by first letters, since `re` tries in turn."""
    if depth == 0 or len(words) == 1 or "" in words:
        return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[0], []).append(word[1:])
    return "|".join(
        f"{re.escape(letter)}(?:{_any_of(rests, depth - 1)})" for letter, rests in groups.items()
    )


_PREFIX = re.compile(_any_of(list(_BY_PREFIX)))
_SHAPES = [(name, re.compile(pattern, re.ASCII)) for name, pattern in SHAPES]
_TELEGRAM = re.compile(r"(?<!\d)\d{8,10}:[\w-]{35}(?![\w-])", re.ASCII)
_AZURE_AD = re.compile(r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])", re.ASCII)
_SAMPLES = re.compile(r"EXAMPLE|example|XXXXXX|xxxxxx|000000000000|\.\.\.")


def find_tokens(view: View) -> Iterator[Span]:
    """Tokens of the known formats, looked for around long runs of their characters."""
    done = 0
    for start, end in _long_runs(view):
        lowest = max(done, start - LONGEST_LEAD_CHARS)
        for span in _tokens_at(view.text, lowest, start, end):
            done = max(done, span.end)
            yield span


def _long_runs(view: View) -> list[tuple[int, int]]:
    starts, ends = view.runs(_RUN, SHORTEST_RUN)
    has_digit = view.with_one_of(view.digits, starts, ends)
    keep = has_digit | (ends - starts >= SHORTEST_WITHOUT_DIGIT)
    return list(zip(starts[keep].tolist(), ends[keep].tolist(), strict=True))


def _tokens_at(text: str, lowest: int, start: int, end: int) -> Iterator[Span]:
    at, found_any = lowest, False
    while found := _PREFIX.search(text, at, end):
        at = found.start() + 1
        inside_word = found.start() > 0 and text[found.start() - 1].isalnum()
        span = None if inside_word else _token_with_prefix(text, found)
        if span is not None:
            at, found_any = span.end, True
            yield span
    if not found_any:
        for name, pattern in _SHAPES:
            shape = pattern.match(text, start)
            if shape and looks_random(shape[0]):
                yield Span(shape.start(), shape.end(), Kind.KEY, name)
    for name, pattern in (("telegram bot", _TELEGRAM), ("azure ad", _AZURE_AD)):
        near = pattern.search(text, max(0, start - 11), min(len(text), end + 48))
        if near and near.end() >= start and looks_random(near[0]):
            yield Span(near.start(), near.end(), Kind.KEY, name)


def _token_with_prefix(text: str, prefix: re.Match[str]) -> Span | None:
    for fmt, pattern in _BY_PREFIX[prefix[0]]:
        found = pattern.match(text, prefix.start())
        if found is None:
            continue
        verdict = fmt.check(found[0]) if fmt.check else None
        if verdict is None:
            body = found[0][len(prefix[0]) :]
            verdict = not _SAMPLES.search(found[0]) and looks_random(body, LIKELY_BITS - 0.8)
        if verdict:
            return Span(found.start(), found.end(), Kind.KEY, fmt.name)
    return None
