"""The page for people, its script and its style: files beside this one, read when first asked."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).with_name("static")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


async def page(_request: Request) -> Response:
    """Paste code, see matches and their sources side by side."""
    return _file("page.html", "text/html")


async def script(_request: Request) -> Response:
    """What the page does."""
    return _file("page.js", "text/javascript")


async def style(_request: Request) -> Response:
    """What the page looks like."""
    return _file("page.css", "text/css")


def _file(name: str, media_type: str) -> Response:
    headers = {"Content-Security-Policy": _CSP}
    return Response(_read(name), headers=headers, media_type=media_type)


@lru_cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
