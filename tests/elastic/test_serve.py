"""The service over an index in Elasticsearch: the same questions, and what it cannot answer."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from attribution.config import RemoteConfig
from attribution.remote import RemoteTracer
from attribution.service import Service, create_app
from attribution.service import place as places
from attribution.tracer import Tracer
from attribution.types import Trace, Verdict
from indexer import Index
from indexer.elastic.forget import find, forget
from indexer.elastic.index import ElasticIndex
from indexer.elastic.push import push
from indexer.elastic.server import Server
from indexer.optout.selector import parse_selector
from tests.attribution.service.asgi_client import ask, post
from tests.attribution.service.test_serve_cli import TOKEN, run, running
from tests.elastic.conftest import module
from tests.elastic.server import Cluster
from tests.elastic.test_index import matches

OWNED = "\n".join(module(99).split("\n")[10:40])
SHARED = "\n".join(module(3).split("\n")[20:40])
NONE = "".join(
    f"class Nothing{n}:\n    def like(this):\n        return {{**this.kind, 'is': here[{n}:]}}\n"
    for n in range(3)
)


@contextmanager
def served(urls: Sequence[str], name: str, *, token: str = "") -> Iterator[Starlette]:
    """The service over a cluster; its connections end with it."""
    app = create_app(Service(index=places.Cluster(urls=tuple(urls), name=name), token=token))
    yield app
    for lane in app.state.lanes.values():
        asyncio.run(lane.close())
    app.state.served.close()


@pytest.fixture
def app(cluster: Cluster, server: Server, pushed: ElasticIndex) -> Iterator[Starlette]:
    """The service over the pushed index."""
    with served(cluster.urls, server.name) as app:
        yield app


def test_it_answers_as_over_the_embedded_index(
    app: Starlette, embedded: Index, index_path: Path
) -> None:
    """Traces, searches, documents with their lines and "Am I in it?" are those of the folder."""
    own = create_app(Service(index=index_path))
    both = [own, app]
    asked = {"text": SHARED, "path": "mine.py"}
    traces = [post(one, "/v1/trace", asked).record["results"][0] for one in both]
    searched = [post(one, "/v1/search", {"text": SHARED, "top_k": 3}).record for one in both]
    sources = [ask(one, "/sources", "owner=octocat&format=json").record for one in both]
    first = [found["results"][0] for found in searched]
    lines = [
        ask(one, f"/v1/documents/{it['document_id']}", "start_line=20&end_line=24").record
        for one, it in zip(both, first, strict=True)
    ]

    assert without_numbers(traces[1]) == without_numbers(traces[0])
    assert traces[1]["verdict"] == "found"
    assert [it["document_sha256"] for it in first] == [embedded.document(3).sha256] * 2
    assert (
        lines[1]["text"] == lines[0]["text"] == "".join(module(3).splitlines(keepends=True)[20:24])
    )
    assert lines[1]["n_lines"] == lines[0]["n_lines"]
    assert sources[1]["counts"] == sources[0]["counts"]
    assert sources[1]["n_live"] == sources[0]["n_live"] == 42
    assert [it["sha256"] for it in sources[1]["documents"]] == [
        it["sha256"] for it in sources[0]["documents"]
    ]


def without_numbers(result: dict[str, object]) -> object:
    """A result without times and the numbers of documents, which are the index's own."""
    text = json.dumps(result)
    return json.loads(
        text, object_hook=lambda it: {k: v for k, v in it.items() if k not in _OWN_NUMBERS}
    )


_OWN_NUMBERS = {"document_id", "elapsed_ms", "missing_views"}


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/v1/membership", {"text": OWNED}), ("/overlap", {"document": OWNED})],
)
def test_membership_is_no_answer(app: Starlette, path: str, asked: dict[str, str]) -> None:
    """There is no filter that could rule a text out: the answer says what to ask instead."""
    told = post(app, path, asked)

    assert told.status == 422
    assert "/v1/trace" in told.record["error"]


def test_an_absence_is_not_proved(app: Starlette) -> None:
    """No match is an answer, and a proof of it is said to be missing, with the reason."""
    told = post(app, "/v1/trace", {"text": NONE, "absence": True}).record["results"][0]

    assert told["verdict"] == "none"
    assert told["absence"]["is_proved"] is False
    assert "no proofs" in told["absence"]["reason"]


