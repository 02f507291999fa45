"""The HTTP service over an index. `_ROUTES` says what it answers; a new answer is a row there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from attribution.errors import QueryRefusedError
from attribution.service import asked, openapi, optout, replies, static_files
from attribution.service.answers import Answer
from attribution.service.batch import BatchResponse
from attribution.service.bodies import JSON_KINDS, NDJSON_KINDS, read_body
from attribution.service.door import HEALTH_PATH, Door, Service
from attribution.service.lanes import Lane, ThreadLane
from attribution.service.metrics import CONTENT_TYPE, Metrics
from attribution.service.pages import FORM_PATH, SOURCES_PATH, render_form
from attribution.service.place import Served, open_served
from attribution.service.pool import ProcessLane
from attribution.service.sources import in_words_of_a_query, kept
from indexer import IndexerError

Endpoint = Callable[[Request], Awaitable[Response]]
_STOP_EARLIER_S = 5.0  # before its worker is replaced, a look through all documents stops itself


def create_app(service: Service) -> Starlette:
    """The service as an ASGI application; it starts and ends its workers with its lifespan."""
    lanes = _lanes(service)
    metrics = Metrics(lanes)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await lanes["text"].start()
        yield
        for lane in lanes.values():
            await lane.close()
        app.state.served.close()

    app = Starlette(
        routes=[
            Route(path, answer, methods=[method]) for (method, path), answer in _ROUTES.items()
        ],
        middleware=[Middleware(Door, service=service, metrics=metrics)],
        exception_handlers={HTTPException: _of_http_error},
        lifespan=lifespan,
    )
    app.state.service, app.state.lanes, app.state.metrics = service, lanes, metrics
    app.state.served = open_served(service.index)  # answers no question: is it there, and whole?
    return app


def _lanes(service: Service) -> dict[str, Lane]:
    """One for texts, which take milliseconds; one for looking through all documents."""
    place, config = service.index, service.config
    if not service.n_workers:
        return {"text": ThreadLane(place, config), "scan": ThreadLane(place, config)}
    scan_s = config.max_answer_s + _STOP_EARLIER_S
    return {
        "text": ProcessLane(
            place, config, n_workers=service.n_workers, max_answer_s=config.max_trace_s
        ),
        "scan": ProcessLane(place, config, n_workers=1, max_answer_s=scan_s),
    }


async def _health(_request: Request) -> Response:
    return replies.as_json({"status": "ok"})


async def _ready(request: Request) -> Response:
    at = await to_thread.run_sync(_served(request).look)
    facts = {"corpus_digest": at.index.manifest.corpus_digest, "generation": at.number}
    return replies.as_json({"status": "ready", **facts})


async def _metrics(request: Request) -> Response:
    try:
        is_ready = bool(await to_thread.run_sync(_served(request).look))
    except IndexerError:
        is_ready = False
    text = request.app.state.metrics.text(is_ready=is_ready)
    return Response(text, headers={"Content-Type": CONTENT_TYPE})


def _posted(name: str) -> Endpoint:
    """The endpoint of a question that is a JSON body."""

    async def endpoint(request: Request) -> Response:
        config = _service(request).config
        with _lane(request, "text").gate.place():
            body = await read_body(
                request,
                kinds=JSON_KINDS,
                max_bytes=config.max_body_bytes,
                max_read_s=config.max_read_s,
            )
            return replies.of_answer(request, await _lane(request, "text").ask(name, body))

    return endpoint


async def _index(request: Request) -> Response:
    return await _ask(request, "index", {})


async def _document(request: Request) -> Response:
    query = asked.read_document_query(
        request.path_params["document_id"], request.query_params.multi_items()
    )
    return await _ask(request, "document", query)


async def _ask(request: Request, name: str, record: dict[str, Any]) -> Response:
    lane = _lane(request, "text")
    with lane.gate.place():
        return replies.of_answer(request, await lane.ask(name, json.dumps(record).encode()))


async def _batch(request: Request) -> Response:
    config, lane = _service(request).config, _lane(request, "text")
    with lane.gate.place():
        body = await read_body(
            request,
            kinds=NDJSON_KINDS,
            max_bytes=config.max_batch_bytes,
            max_read_s=config.max_read_s,
        )
        lines = asked.read_batch(body, config)
    return BatchResponse(lane, lines, config)


async def _form(_request: Request) -> Response:
    return replies.as_html(render_form())


async def _sources(request: Request) -> Response:
    items = request.query_params.multi_items()
    try:
        wants_json = replies.wants_json(request)
        ask_again = "" if wants_json else FORM_PATH
        answer = await _scan(request, {"items": items, "ask_again": ask_again})
    except QueryRefusedError as error:
        wants_json = replies.may_want_json(request)
        answer = Answer(HTTPStatus.BAD_REQUEST, json.dumps({"error": str(error)}).encode())
    if answer.status == HTTPStatus.OK:
        return Response(answer.body, media_type=replies.JSON if wants_json else replies.HTML)
    message = in_words_of_a_query(json.loads(answer.body)["error"])
    if answer.status == HTTPStatus.BAD_REQUEST and not wants_json:
        return replies.as_html(render_form(kept(items), problem=message), answer.status)
    return replies.problem(request, answer.status, message)


async def _scan(request: Request, record: dict[str, Any]) -> Answer:
    lane = _lane(request, "scan")
    with lane.gate.place():
        return await lane.ask("sources", json.dumps(record).encode())


_ROUTES: dict[tuple[str, str], Endpoint] = {
    ("GET", HEALTH_PATH): _health,
    ("GET", "/ready"): _ready,
    ("GET", "/metrics"): _metrics,
    ("GET", "/"): static_files.page,
    ("GET", "/page.js"): static_files.script,
    ("GET", "/page.css"): static_files.style,
    ("GET", FORM_PATH): _form,
    ("GET", SOURCES_PATH): _sources,
    ("GET", "/openapi.json"): openapi.document,
    ("GET", "/docs"): openapi.page,
    ("POST", "/overlap"): _posted("overlap"),
    ("GET", "/v1/index"): _index,
    ("POST", "/v1/trace"): _posted("trace"),
    ("POST", "/v1/trace/batch"): _batch,
    ("POST", "/v1/membership"): _posted("membership"),
    ("POST", "/v1/search"): _posted("search"),
    ("POST", "/v1/lookup"): _posted("lookup"),
    ("GET", "/v1/documents/{document_id}"): _document,
    ("POST", "/v1/optout"): optout.ask,
    ("GET", "/v1/optout/{key}"): optout.status,
}


async def _of_http_error(request: Request, error: Exception) -> Response:
    """No such route, or another method than it has."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    message = "there is no such page; /docs lists what there is"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        message = "this address takes another method; /docs says which"
    response = replies.problem(request, status, message)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


def _lane(request: Request, name: str) -> Lane:
    lane: Lane = request.app.state.lanes[name]
    return lane
