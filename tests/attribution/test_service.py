"""The service, asked without a socket: what it answers, to whom, and what it never does."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from attribution.config import ServiceConfig
from attribution.service import Service, create_app
from indexer import Index
from indexer.add import add_segment
from indexer.build import build_index
from indexer.cli import index as index_command
from indexer.tombstones import forget_documents
from tests.attribution.asgi_client import ask, ask_async
from tests.attribution.conftest import CART, NOTES, source_file

FIELDS = ("owner", "repo", "package", "path", "content-hash", "swhid")
TOKEN = "0123456789abcdef-of-the-team"
EVIL = "\"'><script>alert(1)</script>"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home of this test's own, so that its ledger is empty."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def path(tmp_path: Path, index_path: Path) -> Path:
    """An index of one's own, to change while it is served."""
    return Path(shutil.copytree(index_path, tmp_path / "index"))


@pytest.fixture
def app(path: Path) -> Starlette:
    return create_app(Service(index=path))


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


def n_found(app: Starlette, **asked: str) -> int:
    found: int = ask(app, "/sources", urlencode({**asked, "format": "json"})).record["counts"][
        "n_documents"
    ]
    return found


def git_name(text: str) -> str:
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def id_of(path: Path, origin_path: str) -> int:
    with Index.open(path) as index:
        for one in index.live_document_ids():
            if any(origin.path == origin_path for origin in index.document(one).origins):
                return one
    raise LookupError(origin_path)


def test_the_form_asks_by_every_field_and_labels_it() -> None:
    """The page has one labelled field for each way of asking, and loads and runs nothing."""
    answer = ask(create_app(Service(index=Path("nowhere"))), "/")
    form = Form(answer.text)

    assert answer.status == 200
    assert tuple(form.inputs) == FIELDS
    assert sorted(filter(None, form.labels)) == sorted(
        str(one["id"]) for one in form.inputs.values()
    )
    assert form.outside == []
    assert {"script", "link", "img", "iframe"}.isdisjoint(form.tags)


def test_an_owner_is_answered_with_a_page_that_leads_back(app: Starlette) -> None:
    """A browser gets the counts, the places and the way to another question."""
    answer = ask(app, "/sources", "owner=shop&repo=&path=", accept="text/html,*/*;q=0.8")
    page = Form(answer.text)

    assert answer.headers["content-type"].startswith("text/html")
    assert "Yes: 1 document of 16" in page.text
    assert "shop/cart.py" in page.text
    assert page.outside == ["/"]


@pytest.mark.parametrize("how", ["header", "query"])
def test_json_is_what_the_command_prints(app: Starlette, path: Path, how: str) -> None:
    """`starcite index find --json` and the service give the same record."""
    arguments = [
        "find",
        "--index",
        str(path),
        "--package",
        "Market",
        "--path",
        "vendor/*",
        "--json",
    ]
    printed = json.loads(CliRunner().invoke(index_command, arguments).stdout)
    query, header = "package=Market&path=vendor/*", {"accept": "application/json"}
    if how == "query":
        query, header = f"{query}&format=json", {"accept": "text/html"}
    record = ask(app, "/sources", query, **header).record

    assert record == printed
    assert record["counts"]["n_documents"] == 1


def test_a_content_is_found_by_either_hash(app: Starlette, path: Path) -> None:
    """sha256 and SWHID name the same document."""
    with Index.open(path) as index:
        sha256 = index.document(id_of(path, "sea/tides.py")).sha256

    assert n_found(app, **{"content-hash": f"sha256:{sha256}"}) == 1
    assert n_found(app, swhid="swh:1:cnt:" + git_name(NOTES)) == 1
    assert n_found(app, swhid="swh:1:cnt:" + git_name(NOTES + "\n")) == 0


