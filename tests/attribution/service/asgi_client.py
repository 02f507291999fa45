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
    app: ASGIApp,
    path: str,
    query: str | bytes = "",
    *,
    method: str = "GET",
    body: bytes = b"",
    **headers: str,
) -> Answer:
    return asyncio.run(ask_async(app, path, query, method=method, body=body, **headers))


def post(app: ASGIApp, path: str, record: object, **headers: str) -> Answer:
    named = {"content-type": "application/json", **headers}
    return ask(app, path, method="POST", body=json.dumps(record).encode(), **named)


async def ask_unfinished(app: ASGIApp, path: str) -> Answer:
    """A POST of JSON whose body never ends."""
    named = {"content-type": "application/json"}
    return await ask_async(app, path, method="POST", body=b"{", is_whole=False, **named)


async def ask_async(
    app: ASGIApp,
    path: str,
    query: str | bytes = "",
    *,
    method: str = "GET",
    body: bytes = b"",
    is_whole: bool = True,
    **headers: str,
) -> Answer:
    named = {"host": "127.0.0.1:8700", **headers}
    parts = [body[at : at + 65_536] for at in range(0, len(body), 65_536)] or [b""]
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
        if not parts:  # as a server has it: nothing more comes until the client leaves
            await asyncio.get_running_loop().create_future()
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts) or not is_whole}

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
