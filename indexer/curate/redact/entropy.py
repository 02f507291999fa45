"""Keys without a known format: strings that are too random to have been written by a person.

Two measures decide: how surprising each character is after the one before it (`bigrams`, which
tells random letters from words and from camelCase) and how many different characters there are.

Kept on purpose: hashes, UUIDs and other hexadecimal strings (without a word such as `api_key`
before them, which is the business of `assignments`), digests in lock files, public keys, encoded
data (longer than any key, lines of it, or text once decoded), and tables of such strings.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import pairwise

from indexer.curate.redact.bigrams import surprise
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.view import WORD, View, byte_set

RULE = "random string"  # what knows more about a span, by a name or a format, goes before it
SHORTEST_KEY = 20
LONGEST_KEY = 128  # the longest common one is Azure's, 88; what is longer is data
SURE_BITS = 6.3  # of `surprise`, where nothing else speaks for a key
LIKELY_BITS = 5.3  # where a name or a format speaks for one
MOST_IN_A_TABLE = 12  # so many keys without a name in one file are a table of test data

_BASE64 = byte_set(WORD + "_-+/")
_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")
_PARTS = re.compile(r"[-_.:/]")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NO_SECRET_WORDS = re.compile(
    r"(?<![a-z])(?:sha|md5|hash|digest|checksum|integrity|etag|fingerprint|commit|revision|uuid|"
    r"guid|nonce|thumbprint|public|pubkey|ssh-|ecdsa-|cert|boundary|base64|b64|data:|image|font|"
    r"https?://|alphabet|chars|charset|expected|assert|regex|pattern|crc|encoded|signature)",
    re.IGNORECASE,
)
_NAMED = re.compile(  # a value that its name says is public
    r"(?:[iI][dD]s?|ID|[uU][rR][lLiI]|[hH]ref|[sS]rc|[sS]lug|[tT]itle|[nN]ame|[vV]ersion|[pP]ath|"
    r"[fF]ile|[cC]lass|[uU]id|[eE]xt|[cC]ode|[vV]ideo|[iI]mage|[cC]ursor|[rR]ef)"
    r"[\"'\])]*[ \t]*(?:=>|[:=(,])+[ \t]*[\[(]?[\"'`]?\Z"
)
_MAGIC = re.compile(  # base64 of well-known openings: SSH public keys, PNG, GIF, JPEG, zip, PDF, …
    r"AAAA[BCE]3NzaC|iVBORw0KGgo|R0lGOD|/9j/|UEsDB|JVBERi|H4sI|PHN2Zy|PD94bW|d09GM|AAEAAAA|MII[A-Z]"
)
_OPENING = re.compile(r"[\"'`]\Z|(?:[=:][ \t]*|^[ \t]*)\Z|(?i:bearer|token|key)[ \t]+\Z")


def looks_random(text: str, bits: float = LIKELY_BITS) -> bool:
    """Whether a string is more random than what people write: words, names, versions, dates."""
    body = text.rstrip("=")
    if len(set(body)) < min(10, max(5, len(body) // 3)) or _is_sequence(body):
        return False
    if _HEX.fullmatch(body):
        n_digits = sum(map(str.isdigit, body))
        return len(body) >= 16 and 3 <= n_digits <= len(body) - 2
    if surprise(body) >= bits:
        return True
    return bits <= LIKELY_BITS and any(_is_random_part(part) for part in _PARTS.split(body))


def _is_random_part(part: str) -> bool:
    """A part of a token, between its signs: hexadecimal, or random by itself."""
    if len(part) < 20 or _is_sequence(part):
        return False
    if _HEX.fullmatch(part):
        return len(set(part)) >= 8 and not part.isdigit() and not part.isalpha()
    return surprise(part) >= SURE_BITS


def is_hex(text: str) -> bool:
    """Whether a string has nothing but hexadecimal digits, perhaps after 0x."""
    return _HEX.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """Whether a string has the shape 8-4-4-4-12."""
    return _UUID.fullmatch(text) is not None


def _is_sequence(text: str) -> bool:
    """Whether it mostly counts up, down or repeats: "abcdefgh", "12345678", "xxxx"."""
    steps = [ord(b) - ord(a) for a, b in pairwise(text)]
    return sum(step in (-1, 0, 1) for step in steps) * 2 > len(steps)


def find_random_strings(view: View) -> Iterator[Span]:
    """Random strings that are a whole value: in quotes, or after `=` or `:`."""
    found = [span for start, end in _runs(view) if (span := _as_key(view, start, end))]
    if len(found) <= MOST_IN_A_TABLE:
        yield from found


def _runs(view: View) -> list[tuple[int, int]]:
    """Runs of base64 characters, neither short nor long, with a digit."""
    starts, ends = view.runs(_BASE64, SHORTEST_KEY)
    short_enough = ends - starts <= LONGEST_KEY
    starts, ends = starts[short_enough], ends[short_enough]
    if starts.size:
        keep = view.with_one_of(view.digits, starts, ends)
        starts, ends = starts[keep], ends[keep]
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def _as_key(view: View, start: int, end: int) -> Span | None:
    text = view.text
    while end - start < LONGEST_KEY and text[end : end + 1] == "=":
        end += 1
    value = text[start:end]
    if value.islower() or value.isupper() or not _stands_alone(view, start, end):
        return None
    if not looks_random(value, SURE_BITS) or is_hex(value) or _is_path(value):
        return None
    if _MAGIC.match(value) or _is_encoded_text(value):
        return None
    before = view.line_before(start, 120)
    if (
        _NO_SECRET_WORDS.search(before)
        or _NAMED.search(before)
        or _in_encoded_lines(view, start, end)
    ):
        return None
    return Span(start, end, Kind.KEY, RULE)


def _stands_alone(view: View, start: int, end: int) -> bool:
    opening = _OPENING.search(view.line_before(start, 40))
    if opening is None:
        return False
    quote = opening[0] if opening[0] in ('"', "'", "`") else ""
    after = view.text[end : end + 1]
    if quote:
        return after in (quote, "\\")
    if "_" in view.text[start:end] and view.text[start:end].isidentifier():
        return False  # a name in code
    return after in ("", "\n", "\r", " ", "\t", ",", ";", "&")


def _is_path(value: str) -> bool:
    parts = [part for part in re.split(r"[/_+-]", value) if part]
    return len(parts) >= 3 and sum(len(part) for part in parts if part.isalpha()) * 2 > len(value)


def _is_encoded_text(value: str) -> bool:
    """Whether it is base64 of printable ASCII: a greeting in a test, a JSON object, no key."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in decoded)


_BASE64_LINE = re.compile(r"[\s\"'+\\]*[A-Za-z0-9+/=_-]{40,}[\s\"'+\\,;]*")


def _in_encoded_lines(view: View, start: int, end: int) -> bool:
    """Whether the line above or below is base64 too: then this is a piece of something longer."""
    text = view.text
    line_start = text.rfind("\n", max(0, start - 200), start)
    line_end = text.find("\n", end, end + 200)
    above = text[
        max(0, text.rfind("\n", max(0, line_start - 200), max(0, line_start)) + 1) : max(
            0, line_start
        )
    ]
    below = view.line_after(line_end + 1, 200) if line_end >= 0 else ""
    return bool(_BASE64_LINE.fullmatch(above) or _BASE64_LINE.fullmatch(below))
