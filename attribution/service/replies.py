"""Answers as HTTP: JSON for programs, pages for browsers, and an error as whichever was wanted."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from attribution.config import ServiceConfig
from attribution.errors import (
    BusyError,
    LookTooLongError,
    QueryRefusedError,
    RequestRefusedError,
    WorkerLostError,
)
from attribution.service.answers import Answer, of_error
from attribution.service.pages import render_problem
from attribution.service.sources import FORMAT_FIELD
from indexer import IndexerError

log = logging.getLogger(__name__)

JSON, HTML = "application/json", "text/html"
_API = ("/v1/", "/health", "/ready", "/overlap", "/openapi.json")
_LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def as_json(record: object, status: int = HTTPStatus.OK) -> Response:
    """A record as JSON."""
    return Response(json.dumps(record), status, media_type=JSON)


def as_html(page: str, status: int = HTTPStatus.OK) -> Response:
    """A page."""
    return Response(page.encode("utf-8", "replace"), status, media_type=HTML)


def of_answer(request: Request, answer: Answer) -> Response:
    """An answer that is JSON."""
    return _timed(request, Response(answer.body, answer.status, media_type=JSON))


def problem(request: Request, status: int, message: str) -> Response:
    """Why there is no answer, in the form that the client reads."""
    if may_want_json(request):
        response = as_json({"error": message}, status)
    else:
        response = as_html(render_problem(HTTPStatus(status).phrase, message), status)
    return _timed(request, response)


def _timed(request: Request, response: Response) -> Response:
    """With the time after which to come back, where that may help."""
    if response.status_code in _LATER:
        config: ServiceConfig = request.app.state.service.config
        response.headers["Retry-After"] = str(config.retry_after_s)
    return response


def of_exception(request: Request, error: Exception) -> Response:
    """What an error becomes; one that nobody foresaw is told without its details."""
    if isinstance(error, RequestRefusedError):
        return problem(request, error.status, str(error))
    if isinstance(error, BusyError):
        return problem(request, HTTPStatus.TOO_MANY_REQUESTS, str(error))
    if isinstance(error, QueryRefusedError):
        return problem(request, HTTPStatus.BAD_REQUEST, str(error))
    if isinstance(error, (IndexerError, LookTooLongError, WorkerLostError)):
        log.warning("cannot answer error=%s", type(error).__name__)
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    answer = of_error(error)
    return problem(request, answer.status, json.loads(answer.body)["error"])


def wants_json(request: Request) -> bool:
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
    return JSON in accepted and HTML not in accepted


def may_want_json(request: Request) -> bool:
    """The same of a request that may be wrong."""
    try:
        return request.scope["path"].startswith(_API) or wants_json(request)
    except QueryRefusedError:
        return JSON in _accept(request)


def _accept(request: Request) -> str:
    return request.headers.get("accept", "").lower()
