"""Whom the service answers, how much of it one may ask, and what no answer does or tells."""

from __future__ import annotations

import asyncio
import base64
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from attribution.config import ServiceConfig
from attribution.service import Service, create_app
from attribution.service.door import is_token
from tests.attribution.service.asgi_client import Answer, ask, ask_unfinished, post

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


@pytest.mark.parametrize("lane", ["text", "scan"])
def test_more_questions_than_it_takes_are_told_to_come_back(own_index: Path, lane: str) -> None:
    """With all places taken a question gets a 429 with Retry-After; later all is as before."""
    config = replace(ServiceConfig(), max_running=1, max_waiting=1)
    app = create_app(Service(index=own_index, config=config))
    gate = app.state.lanes[lane].gate

    def put() -> Answer:
        if lane == "scan":
            return ask(app, "/sources", "owner=shop")
        return post(app, "/v1/trace", {"text": "x = 1"})

    with gate.place(), gate.place():
        refused, ready = put(), ask(app, "/ready")
    later = put()

    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert (ready.status, later.status) == (200, 200)
    assert (gate.n_taken, gate.n_refused) == (0, 1)


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
    app.state.lanes = None  # what no request can bring about
    answer = ask(app, "/sources", "owner=shop")

    assert answer.status == 500
    assert "TypeError" in caplog.text
    assert "NoneType" not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (base64.b64encode(f"anybody:{TOKEN}".encode()).decode(), 200),
        (base64.b64encode(f":{TOKEN}".encode()).decode(), 200),
        (base64.b64encode(f"{TOKEN}:".encode()).decode(), 401),
        (base64.b64encode(f"a:{TOKEN}:".encode()).decode(), 401),
        (base64.b64encode(b"\xff\xfe:" + TOKEN.encode()).decode(), 401),
        ("====", 401),
        ("", 401),
    ],
)
def test_a_browser_sends_the_token_as_a_password(own_index: Path, header: str, status: int) -> None:
    """A page that needs the token makes the browser ask the person for it, whatever their name."""
    app = create_app(Service(index=own_index, token=TOKEN))
    answer = ask(app, "/", accept="text/html", authorization=f"Basic {header}")

    assert answer.status == status
    expected = 'Basic realm="starcite"' if status == 401 else None
    assert answer.headers.get("www-authenticate") == expected


@settings(max_examples=200)
@given(
    header=st.one_of(
        st.text(max_size=40),
        st.binary(max_size=40).map(lambda one: "Basic " + base64.b64encode(one).decode()),
    )
)
def test_no_header_but_the_tokens_is_let_in(header: str) -> None:
    """Garbage in the header is a refusal and never a failure."""
    assert not is_token(header, TOKEN)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8700", 200),
        ("http://127.0.0.1:8701", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
        ("", 403),
    ],
)
def test_a_page_of_another_site_may_not_ask(app: Starlette, origin: str, status: int) -> None:
    """A browser says whose page asks; only the service's own are answered."""
    assert post(app, "/v1/trace", {"text": "x = 1"}, origin=origin).status == status


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "a/b;c"])
@pytest.mark.parametrize("path", ["/v1/trace", "/overlap", "/v1/trace/batch"])
def test_only_json_is_read(app: Starlette, path: str, kind: str) -> None:
    """What a page of another site could send without asking first is refused unread."""
    named = {"content-type": kind}

    assert ask(app, path, method="POST", body=b'{"text": "x"}', **named).status == 415


def test_a_long_body_is_refused_declared_or_not(own_index: Path) -> None:
    """More than the limit is a 413, told by its head or counted on the way in."""
    config = replace(ServiceConfig(), max_body_bytes=100_000)
    app = create_app(Service(index=own_index, config=config))
    told = post(app, "/v1/trace", {"text": ""}, **{"content-length": "100001"})
    huge = post(app, "/v1/trace", {"text": ""}, **{"content-length": "9" * 4000})
    counted = post(app, "/v1/trace", {"text": "a" * 100_001})
    fits = post(app, "/v1/trace", {"text": "a" * 90_000})

    assert [one.status for one in (told, huge, counted, fits)] == [413, 413, 413, 200]


def test_a_body_that_trickles_in_is_cut_off(own_index: Path) -> None:
    """A client that does not finish its request gets a 408 and holds no place any more."""
    config = replace(ServiceConfig(), max_read_s=0.01)
    app = create_app(Service(index=own_index, config=config))
    answer = asyncio.run(ask_unfinished(app, "/v1/trace"))

    assert answer.status == 408
    assert app.state.lanes["text"].gate.n_taken == 0


def test_metrics_count_answers_and_name_no_path(app: Starlette, own_index: Path) -> None:
    """Prometheus reads how many, how long and how full; what was asked is in no label."""
    ask(app, "/v1/documents/0")
    ask(app, "/v1/secretname")
    post(app, "/v1/trace", {"text": "secretname"})
    answer = ask(app, "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    route = "/v1/documents/{document_id}"
    assert f'starcite_answers_total{{route="{route}",status="200"}} 1.0' in lines
    assert 'starcite_answers_total{route="other",status="404"} 1.0' in lines
    assert 'starcite_questions{lane="text"} 0.0' in lines
    assert "starcite_ready 1.0" in lines
    assert "secretname" not in answer.text
