"""Which files become text of the corpus; every one that does not has a reason."""

from __future__ import annotations

import io
import tokenize
from enum import StrEnum

from indexer.text.languages import language_of

MAX_FILE_BYTES = 1_000_000
# StarCoder's basic filter (bigcode-dataset, preprocessing/filtering.py): longer lines are
# generated, minified or data.
MAX_LINE_CHARS = 1000
MAX_MEAN_LINE_CHARS = 100

# Code of others that a package carries along, under licences of its own.
_VENDORED = frozenset(
    {
        "3rdparty",
        "_bundled",
        "_extern",
        "_external",
        "_externals",
        "_thirdparty",
        "_vendor",
        "_vendored",
        "_vendored_packages",
        "bower_components",
        "bundled",
        "extern",
        "external",
        "externals",
        "node_modules",
        "site-packages",
        "third-party",
        "third_party",
        "thirdparty",
        "typeshed",
        "vendor",
        "vendored",
        "vendored_packages",
        "vendorized",
        "vendors",
    }
)


class SkipReason(StrEnum):
    """Why a file or a record is no text of the corpus."""

    NOT_SOURCE = "not source code"
    VENDORED = "vendored"
    EMPTY = "empty"
    TOO_LARGE = "larger than 1 MB"
    BINARY = "binary"
    UNDECODABLE = "not decodable"
    LONG_LINES = "generated or minified"
    GENERATED = "generated, as its record says"
    DAMAGED = "damaged record"
    WRONG_TYPE = "field of another type"
    NO_TEXT = "record without text"
    LONG_RECORD = "record larger than 16 MB"
    TOO_DEEP = "nested too deep"
    BOT = "written by bots"
    LITTLE_TALK = "issue of too little talk"
    MESSAGE = "commit message that says nothing"
    UNCHANGED = "commit without a change"
    SAMPLED = "left out by sampling"


_DATA_LANGUAGES = frozenset(["css", "html", "json", "markdown", "svg", "toml", "xml", "yaml"])


def source_language(path: str) -> str | None:
    """The language of a file of code, or None for data, markup and whatever is not text."""
    language = language_of(path)
    return None if language in _DATA_LANGUAGES else language


def is_vendored(path: str) -> bool:
    """Whether a path lies in a folder that holds other people's packages."""
    return not _VENDORED.isdisjoint(part.lower() for part in path.split("/")[:-1])


def decode_source(data: bytes, language: str) -> str | SkipReason:
    """The text of a file without its byte order mark, newlines as they are, or why it has none.

    Python files are decoded by the encoding that they declare (PEP 263), all others as UTF-8.
    """
    if b"\0" in data:
        return SkipReason.BINARY
    try:
        encoding = "utf-8-sig"
        if language == "python":
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        text.encode()  # some codecs give lone surrogates, which no store can hold
    except (LookupError, SyntaxError, ValueError):
        return SkipReason.UNDECODABLE
    return text


def judge_text(text: str) -> SkipReason | None:
    """Why a decoded text is left out, or None where it belongs to the corpus."""
    lines = text.splitlines()
    n_chars = sum(map(len, lines))
    if not text.strip():
        return SkipReason.EMPTY
    longest = max(map(len, lines))
    if longest > MAX_LINE_CHARS or n_chars / len(lines) > MAX_MEAN_LINE_CHARS:
        return SkipReason.LONG_LINES
    return None
