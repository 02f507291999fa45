"""Private keys in PEM, OpenSSH, PuTTY and PGP armour.

Public keys and certificates are published on purpose: they are kept, and so is the line that opens
a private key when nothing follows it (code that looks for the header).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.curate.redact.bigrams import surprise
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.view import View

LONGEST_BLOCK_CHARS = 20_000  # an 8,192-bit RSA key needs 6,400
RANDOM_BITS = 5.5  # long names in code that writes a key stay well below

_BEGIN = re.compile(r"-----BEGIN (?P<label>(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?)-----")
_PUTTY = re.compile(r"PuTTY-User-Key-File-\d:")
_PUTTY_LINES = re.compile(
    r"Private-(?:Lines|MAC|Hash): *(?:\d{1,4}\r?\n)?"
    r"(?P<body>[A-Za-z0-9+/=]{16,}(?:\r?\n[A-Za-z0-9+/=]++)*+)"
)
_SEPARATOR = r"(?:[\s\"'`+,;\\|#*>.()-]|\\[nr])"
_HEADER = r"(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset):[^\n\\]{0,100}+)"
_BODY = re.compile(
    rf"(?:{_SEPARATOR}|{_HEADER}|(?:[bru]+(?=[\"']))|(?:\\?[nr])?[A-Za-z0-9+/=]{{4,}}+)*+", re.ASCII
)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{16,}")


def find_private_keys(view: View) -> Iterator[Span]:
    """The bodies of private keys; header and footer stay, so that a reader sees what was there."""
    if b"-----BEGIN " in view.data:
        yield from _armoured(view)
    if b"PuTTY-User-Key-File" in view.data:
        yield from _putty(view)


def _armoured(view: View) -> Iterator[Span]:
    text, done = view.text, 0
    for at in view.find_all(b"-----BEGIN "):
        found = _BEGIN.match(text, at)
        if at < done or found is None:
            continue
        limit = min(len(text), found.end() + LONGEST_BLOCK_CHARS)
        footer = text.find(f"-----END {found['label']}-----", found.end(), limit)
        if footer < 0:  # cut off, or written in pieces: as far as it looks like a key
            footer = _BODY.match(text, found.end(), limit).end()  # type: ignore[union-attr]  # matches ""
        span = _trimmed(text, found.end(), footer)
        if span is not None:
            done = footer
            yield span


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The part of a block from its first to its last base64 run, None if there is none."""
    if not any(surprise(run[0]) > RANDOM_BITS for run in _BASE64_RUN.finditer(text, start, end)):
        return None
    body = text[start:end]
    lead = re.match(r"(?:\s|\\[nr])*", body)
    tail = re.search(r"(?:\s|\\[nr])*\Z", body[-200:])
    end -= len(tail[0]) if tail else 0
    return Span(start + (lead.end() if lead else 0), end, Kind.KEY, "private key block")


def _putty(view: View) -> Iterator[Span]:
    done = 0
    for header in _PUTTY.finditer(view.text):
        limit = header.end() + LONGEST_BLOCK_CHARS
        for lines in _PUTTY_LINES.finditer(view.text, max(done, header.end()), limit):
            done = lines.end()
            yield Span(lines.start("body"), lines.end(), Kind.KEY, "putty private key")
        done = max(done, min(limit, len(view.text)))
