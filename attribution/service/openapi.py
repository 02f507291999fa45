"""The service described: an OpenAPI 3.1 document, and the same as a page without any script."""

from __future__ import annotations

import json
from functools import lru_cache
from html import escape
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from attribution.service import replies
from attribution.service.schemas import BATCH_LINE, SCHEMAS, ref
from indexer.optout.page import page_of

_STYLE = """
code.path { font-size: 1rem; font-weight: 600; }
.method { display: inline-block; min-width: 3.2rem; color: var(--accent); font-weight: 700; }
section { border-top: 1px solid var(--line); padding: .6rem 0; }
h2 code { font-weight: 600; } summary { cursor: pointer; color: var(--faint); }
pre { overflow-x: auto; font: .8125rem/1.45 ui-monospace, monospace; }
"""
_ERRORS = {
    "400": "What was asked cannot be read; the message says why.",
    "401": "A token is needed.",
    "403": "Asked by a page of another site.",
    "404": "There is none.",
    "408": "The request came in too slowly.",
    "409": "The document of this number is another one by now.",
    "413": "The body is too long.",
    "414": "The query is too long.",
    "415": "The body is of another content type.",
    "421": "The service is not called by this name (a foreign Host header).",
    "422": "This index does not have that view.",
    "429": "All places are taken; Retry-After says when to come back.",
    "503": "It could not look: no index, a damaged one, too slow, or no room on the disk.",
}
_COMMON = ("400", "401", "403", "414", "421")
_POSTED = (*_COMMON, "408", "413", "415", "429", "503")
_ASKED = (*_COMMON, "429", "503")


def _error_responses(*codes: str) -> dict[str, Any]:
    content = {"application/json": {"schema": ref("Problem")}}
    return {code: {"description": _ERRORS[code], "content": content} for code in codes}


def _get(summary: str, schema: str, *codes: str, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": ref(schema)}}
    answer = {"200": {"description": "The answer.", "content": content}}
    return {"get": {"summary": summary, "responses": answer | _error_responses(*codes), **more}}


def _text(path: str, summary: str, kind: str) -> dict[str, Any]:
    name = path.strip("/").replace(".", "_") or "home"
    answer = {"200": {"description": "The answer.", "content": {kind: {}}}}
    operation = {"operationId": name, "summary": summary}
    return {"get": {**operation, "responses": answer | _error_responses(*_COMMON)}}


def _post(
    summary: str, asked: str, schema: str, *more_codes: str, status: str = "200", **more: Any
) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": ref(asked)}}}
    content = {"application/json": {"schema": ref(schema)}}
    answer = {status: {"description": "The answer.", "content": content}}
    responses = answer | _error_responses(*_POSTED, *more_codes)
    return {"post": {"summary": summary, "requestBody": body, "responses": responses, **more}}


def _parameter(
    name: str, schema: dict[str, Any], text: str, place: str = "query"
) -> dict[str, Any]:
    is_required = place == "path"
    return {
        "name": name,
        "in": place,
        "required": is_required,
        "schema": schema,
        "description": text,
    }


_NUMBER = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_VALUE = {"type": "string", "maxLength": 512}
_SOURCES_QUERY = [
    _parameter("owner", _VALUE, "An account, an organisation, or a package's name."),
    _parameter("repo", _VALUE, "owner/name, or the repository's address."),
    _parameter("package", _VALUE, "Its name on the package index."),
    _parameter("path", _VALUE, "A glob inside of packages and repositories."),
    _parameter("content-hash", _VALUE, "sha256:… of a file's text, or sha1-git:…"),
    _parameter("swhid", _VALUE, "Software Heritage's name of a file's content."),
    _parameter("format", {"enum": ["html", "json"]}, "Else the Accept header says it."),
]
_DOCUMENT_QUERY = [
    _parameter("document_id", _NUMBER, "As a trace or a search names it.", "path"),
    _parameter("sha256", {"type": "string", "maxLength": 64}, "What its text must have (409)."),
    _parameter("start_line", _NUMBER, "From this line on, counted from 0."),
    _parameter("end_line", _NUMBER, "Up to and without this line."),
    _parameter("frequencies", {"type": "boolean"}, "Also how rare its words are in the index."),
]


def _batch() -> dict[str, Any]:
    lines = {"application/x-ndjson": {"schema": {"type": "string", "description": BATCH_LINE}}}
    return {
        "post": {
            "summary": "Trace many texts: NDJSON in, NDJSON out, as the answers are found.",
            "requestBody": {"required": True, "content": lines},
            "responses": {
                "200": {"description": "One line for each, in order.", "content": lines},
                **_error_responses(*_POSTED),
            },
        }
    }


def _sources_path() -> dict[str, Any]:
    operation = _get("Am I in it?", "Sources", *_ASKED, parameters=_SOURCES_QUERY)
    for answer in operation["get"]["responses"].values():
        answer["content"]["text/html"] = {}
    return operation


def _optout_key() -> dict[str, Any]:
    key = _parameter("key", {"type": "string"}, "As the request was answered.", "path")
    codes = (*_COMMON, "404", "503")
    return _get("Whether a request to be left out waits.", "Optout", *codes, parameters=[key])


_PATHS: dict[str, Any] = {
    "/v1/trace": _post("Where does this text come from?", "TraceAsked", "Trace"),
    "/v1/trace/batch": _batch(),
    "/v1/membership": _post(
        "A quick first look: may the index hold this text?", "TextAsked", "Membership"
    ),
    "/v1/search": _post(
        "Chunks of 50 lines that share rare words.", "SearchAsked", "Found", "422"
    ),
    "/v1/documents/{document_id}": _get(
        "An indexed text, or some of its lines, and its origins.",
        "Document", "404", "409", *_ASKED, parameters=_DOCUMENT_QUERY,
    ),
    "/v1/lookup": _post(
        "Where fingerprints occur: for clients that keep their text to themselves.",
        "LookupAsked", "Postings",
    ),
    "/v1/index": _get("What is served.", "Index", *_ASKED),
    "/overlap": _post(
        "Membership in the shape of the StarCoder demo: spans that may be in the index.",
        "OverlapAsked", "Overlap",
    ),
    "/sources": _sources_path(),
    "/v1/optout": _post(
        "Ask to be left out; the index's keeper decides.", "OptoutAsked", "Optout", status="202"
    ),
    "/v1/optout/{key}": _optout_key(),
    "/health": _get("Whether the service lives; needs no token.", "Health"),
    "/ready": _get("Whether it has an index.", "Ready", *_COMMON, "503"),
    "/metrics": _text("/metrics", "Counters for Prometheus.", "text/plain"),
    "/openapi.json": _text("/openapi.json", "This document.", "application/json"),
    "/docs": _text("/docs", "This document as a page.", "text/html"),
    "/": _text("/", "Paste code, see where it comes from.", "text/html"),
    "/ask": _text("/ask", "The form of /sources.", "text/html"),
    "/page.js": _text("/page.js", "The script of the page.", "text/javascript"),
    "/page.css": _text("/page.css", "Its style.", "text/css"),
}  # fmt: skip


@lru_cache
def describe() -> dict[str, Any]:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Starcite",
            "version": version("starcite"),
            "description": "Where code came from. Lines and offsets count from 0, ranges are "
            "half-open, offsets are code points.",
        },
        "paths": _PATHS,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "browser": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"bearer": []}, {"browser": []}, {}],
    }


