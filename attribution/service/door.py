"""What every request passes: headers that let a page do little, the host's name, the token.

Here every error becomes an answer, every answer is counted, and nothing of a request is logged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attribution.config import ServiceConfig
from attribution.service.metrics import Metrics
from attribution.service.place import Place
from attribution.service.replies import may_want_json, of_exception, problem

log = logging.getLogger(__name__)

HEALTH_PATH = "/health"
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the service serves, to whom, and with how many worker processes."""

    index: Place
    token: str = ""  # empty: nobody is asked for one
    hosts: frozenset[str] = frozenset()  # names it may be called by; empty: any
    n_workers: int = 0  # 0: threads of this process
    config: ServiceConfig = field(default_factory=ServiceConfig)


class Door:
    """Lets requests in, or says why not."""

    def __init__(self, app: ASGIApp, service: Service, metrics: Metrics) -> None:
        self._app, self._service, self._metrics = app, service, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, started, status = Request(scope), time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", _CSP)
                headers.update(_HEADERS)
            await send(message)

        try:
            refusal = self._refusal(request)
            await (refusal or self._app)(scope, receive, send_with_headers)
        except Exception as error:
            if status:  # a part of the answer is out: all that is left is to break it off
                log.warning("an answer was broken off error=%s", type(error).__name__)
                raise ConnectionAbortedError("the answer was broken off") from None
            await of_exception(request, error)(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "")
            self._metrics.count(route, status, time.perf_counter() - started)

    def _refusal(self, request: Request) -> Response | None:
        if request.scope["path"] == HEALTH_PATH:
            return None
        service, config = self._service, self._service.config
        host = request.headers.get("host", "")
        if service.hosts and _host_name(host) not in service.hosts:
            # a name that a stranger's page made point here (DNS rebinding)
            message = "this service is not called so; use the address that it printed"
            return problem(request, HTTPStatus.MISDIRECTED_REQUEST, message)
        if service.token and not is_token(request.headers.get("authorization", ""), service.token):
            return _challenge(request)
        if not _is_own_page(request.headers.get("origin"), host):
            message = "a page of another site may not ask this service"
            return problem(request, HTTPStatus.FORBIDDEN, message)
        if len(request.scope["query_string"]) > config.max_query_bytes:
            message = f"the query is longer than {config.max_query_bytes:,} bytes; ask for less"
            return problem(request, HTTPStatus.REQUEST_URI_TOO_LONG, message)
        return None


def _challenge(request: Request) -> Response:
    """A program is told of the header; a browser asks the person, and keeps it for all pages."""
    message = "send the header Authorization: Bearer TOKEN; in a browser, the token as password"
    refused = problem(request, HTTPStatus.UNAUTHORIZED, message)
    is_browser = not may_want_json(request) and "text/html" in request.headers.get("accept", "")
    refused.headers["WWW-Authenticate"] = 'Basic realm="starcite"' if is_browser else "Bearer"
    return refused


def is_token(header: str, token: str) -> bool:
    """Whether an Authorization header holds the token: as Bearer, or as the password of Basic.

    Compared by digests of one length, in a time that says nothing of where they differ.
    """
    scheme, _, given = header.partition(" ")
    kind, given = scheme.lower(), given.strip()
    if kind == "basic":
        given = _password(given)
    digests = [hashlib.sha256(one.encode("utf-8")).digest() for one in (given, token)]
    return hmac.compare_digest(*digests) and kind in {"bearer", "basic"}


def _password(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _is_own_page(origin: str | None, host: str) -> bool:
    """Whether a request comes from no page at all or from one of this service."""
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _host_name(header: str) -> str:
    """A Host header without its port, in lower case."""
    name, _, port = header.lower().rpartition(":")
    return name if port.isdigit() else header.lower()