def test_what_is_forgotten_is_gone_from_the_next_answer(app: Starlette, path: Path) -> None:
    """A document taken out while the service runs is not shown again, without a restart."""
    before = n_found(app, owner="sea")
    forget_documents(path, [id_of(path, "sea/tides.py")])
    page = ask(app, "/sources", "owner=sea").text

    assert before == 1
    assert n_found(app, owner="sea") == 0
    assert "No. None of the 15 documents" in page
    assert "tides.py" not in page


def test_what_is_added_and_built_anew_is_seen(app: Starlette, path: Path) -> None:
    """New segments and another build in the same place count from the next question on."""
    before = n_found(app, owner="new")
    add_segment([source_file("x = 1\n" * 9, "new.py", name="new")], path)
    added = n_found(app, owner="new")
    build_index([source_file(CART, "cart.py", name="shop")], path)

    assert (before, added, n_found(app, owner="new"), n_found(app, owner="shop")) == (0, 1, 0, 1)


def test_the_ledger_is_asked_as_well(app: Starlette, path: Path) -> None:
    """Who was left out is told so, in the record and on the page."""
    arguments = ["forget", "--index", str(path), "--owner", "geo", "--yes"]
    done = CliRunner().invoke(index_command, arguments)
    answer = ask(app, "/sources", "owner=geo&format=json")

    assert done.exit_code == 0, done.output
    assert (answer.record["counts"]["n_documents"], answer.record["is_kept_out"]) == (0, True)
    assert "in the ledger" in ask(app, "/sources", "owner=geo").text


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("", "nothing is asked for; give one of owner"),
        ("owner=&repo=", "nothing is asked for"),
        ("owner=a%20b", "owner 'a b' is no name"),
        ("repo=alone", "repo 'alone' is not owner/name"),
        ("swhid=swh:1:dir:00", "names no content"),
        ("owner=a&ower=b", "'ower' cannot be asked for"),
        ("owner=a&format=xml", "format 'xml' is not known"),
        ("path=[--a]*/[a--b]", "is no glob"),
        ("path=" + "*a" * 5, "more than 4 stars"),
        ("owner=" + "a" * 513, "has 513 characters; at most 512"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused_with_the_reason(
    app: Starlette, query: str, part: str
) -> None:
    """The reason is in the page and in the JSON, and the words are those of the query."""
    page = ask(app, "/sources", query)
    answer = ask(app, "/sources", query, accept="application/json")

    assert (page.status, answer.status) == (400, 400)
    assert part in Form(page.text).text
    assert part in answer.record["error"]
    assert "--owner" not in answer.record["error"]


def test_a_refused_question_keeps_what_was_typed_as_text(app: Starlette) -> None:
    """Markup in a value stays a value."""
    page = Form(ask(app, "/sources", urlencode({"owner": EVIL, "path": "src/*"})).text)

    assert page.inputs["owner"]["value"] == EVIL
    assert page.inputs["path"]["value"] == "src/*"
    assert "script" not in page.tags


def test_names_in_the_index_stay_text(tmp_path: Path) -> None:
    """Markup in a path of the corpus comes out as it is written."""
    file = source_file(CART, EVIL, name="shop")
    build_index([file], tmp_path / "evil")
    page = Form(ask(create_app(Service(index=tmp_path / "evil")), "/sources", "owner=shop").text)

    assert EVIL in page.text
    assert "script" not in page.tags


def test_a_long_query_is_refused_before_it_is_parsed(app: Starlette) -> None:
    """More than the limit is a 414."""
    answer = ask(app, "/sources", "owner=" + "a" * 9_000)

    assert answer.status == 414
    assert "longer than 8,000 bytes" in answer.text


@pytest.mark.parametrize("state", ["missing", "damaged"])
def test_without_a_readable_index_it_says_so_and_recovers(path: Path, state: str) -> None:
    """It lives, is not ready, and answers 503; with an index in place it answers."""
    manifest = path / "manifest.json"
    kept = manifest.read_bytes()
    app = create_app(Service(index=path))
    manifest.unlink() if state == "missing" else manifest.write_bytes(kept[:-9])
    broken = [ask(app, one, "owner=shop") for one in ("/health", "/ready", "/sources")]
    manifest.write_bytes(kept)
    whole = [ask(app, one, "owner=shop") for one in ("/health", "/ready", "/sources")]

    assert [one.status for one in broken] == [200, 503, 503]
    assert {"missing": "no index in", "damaged": "is damaged"}[state] in Form(broken[2].text).text
    assert "run: starcite index build" in broken[1].record["error"]
    assert [one.status for one in whole] == [200, 200, 200]


def test_an_index_that_is_removed_while_served_is_missed(app: Starlette, path: Path) -> None:
    """What is gone from the disk is not served from memory."""
    before = ask(app, "/ready").status
    shutil.rmtree(path)

    assert (before, ask(app, "/ready").status) == (200, 503)


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
    path: Path, where: str, header: str, status: int
) -> None:
    """Without the token not even the existence of a route is told."""
    app = create_app(Service(index=path, token=TOKEN))
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
def test_a_strangers_name_for_loopback_is_refused(path: Path, host: str, status: int) -> None:
    """A page that points its own name at this machine cannot read the answers."""
    hosts = frozenset({"127.0.0.1", "localhost", "[::1]"})
    answer = ask(create_app(Service(index=path, hosts=hosts)), "/", host=host)

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