def test_what_is_taken_out_is_answered_by_nothing_next(
    app: Starlette, server: Server, pushed: ElasticIndex
) -> None:
    """Neither a trace, nor its number, nor "Am I in it?" shows it, though it was just read."""
    found = find(pushed, parse_selector(owners=["octocat"]))
    number = found[0].document.document_id
    before = ask(app, f"/v1/documents/{number}")
    forget(server, pushed, found)

    after = ask(app, f"/v1/documents/{number}")
    traced = post(app, "/v1/trace", {"text": OWNED}).record["results"][0]

    assert before.record["text"] == module(99)
    assert after.status == 404
    assert found[0].document.sha256 not in json.dumps(traced)
    assert ask(app, "/sources", "owner=octocat&format=json").record["documents"] == []


def test_a_rebuild_is_answered_from(app: Starlette, server: Server, embedded: Index) -> None:
    """The next question is of the index that has taken the old one's place."""
    before = ask(app, "/v1/index").record
    push(embedded, server)
    after = ask(app, "/v1/index").record

    assert post(app, "/v1/trace", {"text": SHARED}).record["results"][0]["verdict"] == "found"
    assert before["generation"] != after["generation"]
    assert ask(app, "/ready").record["generation"] == 2


def test_no_index_and_no_cluster(cluster: Cluster, server: Server, embedded: Index) -> None:
    """503 and the reason until there is one, and /health stays 200; then it answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with served([url], server.name) as dead:
            unreachable = ask(dead, "/ready"), post(dead, "/v1/trace", {"text": SHARED})
            alive = ask(dead, "/health").status
    with served(cluster.urls, server.name) as app:
        missing = ask(app, "/ready")
        push(embedded, server)
        ready = ask(app, "/ready")

    assert [one.status for one in (*unreachable, missing)] == [503] * 3
    assert "cannot be reached" in unreachable[1].record["error"]
    assert unreachable[1].headers["retry-after"]
    assert "starcite elastic push" in missing.record["error"]
    assert alive == 200
    assert ready.record["corpus_digest"] == embedded.manifest.corpus_digest


def test_a_request_to_be_left_out_is_taken(
    cluster: Cluster, server: Server, pushed: ElasticIndex
) -> None:
    """It waits on the disk for the keeper, as over a folder."""
    named = {"authorization": f"Bearer {TOKEN}"}
    with served(cluster.urls, server.name, token=TOKEN) as app:
        taken = post(app, "/v1/optout", {"owner": "octocat"}, **named)
        asked = ask(app, f"/v1/optout/{taken.record['key']}", **named)

    assert taken.status == 202
    assert asked.record["status"] == "waiting"


def test_workers_ask_the_cluster(
    cluster: Cluster, server: Server, pushed: ElasticIndex, embedded: Index, own_home: Path
) -> None:
    """The command, its processes, and a client that sends hashes alone: the trace is the local."""
    own_home.mkdir()
    named = ["--elasticsearch-name", server.name, "--workers", "1"]
    urls = [word for url in cluster.urls for word in ("--elasticsearch", url)]
    with running(None, own_home, *urls, *named) as (_, port):
        url = f"http://127.0.0.1:{port}"
        told, by_hashes = (
            traced(RemoteConfig(url=url, timeout_ms=60_000, fingerprints_only=is_quiet))
            for is_quiet in (False, True)
        )

    here = Tracer(embedded).trace(SHARED)
    assert told.verdict is by_hashes.verdict is Verdict.FOUND
    assert matches(told) == matches(here)
    assert matches(by_hashes) == matches(here)


def traced(config: RemoteConfig) -> Trace:
    with closing(RemoteTracer(config)) as tracer:
        return tracer.trace(SHARED)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--elasticsearch", "nowhere"],
        ["--elasticsearch", "http://me:hush@127.0.0.1:9200"],
        ["--elasticsearch", "http://127.0.0.1:9200", "--index", "here"],
        ["--elasticsearch", "http://127.0.0.1:9200", "--elasticsearch-name", "*"],
    ],
)
def test_settings_that_cannot_be(arguments: list[str]) -> None:
    """An address, a name or two indexes at once are refused at start, without the login."""
    refused = run(*arguments)

    assert refused.exit_code == 2
    assert refused.output.startswith("starcite serve: ")
    assert "hush" not in refused.output


@pytest.mark.parametrize(
    "place", [Path("/an/index"), places.Cluster(urls=("http://a:1", "http://b:2"), name="mine")]
)
def test_a_worker_is_told_the_place(place: places.Place) -> None:
    """What goes over a command line comes back."""
    assert places.of_argument(places.as_argument(place)) == place