async def document(_request: Request) -> Response:
    """The OpenAPI document as JSON."""
    return replies.as_json(describe())


async def page(_request: Request) -> Response:
    """The OpenAPI document as a page."""
    return replies.as_html(_page())


@lru_cache
def _page() -> str:
    body = [
        '<p><a href="/">Trace</a> · <a href="/ask">Am I in it?</a> · '
        '<a href="/openapi.json">openapi.json</a></p>',
        "<main>",
        "<h1>The service</h1>",
        f"<p>{escape(describe()['info']['description'])}</p>",
        *(_section(path, operations) for path, operations in _PATHS.items()),
        "<h2>Schemas</h2>",
        *(_details(f"#{name}", schema, name) for name, schema in SCHEMAS.items()),
        "</main>",
    ]
    return page_of("Starcite: the service", body, style=_STYLE)


def _section(path: str, operations: dict[str, Any]) -> str:
    ((method, operation),) = operations.items()
    codes = ", ".join(sorted(operation["responses"]))
    parts = [
        f'<section><span class="method">{method.upper()}</span>'
        f'<code class="path">{escape(path)}</code><br>{escape(operation["summary"])}',
        f'<p class="note">Answers with {codes}.{_named(operation)}</p>',
    ]
    if "parameters" in operation:
        parts.append(_details("Parameters", operation["parameters"]))
    return "\n".join([*parts, "</section>"])


def _named(operation: dict[str, Any]) -> str:
    """Links to what goes in and what comes out."""
    found = json.dumps(operation)
    names = [name for name in SCHEMAS if f'schemas/{name}"' in found and name != "Problem"]
    links = ", ".join(f'<a href="#{name}">{name}</a>' for name in names)
    return f" See {links}." if links else ""


def _details(title: str, content: object, anchor: str = "") -> str:
    identity = f' id="{escape(anchor)}"' if anchor else ""
    text = escape(json.dumps(content, indent=2, ensure_ascii=False))
    return (
        f"<details{identity}><summary>{escape(title)}</summary>"
        f'<div class="scroll"><pre>{text}</pre></div></details>'
    )
