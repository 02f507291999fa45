"""Asking to be left out: queued on the disk for the index's keeper, who carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from attribution.errors import QueryRefusedError, RequestRefusedError
from attribution.service import asked, replies
from attribution.service.bodies import JSON_KINDS, read_body
from attribution.service.door import Service
from attribution.service.sources import FIELDS, in_words_of_a_query, parse_query
from indexer.optout.errors import SelectorError
from indexer.optout.intake import Intake, intake_path, queue, read_intake


async def ask(request: Request) -> Response:
    """202 only when the request is on the disk; it waits there for the keeper."""
    service = _authenticated(request)
    config = service.config
    with request.app.state.lanes["scan"].gate.place():
        body = await read_body(
            request,
            kinds=JSON_KINDS,
            max_bytes=config.max_query_bytes,
            max_read_s=config.max_read_s,
        )
        try:
            selector = parse_query(_items(asked.read_object(body)), config)
        except SelectorError as error:
            raise QueryRefusedError(in_words_of_a_query(str(error))) from error
        waits = await to_thread.run_sync(partial(queue, intake_path(), selector))
    return replies.as_json(_record(waits), HTTPStatus.ACCEPTED)


async def status(request: Request) -> Response:
    """Whether a request still waits."""
    _authenticated(request)
    key = request.path_params["key"]
    for one in await to_thread.run_sync(read_intake, intake_path()):
        if one.key == key:
            return replies.as_json(_record(one))
    return replies.problem(request, HTTPStatus.NOT_FOUND, "no request has this key")


def _authenticated(request: Request) -> Service:
    """The service, if it asks everybody for a token: the door has seen it by now."""
    service: Service = request.app.state.service
    if not service.token:
        message = "this service knows nobody: its keeper starts it with --token-file to take this"
        raise RequestRefusedError(HTTPStatus.FORBIDDEN, message)
    return service


def _items(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    items = []
    for name, value in record.items():
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, str):
                raise QueryRefusedError(f"give texts, or lists of them, for {', '.join(FIELDS)}")
            items.append((name, one))
    return items


def _record(one: Intake) -> dict[str, Any]:
    return {
        "key": one.key,
        "status": "settled" if one.settled else "waiting",
        "asked_at": one.time,
        "settled_at": one.settled,
        "selector": one.selector.as_record(),
    }
