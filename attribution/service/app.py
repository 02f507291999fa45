"""The HTTP service over an index. `_ROUTES` says what it answers; a new answer is a row there.

Every request passes `_Door` first: headers that let a page load nothing, the token, the host's
name, the length of the query. What a client asks for is written to no log.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from anyio import to_thread
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attribution.config import ServiceConfig
from attribution.errors import BusyError, LookTooLongError, QueryRefusedError
from attribution.served_index import ServedIndex
from attribution.service_pages import FORM_PATH, SOURCES_PATH, render_form, render_problem
from attribution.service_sources import FORMAT_FIELD, in_words_of_a_query, kept, look, parse_query
from indexer import IndexerError
from indexer.optout.errors import SelectorError

log = logging.getLogger(__name__)

HEALTH_PATH, READY_PATH = "/health", "/ready"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_JSON, _HTML = "application/json", "text/html"


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the service serves, and to whom."""

    index: Path
    token: str = ""  # empty: nobody is asked for one
    hosts: frozenset[str] = frozenset()  # names it may be called by; empty: any
    config: ServiceConfig = field(default_factory=ServiceConfig)


def create_app(service: Service) -> Starlette:
    """The service as an ASGI application."""
    app = Starlette(
        routes=[Route(path, answer, methods=["GET"]) for path, answer in _ROUTES.items()],
        middleware=[Middleware(_Door, service=service)],
        exception_handlers={HTTPException: _of_http_error},
    )
    app.state.service = service
    app.state.served = ServedIndex(service.index, service.config)
    return app


async def _health(_request: Request) -> Response:
    return _json({"status": "ok"})


async def _ready(request: Request) -> Response:
    manifest = (await to_thread.run_sync(_served(request).newest)).manifest
    return _json(
        {
            "status": "ready",
            "corpus_digest": manifest.corpus_digest,
            "generation": manifest.generation,
        }
    )


async def _form(_request: Request) -> Response:
    return _html(render_form())


async def _sources(request: Request) -> Response:
    config = _service(request).config
    items = request.query_params.multi_items()
    try:
        wants_json = _wants_json(request)
        selector = parse_query(items, config)
    except (QueryRefusedError, SelectorError) as error:
        message = in_words_of_a_query(str(error))
        if _may_want_json(request):
            return _json({"error": message}, HTTPStatus.BAD_REQUEST)
        return _html(render_form(kept(items), problem=message), HTTPStatus.BAD_REQUEST)
    found = await _served(request).ask(look(selector, config))
    return _json(found.as_record()) if wants_json else _html(found.as_page(FORM_PATH))


_ROUTES: dict[str, Callable[[Request], Awaitable[Response]]] = {
    HEALTH_PATH: _health,
    READY_PATH: _ready,
    FORM_PATH: _form,
    SOURCES_PATH: _sources,
}


class _Door:
    """What every request passes, and where every error becomes an answer."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        is_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            refusal = self._refusal(request)
            await (refusal or self._app)(scope, receive, send_with_headers)
        except Exception as error:
            if is_begun:
                raise
            await _of_error(request, error)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        if request.scope["path"] == HEALTH_PATH:
            return None
        service, config = self._service, self._service.config
        if service.hosts and _host_name(request.headers.get("host", "")) not in service.hosts:
            # a name that a stranger's page made point here (DNS rebinding)
            message = "this service is not called so; use the address that it printed"
            return _problem(request, HTTPStatus.MISDIRECTED_REQUEST, message)
        if service.token and not _is_token(request.headers.get("authorization", ""), service.token):
            message = "send the header Authorization: Bearer TOKEN"
            refused = _problem(request, HTTPStatus.UNAUTHORIZED, message)
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        if len(request.scope["query_string"]) > config.max_query_bytes:
            message = f"the query is longer than {config.max_query_bytes:,} bytes; ask for less"
            return _problem(request, HTTPStatus.REQUEST_URI_TOO_LONG, message)
        return None


def _of_error(request: Request, error: Exception) -> Response:
    if isinstance(error, BusyError):
        busy = _problem(request, HTTPStatus.TOO_MANY_REQUESTS, str(error))
        busy.headers["Retry-After"] = str(_service(request).config.retry_after_s)
        return busy
    if isinstance(error, (IndexerError, LookTooLongError)):
        log.warning("cannot answer error=%s", type(error).__name__)
        return _problem(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    log.error("a request failed error=%s", type(error).__name__)
    log.debug("a request failed", exc_info=error)
    message = "the service failed; the same question may fail again"
    return _problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, message)


async def _of_http_error(request: Request, error: Exception) -> Response:
    """No such route, or another method than GET."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    message = f"there is {', '.join(_ROUTES)}, each by GET"
    response = _problem(request, status, message)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _problem(request: Request, status: HTTPStatus, message: str) -> Response:
    if _may_want_json(request):
        return _json({"error": message}, status)
    return _html(render_problem(status.phrase, message), status)


def _wants_json(request: Request) -> bool:
    """Whether the client asked for JSON: by the query, else by its header.

    Raises:
        QueryRefusedError: it asked for something else.
    """
    wanted = request.query_params.get(FORMAT_FIELD)
    if wanted not in {None, "", "html", "json"}:
        raise QueryRefusedError(f"format {wanted!r} is not known; it is html or json")
    if wanted:
        return wanted == "json"
    accepted = [one.partition(";")[0].strip() for one in _accept(request).split(",")]
    return _JSON in accepted and _HTML not in accepted


def _may_want_json(request: Request) -> bool:
    try:
        return request.scope["path"] in {HEALTH_PATH, READY_PATH} or _wants_json(request)
    except QueryRefusedError:
        return _JSON in _accept(request)


def _accept(request: Request) -> str:
    return request.headers.get("accept", "").lower()


def _is_token(header: str, token: str) -> bool:
    """Compared by digests of one length, in a time that says nothing of where they differ."""
    scheme, _, given = header.partition(" ")
    digests = [hashlib.sha256(one.encode("utf-8")).digest() for one in (given.strip(), token)]
    return hmac.compare_digest(*digests) and scheme.lower() == "bearer"


def _host_name(header: str) -> str:
    """A Host header without its port, in lower case."""
    name, _, port = header.lower().rpartition(":")
    return name if port.isdigit() else header.lower()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _served(request: Request) -> ServedIndex:
    served: ServedIndex = request.app.state.served
    return served


def _json(record: object, status: int = HTTPStatus.OK) -> Response:
    return Response(json.dumps(record), status, media_type=_JSON)


def _html(page: str, status: int = HTTPStatus.OK) -> Response:
    return Response(page.encode("utf-8", "replace"), status, media_type=_HTML)
