"""The service, asked without a socket: what it answers, to whom, and what it never does."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from attribution.service import Service, create_app
from indexer import Index
from indexer.add import add_segment
from indexer.build import build_index
from indexer.cli import index as index_command
from indexer.tombstones import forget_documents
from tests.attribution.conftest import CART, NOTES, source_file
from tests.attribution.service.asgi_client import Form, ask

FIELDS = ("owner", "repo", "package", "path", "content-hash", "swhid")
EVIL = "\"'><script>alert(1)</script>"


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
    answer = ask(create_app(Service(index=Path("nowhere"))), "/ask")
    form = Form(answer.text)

    assert answer.status == 200
    assert tuple(form.inputs) == FIELDS
    assert sorted(filter(None, form.labels)) == sorted(
        str(one["id"]) for one in form.inputs.values()
    )
    assert form.outside == ["/", "/docs"]
    assert {"script", "link", "img", "iframe"}.isdisjoint(form.tags)


def test_an_owner_is_answered_with_a_page_that_leads_back(app: Starlette) -> None:
    """A browser gets the counts, the places and the way to another question."""
    answer = ask(app, "/sources", "owner=shop&repo=&path=", accept="text/html,*/*;q=0.8")
    page = Form(answer.text)

    assert answer.headers["content-type"].startswith("text/html")
    assert "Yes: 1 document of 16" in page.text
    assert "shop/cart.py" in page.text
    assert page.outside == ["/ask"]


@pytest.mark.parametrize("how", ["header", "query"])
def test_json_is_what_the_command_prints(app: Starlette, own_index: Path, how: str) -> None:
    """`starcite index find --json` and the service give the same record."""
    arguments = [
        "find",
        "--index",
        str(own_index),
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


def test_a_content_is_found_by_either_hash(app: Starlette, own_index: Path) -> None:
    """sha256 and SWHID name the same document."""
    with Index.open(own_index) as index:
        sha256 = index.document(id_of(own_index, "sea/tides.py")).sha256

    assert n_found(app, **{"content-hash": f"sha256:{sha256}"}) == 1
    assert n_found(app, swhid="swh:1:cnt:" + git_name(NOTES)) == 1
    assert n_found(app, swhid="swh:1:cnt:" + git_name(NOTES + "\n")) == 0


def test_what_is_forgotten_is_gone_from_the_next_answer(app: Starlette, own_index: Path) -> None:
    """A document taken out while the service runs is not shown again, without a restart."""
    before = n_found(app, owner="sea")
    forget_documents(own_index, [id_of(own_index, "sea/tides.py")])
    page = ask(app, "/sources", "owner=sea").text

    assert before == 1
    assert n_found(app, owner="sea") == 0
    assert "No. None of the 15 documents" in page
    assert "tides.py" not in page


def test_what_is_added_and_built_anew_is_seen(app: Starlette, own_index: Path) -> None:
    """New segments and another build in the same place count from the next question on."""
    before = n_found(app, owner="new")
    add_segment([source_file("x = 1\n" * 9, "new.py", name="new")], own_index)
    added = n_found(app, owner="new")
    build_index([source_file(CART, "cart.py", name="shop")], own_index)

    assert (before, added, n_found(app, owner="new"), n_found(app, owner="shop")) == (0, 1, 0, 1)


def test_the_ledger_is_asked_as_well(app: Starlette, own_index: Path) -> None:
    """Who was left out is told so, in the record and on the page."""
    arguments = ["forget", "--index", str(own_index), "--owner", "geo", "--yes"]
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


def test_names_in_the_index_stay_text(app: Starlette, own_index: Path) -> None:
    """Markup in a path of the corpus comes out as it is written."""
    file = source_file(CART, EVIL, name="shop")
    build_index([file], own_index)
    page = Form(ask(app, "/sources", "owner=shop").text)

    assert EVIL in page.text
    assert "script" not in page.tags


def test_a_long_query_is_refused_before_it_is_parsed(app: Starlette) -> None:
    """More than the limit is a 414."""
    answer = ask(app, "/sources", "owner=" + "a" * 9_000)

    assert answer.status == 414
    assert "longer than 8,000 bytes" in answer.text


@pytest.mark.parametrize("state", ["missing", "damaged"])
def test_without_a_readable_index_it_says_so_and_recovers(own_index: Path, state: str) -> None:
    """It lives, is not ready, and answers 503; with an index in place it answers."""
    manifest = own_index / "manifest.json"
    kept = manifest.read_bytes()
    app = create_app(Service(index=own_index))
    manifest.unlink() if state == "missing" else manifest.write_bytes(kept[:-9])
    broken = [ask(app, one, "owner=shop") for one in ("/health", "/ready", "/sources")]
    manifest.write_bytes(kept)
    whole = [ask(app, one, "owner=shop") for one in ("/health", "/ready", "/sources")]

    assert [one.status for one in broken] == [200, 503, 503]
    assert {"missing": "no index in", "damaged": "is damaged"}[state] in Form(broken[2].text).text
    assert "run: starcite index build" in broken[1].record["error"]
    assert [one.status for one in whole] == [200, 200, 200]


def test_an_index_that_is_removed_while_served_is_missed(app: Starlette, own_index: Path) -> None:
    """What is gone from the disk is not served from memory."""
    before = ask(app, "/ready").status
    shutil.rmtree(own_index)

    assert (before, ask(app, "/ready").status) == (200, 503)


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
