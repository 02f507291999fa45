"""All finders over one text, in one list of spans that do not overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from indexer.curate.redact.assignments import find_assignments
from indexer.curate.redact.emails import find_emails
from indexer.curate.redact.entropy import RULE, find_random_strings
from indexer.curate.redact.ip_addresses import find_ip_addresses
from indexer.curate.redact.pem import find_private_keys
from indexer.curate.redact.repeats import find_repeats
from indexer.curate.redact.secrets import find_tokens
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.tagging import RULE as BY_TAGGER
from indexer.curate.redact.user_info import find_user_info
from indexer.curate.redact.view import View

Finder = Callable[[View], Iterable[Span]]

FINDERS: tuple[Finder, ...] = (
    find_private_keys,
    find_tokens,
    find_assignments,
    find_user_info,
    find_random_strings,
    find_emails,
    find_ip_addresses,
)

_PRECEDENCE = (Kind.KEY, Kind.PASSWORD, Kind.EMAIL, Kind.IP_ADDRESS, Kind.NAME, Kind.USERNAME)

_WEAKNESS = {"key assignment": 1, "key setting": 1, RULE: 2, BY_TAGGER: 3}  # a name says more


def find(text: str, others: Iterable[Span] = ()) -> list[Span]:
    """What the rules find in a text, and what others found: ordered, disjoint spans."""
    view = View(text)
    spans = [*others, *(span for finder in FINDERS for span in finder(view))]
    return merge([*spans, *find_repeats(view, spans)]) if spans else []


def merge(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap (not those that only touch); the surest kind wins."""
    return list(_joined(sorted(span for span in spans if span.start < span.end)))


def _precedence(span: Span) -> tuple[int, int]:
    return _WEAKNESS.get(span.rule, 0), _PRECEDENCE.index(span.kind)


def _joined(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is None or span.start >= current.end:
            if current is not None:
                yield current
            current = span
        else:
            first = min(current, span, key=_precedence)
            current = first._replace(start=current.start, end=max(current.end, span.end))
    if current is not None:
        yield current
