"""Remembers what was proposed, so that typing along, backspace and retyping cost no request.

Kept in memory only. An entry is found again by its document, the text before the cursor (its last
characters) and the rest of the cursor's line; edits elsewhere do not touch it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

TAIL_CHARS = 160  # of the text before the cursor: enough to tell two places apart
MAX_ENTRIES = 500
MAX_TYPED_ALONG = 64  # how many of the newest entries are looked at for typing along


@dataclass(frozen=True, kw_only=True)
class Cached:
    """A proposal, or the knowledge that there is none (`text` is "")."""

    text: str
    lane: str
    model: str


Key = tuple[str, str, str]  # uri, the end of what stands before the cursor, the rest of the line


class CompletionCache:
    """The newest proposals; the one that was used longest ago goes first."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._entries: OrderedDict[Key, Cached] = OrderedDict()
        self._max_entries = max_entries

    def put(self, uri: str, prefix: str, line_after: str, cached: Cached) -> None:
        """Remember what was proposed at a cursor."""
        key = (uri, prefix[-TAIL_CHARS:], line_after)
        self._entries[key] = cached
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def get(self, uri: str, prefix: str, line_after: str) -> Cached | None:
        """What is left of a proposal that fits: made here, or earlier and typed along since."""
        key = (uri, prefix[-TAIL_CHARS:], line_after)
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]
        newest = islice(reversed(self._entries.items()), MAX_TYPED_ALONG)
        for (its_uri, tail, its_line_after), cached in newest:
            if its_uri == uri and its_line_after == line_after:
                rest = rest_after_typing(tail, cached.text, prefix)
                if rest:
                    return Cached(text=rest, lane=cached.lane, model=cached.model)
        return None


def rest_after_typing(tail: str, text: str, prefix: str) -> str:
    """What is left of `text`, proposed after `tail`, once `prefix` has been reached; "" if nothing.

    >>> rest_after_typing("x = ", "load(path)", "x = lo")
    'ad(path)'
    """
    if len(tail) < TAIL_CHARS:  # then it is all that stood before the cursor
        fits = len(prefix) < len(tail) + len(text) and (tail + text).startswith(prefix)
        return text[len(prefix) - len(tail) :] if fits and len(prefix) >= len(tail) else ""
    window = prefix[-(len(tail) + len(text)) :]
    at = window.rfind(tail)
    while at >= 0:
        typed = window[at + len(tail) :]
        if len(typed) < len(text) and text.startswith(typed):
            return text[len(typed) :]
        at = window.rfind(tail, 0, at + len(tail) - 1)
    return ""
