"""Text to lexemes: runs of word bytes and single punctuation bytes, each with a 64-bit hash.

Comments and whitespace are no lexemes. Strings are recognised only so that a comment's marker
inside them does not count; what is in them is lexed like code, so that a fragment of a docstring
is found. All work on bytes, so any input can be lexed: invalid UTF-8, NUL, no newline at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from indexer.text.languages import Enclosure, syntax_of

_WORD, _PUNCTUATION = 1, 2
_WORD_BYTES = b"_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The bytes of letters outside ASCII are word bytes, so that invalid UTF-8 has lexemes, too.
_CLASS_OF = bytes(
    0 if byte in b" \t\n\r\v\f" else _WORD if byte in _WORD_BYTES or byte >= 0x80 else _PUNCTUATION
    for byte in range(256)
)

_IS_ASCII_WORD = bytes(byte in _WORD_BYTES for byte in range(256))

# Any odd multiplier is invertible modulo 2**64; this one is 5 mod 8, so its powers do not repeat
# before 2**62 (Knuth, The Art of Computer Programming, volume 2, section 3.2.1.2).
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)
_BLOCK_BYTES = 1 << 18  # texts are hashed in blocks, which bounds the tables of powers


@dataclass(frozen=True, slots=True)
class Lexemes:
    """The lexemes of a text in order; equal hashes mean equal lexemes."""

    hashes: NDArray[np.uint64]  # (N,)
    starts: NDArray[np.int64]  # (N,) byte offsets into the text
    ends: NDArray[np.int64]  # (N,) half-open

    def __len__(self) -> int:
        return len(self.hashes)


def lex(
    text: bytes,
    language: str,
    *,
    inside: bytes = b"",
    keep_comments: bool = False,
    part: tuple[int, int] | None = None,
) -> Lexemes:
    """The lexemes of a text.

    Args:
        text: UTF-8, though any bytes will do.
        language: as in `indexer.text.languages`; an unknown one has no comments.
        inside: the opening delimiter of the string or comment that the text starts in the middle
            of; empty for a text that starts in code.
        keep_comments: lex comments as if they were code.
        part: a byte range of whole lines; only what it holds is lexed. Offsets stay those of the
            whole text, and what is a comment or a string is read from its beginning.

    Raises:
        ValueError: the language has no string or comment that is opened by `inside`.
    """
    first, end = part or (0, len(text))
    comments = [] if keep_comments else comment_spans(text, language, inside=inside, end=end)
    held = text[first:end]
    if comments and comments[-1][1] > first:
        held = _blanked(held, [(start - first, stop - first) for start, stop in comments])
    starts, ends = _boundaries(held)
    data = np.frombuffer(held, dtype=np.uint8)
    hashes = hash_spans(data, starts, ends)
    return Lexemes(hashes=hashes, starts=starts + first, ends=ends + first)


def _blanked(text: bytes, spans: list[tuple[int, int]]) -> bytes:
    blanked = bytearray(text)
    for start, end in spans:
        if end > 0:
            blanked[max(0, start) : end] = b" " * (end - max(0, start))
    return bytes(blanked)


def comment_spans(
    text: bytes, language: str, *, inside: bytes = b"", end: int | None = None
) -> list[tuple[int, int]]:
    """The half-open byte ranges of a text's comments, in order; of those before `end` only."""
    if not inside and not _has_comment_marker(text, language):
        return []
    spans = enclosed_spans(text, language, inside=inside, end=end)
    return [(start, stop) for start, stop, is_comment in spans if is_comment]


def enclosed_spans(
    text: bytes, language: str, *, inside: bytes = b"", end: int | None = None
) -> list[tuple[int, int, bool]]:
    """The comments and strings of a text before `end`, in order: start, end, is it a comment?"""
    limit = len(text) if end is None else end
    spans: list[tuple[int, int, bool]] = []
    begin = 0
    if inside:
        enclosure = _enclosure(language, inside)
        found = _compiled(enclosure.rest).match(text, 0, limit)
        begin = found.end() if found else limit
        spans.append((0, begin, enclosure.is_comment))
    if not syntax_of(language).enclosures:
        return spans
    # A comment ends with a group; strings have none.
    enclosed = _scanner(language).finditer(text, begin, limit)
    spans.extend((*found.span(), bool(found.lastindex)) for found in enclosed)
    return spans


