"""The body of a request, read within bounds of size, time and kind."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from attribution.errors import RequestRefusedError

JSON_KINDS = ("application/json",)
_MAX_DIGITS = 18  # of a length that is worth reading
NDJSON_KINDS = ("application/x-ndjson", "application/ndjson", "application/jsonl")


async def read_body(
    request: Request, *, kinds: tuple[str, ...], max_bytes: int, max_read_s: float
) -> bytes:
    """The whole body.

    Only a page of this very service can send these kinds of content from a browser: any other one
    would have to ask first (CORS), and is told no.

    Raises:
        RequestRefusedError: it is of another kind, too long, or comes in too slowly.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        message = f"send the header Content-Type: {kinds[0]}"
        raise RequestRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > _MAX_DIGITS or int(declared) > max_bytes):
        raise _too_long(max_bytes)
    try:
        async with asyncio.timeout(max_read_s):
            return await _within(request, max_bytes)
    except TimeoutError:
        message = f"the body was not whole after {max_read_s:g} s; send it faster"
        raise RequestRefusedError(HTTPStatus.REQUEST_TIMEOUT, message) from None
    except ClientDisconnect:
        message = "the client left before the body was whole"
        raise RequestRefusedError(HTTPStatus.BAD_REQUEST, message) from None


async def _within(request: Request, max_bytes: int) -> bytes:
    parts, n_bytes = [], 0
    async for part in request.stream():
        n_bytes += len(part)
        if n_bytes > max_bytes:
            raise _too_long(max_bytes)
        parts.append(part)
    return b"".join(parts)


def _too_long(max_bytes: int) -> RequestRefusedError:
    message = f"the body is longer than {max_bytes:,} bytes; send a part of it"
    return RequestRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
