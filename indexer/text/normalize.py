"""What the membership filter sees: text without its whitespace, and text as bytes."""

from __future__ import annotations

WHITESPACE = b" \t\n\r\v\f"


def to_bytes(text: str) -> bytes:
    """UTF-8, also of the lone surrogates that an editor's text may hold; never fails."""
    return text.encode("utf-8", errors="surrogatepass")


def to_text(data: bytes) -> str:
    """The text that `to_bytes` made these bytes of."""
    return data.decode("utf-8", errors="surrogatepass")


def strip_whitespace(data: bytes) -> bytes:
    """Drop every ASCII whitespace byte, so that re-indenting and re-wrapping change nothing."""
    return data.translate(None, WHITESPACE)
