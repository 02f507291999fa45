"""The OpenAPI document says what the service does, and schemathesis finds no failure by it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from attribution.service.openapi import describe
from tests.attribution.service.asgi_client import Form, ask
from tests.attribution.service.test_serve_cli import TOKEN, running


def test_the_document_has_every_route_and_no_other(app: Starlette) -> None:
    """A new route without its description fails here."""
    routes = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {
        (path, method) for path, methods in describe()["paths"].items() for method in methods
    }

    assert described == routes
    assert ask(app, "/openapi.json").record == describe()


def test_the_page_needs_nothing_from_anywhere_else(app: Starlette) -> None:
    """It lists every path, runs no script and loads nothing."""
    form = Form(ask(app, "/docs").text)

    assert {"script", "link", "img", "iframe"}.isdisjoint(form.tags)
    assert [path for path in describe()["paths"] if path not in form.text] == []
    assert {one for one in form.outside if one and not one.startswith("#")} == {
        "/", "/ask", "/openapi.json",
    }  # fmt: skip


def test_schemathesis_finds_no_failure(index_path: Path, tmp_path: Path) -> None:
    """What the document allows and what it forbids is answered as it says, and never by a 5xx."""
    index = shutil.copytree(index_path, tmp_path / "index")
    file = tmp_path / "token"
    file.write_text(TOKEN, "utf-8")
    with running(index, tmp_path, "--token-file", str(file)) as (_, port):
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"http://127.0.0.1:{port}/openapi.json",
            "--header", f"Authorization: Bearer {TOKEN}",
            "--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1",
            "--exclude-path", "/v1/trace/batch",  # NDJSON, which it cannot write
            "--exclude-path-regex", r"^/(docs|ask|page\.\w+)?$",  # pages that take no question
            "--checks", "not_a_server_error,status_code_conformance,"
            "content_type_conformance,response_schema_conformance",
            "--no-color",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-6000:]