def start_hypotheses(text: bytes, language: str) -> tuple[bytes, ...]:
    """What a fragment may start inside of: `b""` first, then each delimiter that would matter.

    A delimiter matters if, starting inside of it, other parts of the fragment are comments. A
    fragment that would be one comment from end to end has no lexemes, so that is left out.
    """
    kept, seen = [b""], [comment_spans(text, language)]
    for enclosure in syntax_of(language).enclosures:
        if not enclosure.spans_lines or (enclosure.is_comment and enclosure.closing not in text):
            continue
        spans = comment_spans(text, language, inside=enclosure.opening)
        if spans not in seen:
            kept.append(enclosure.opening)
            seen.append(spans)
    return tuple(kept)


def _enclosure(language: str, opening: bytes) -> Enclosure:
    enclosures = syntax_of(language).enclosures
    for enclosure in enclosures:
        if enclosure.opening == opening:
            return enclosure
    known = ", ".join(repr(enclosure.opening) for enclosure in enclosures) or "none"
    raise ValueError(f"{opening!r} opens no string or comment in {language!r}; known: {known}")


def _has_comment_marker(text: bytes, language: str) -> bool:
    return any(
        enclosure.opening in text
        for enclosure in syntax_of(language).enclosures
        if enclosure.is_comment
    )


@lru_cache(maxsize=64)
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


@lru_cache(maxsize=64)
def _scanner(language: str) -> re.Pattern[bytes]:
    """A pattern that finds each comment, with an empty group at its end, and skips each string.

    No group opens an alternative: only of literals the engine knows what a match can begin with,
    and looks at the other bytes twice as fast.
    """
    enclosures = syntax_of(language).enclosures
    comments = [one.pattern + one.rest + b"()" for one in enclosures if one.is_comment]
    strings = [one.pattern + one.rest for one in enclosures if not one.is_comment]
    return _compiled(b"|".join([*comments, *strings]))


def _boundaries(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    classes = np.frombuffer(text.translate(_CLASS_OF), dtype=np.uint8)
    word = classes == _WORD
    is_start = classes != 0
    is_end = is_start.copy()
    joins = word[1:] & word[:-1]
    is_start[1:] &= ~joins
    is_end[:-1] &= ~joins
    return np.flatnonzero(is_start), np.flatnonzero(is_end) + 1


def word_spans(text: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs of `[A-Za-z_0-9]` start and end, (N,) each, in whatever the text is."""
    inside = np.frombuffer(b"\0" + text.translate(_IS_ASCII_WORD) + b"\0", dtype=np.uint8)
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[::2], edges[1::2]


def hash_spans(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """A 64-bit hash of each of the spans `data[starts[i]:ends[i]]`, which are in order."""
    hashes = np.empty(len(starts), dtype=np.uint64)
    low = 0
    while low < len(starts):
        limit = starts[low] + _BLOCK_BYTES
        high = max(low + 1, int(np.searchsorted(ends, limit, side="right")))
        begin = int(starts[low])
        block = data[begin : int(ends[high - 1])]
        hashes[low:high] = _block_hashes(block, starts[low:high] - begin, ends[low:high] - begin)
        low = high
    return hashes


def _block_hashes(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Each lexeme's polynomial, sum of value[i] * BASE**i, from one running sum over the block."""
    size = _BLOCK_BYTES if len(data) <= _BLOCK_BYTES else len(data)
    powers, inverse_powers = _powers(_BASE, size), _powers(_BASE_INVERSE, size)
    values = _BYTE_VALUES.take(data)
    values *= powers[: len(data)]
    sums = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(values, out=sums[1:])
    polynomials = sums.take(ends)
    polynomials -= sums.take(starts)
    polynomials *= inverse_powers.take(starts)
    return mix(polynomials)


@lru_cache(maxsize=4)
def _powers(base: int, size: int) -> NDArray[np.uint64]:
    factors = np.full(size, base, dtype=np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)  # wraps modulo 2**64, as it should


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every input bit over the whole word (the finaliser of splitmix64, Steele 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


# Each byte's place in the polynomial: spread, so that short lexemes do not differ in low bits only.
_BYTE_VALUES = mix(np.arange(1, 257, dtype=np.uint64))
