"""Whom the service answers, how much of it one may ask, and what no answer does or tells."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette

from attribution.config import ServiceConfig
from attribution.service import Service, create_app
from tests.attribution.asgi_client import ask, ask_async

TOKEN = "0123456789abcdef-of-the-team"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer \N{SNOWMAN}", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
    ],
)
@pytest.mark.parametrize("where", ["/", "/ready", "/sources", "/nowhere"])
def test_a_token_is_asked_for_on_every_route_but_health(
    own_index: Path, where: str, header: str, status: int
) -> None:
    """Without the token not even the existence of a route is told."""
    app = create_app(Service(index=own_index, token=TOKEN))
    answer = ask(app, where, "owner=shop", authorization=header)

    assert answer.status == (404 if (where, status) == ("/nowhere", 200) else status)
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert ask(app, "/health").status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8700", 200),
        ("LOCALHOST", 200),
        ("[::1]:8700", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8700", 421),
        ("[", 421),
        ("", 421),
    ],
)
def test_a_strangers_name_for_loopback_is_refused(own_index: Path, host: str, status: int) -> None:
    """A page that points its own name at this machine cannot read the answers."""
    hosts = frozenset({"127.0.0.1", "localhost", "[::1]"})
    answer = ask(create_app(Service(index=own_index, hosts=hosts)), "/", host=host)

    assert answer.status == status


@pytest.mark.parametrize(
    ("where", "query"), [("/", ""), ("/sources", "owner=shop"), ("/sources", ""), ("/none", "")]
)
def test_every_answer_is_locked_down(app: Starlette, where: str, query: str) -> None:
    """No answer may run, load, be framed, cached or read by another site."""
    headers = ask(app, where, query, origin="https://evil.example").headers

    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert [name for name in headers if name.startswith("access-control-")] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_reading_is_offered(app: Starlette, method: str) -> None:
    """Every other method is refused and named what is allowed."""
    answer = ask(app, "/sources", "owner=shop", method=method)

    assert (answer.status, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


def test_more_questions_than_it_takes_are_told_to_come_back(own_index: Path) -> None:
    """One runs, one waits, the third gets a 429 with Retry-After; later all is as before."""
    config = replace(ServiceConfig(), max_running=1, max_waiting=1)
    app = create_app(Service(index=own_index, config=config))
    release = threading.Event()

    async def crowd() -> tuple[int, list[int], int]:
        served = app.state.served
        first = asyncio.create_task(served.ask(lambda _index: release.wait(30)))
        second = asyncio.create_task(ask_async(app, "/sources", "owner=shop"))
        await asyncio.sleep(0)  # both have begun
        third = await ask_async(app, "/sources", "owner=shop")
        ready = await ask_async(app, "/ready")
        assert third.headers["retry-after"] == "2"
        release.set()
        assert await first is True
        later = [await second, await ask_async(app, "/sources", "owner=shop")]
        return third.status, [one.status for one in later], ready.status

    assert asyncio.run(crowd()) == (429, [200, 200], 200)


def test_a_look_up_that_takes_too_long_is_given_up(own_index: Path) -> None:
    """Beyond its time a question ends in a 503 that says how far it came."""
    config = replace(ServiceConfig(), max_answer_s=-1.0)
    answer = ask(create_app(Service(index=own_index, config=config)), "/sources", "owner=shop")

    assert answer.status == 503
    assert "of 16 documents looked at" in answer.text


def test_nothing_of_a_question_is_logged(
    app: Starlette, own_index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an answer, nor a refusal, nor a failure writes what was asked."""
    caplog.set_level(logging.INFO)
    for query in ("owner=secretname", "owner=secret%20name", "secret=1"):
        ask(app, "/sources", query)
    (own_index / "manifest.json").unlink()
    failed = ask(app, "/sources", "owner=secretname")

    assert failed.status == 503
    assert "IndexMissingError" in caplog.text
    assert "secret" not in caplog.text


def test_an_unforeseen_failure_is_a_500_without_its_details(
    own_index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect ends one request, tells its kind to the log and nothing of it to the client."""
    app = create_app(Service(index=own_index))
    app.state.served = None  # what no request can bring about
    answer = ask(app, "/sources", "owner=shop")

    assert answer.status == 500
    assert "AttributeError" in caplog.text
    assert "NoneType" not in answer.text + caplog.text
