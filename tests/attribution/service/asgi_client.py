"""Asks an ASGI application without a socket, as a server would, and reads its pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def record(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


def ask(
    app: ASGIApp, path: str, query: str | bytes = "", *, method: str = "GET", **headers: str
) -> Answer:
    return asyncio.run(ask_async(app, path, query, method=method, **headers))


async def ask_async(
    app: ASGIApp, path: str, query: str | bytes = "", *, method: str = "GET", **headers: str
) -> Answer:
    named = {"host": "127.0.0.1:8700", **headers}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode() if isinstance(query, str) else query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "server": ("127.0.0.1", 8700),
        "client": ("127.0.0.1", 50000),
        "root_path": "",
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *bodies = sent
    return Answer(
        status=start["status"],
        headers={name.decode().lower(): value.decode() for name, value in start["headers"]},
        body=b"".join(body.get("body", b"") for body in bodies),
    )


class Form(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.inputs: dict[str, dict[str, str | None]] = {}
        self.labels: list[str | None] = []
        self.outside: list[str | None] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.outside += [found[name] for name in ("src", "href", "srcset") if name in found]
        if tag == "input":
            self.inputs[found["name"] or ""] = found
        if tag == "label":
            self.labels.append(found["for"])

    def handle_data(self, data: str) -> None:
        self.text += data