def test_more_questions_than_it_takes_are_told_to_come_back(path: Path) -> None:
    """One runs, one waits, the third gets a 429 with Retry-After; later all is as before."""
    config = replace(ServiceConfig(), max_running=1, max_waiting=1)
    app = create_app(Service(index=path, config=config))
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


def test_a_look_up_that_takes_too_long_is_given_up(path: Path) -> None:
    """Beyond its time a question ends in a 503 that says how far it came."""
    config = replace(ServiceConfig(), max_answer_s=-1.0)
    answer = ask(create_app(Service(index=path, config=config)), "/sources", "owner=shop")

    assert answer.status == 503
    assert "of 16 documents looked at" in answer.text


def test_nothing_of_a_question_is_logged(
    app: Starlette, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an answer, nor a refusal, nor a failure writes what was asked."""
    caplog.set_level(logging.INFO)
    for query in ("owner=secretname", "owner=secret%20name", "secret=1"):
        ask(app, "/sources", query)
    (path / "manifest.json").unlink()
    failed = ask(app, "/sources", "owner=secretname")

    assert failed.status == 503
    assert "IndexMissingError" in caplog.text
    assert "secret" not in caplog.text


def test_an_unforeseen_failure_is_a_500_without_its_details(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect ends one request, tells its kind to the log and nothing of it to the client."""
    app = create_app(Service(index=path))
    app.state.served = None  # what no request can bring about
    answer = ask(app, "/sources", "owner=shop")

    assert answer.status == 500
    assert "AttributeError" in caplog.text
    assert "NoneType" not in answer.text + caplog.text


_VALUES = st.one_of(
    st.text(max_size=40),
    st.text("*?[]!-/ab\\^&~|.", max_size=12),
    st.sampled_from(["", "shop", "a/b", "swh:1:cnt:" + "0" * 40, "sha256:" + "0" * 64, "**/*.py"]),
)
_PAIRS = st.lists(st.tuples(st.sampled_from([*FIELDS, "format", "x"]), _VALUES), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(query=st.one_of(st.binary(max_size=80), _PAIRS.map(lambda pairs: urlencode(pairs).encode())))
@example(query=b"path=[a%7C%7Cb]&path=[[a]&path=[!]&path=[ --]")
@example(query=b"owner=%ff%00&owner=\xff")
@example(query=b"swhid=swh:1:cnt:" + b"%D9%A3" * 40)
def test_no_query_string_makes_it_fail(app: Starlette, query: bytes) -> None:
    """Whatever is asked is answered or refused; nothing is a failure of the service."""
    answer = ask(app, "/sources", query)

    assert answer.status in {200, 400}
    assert "script" not in Form(answer.text).tags if answer.text.startswith("<") else answer.record
