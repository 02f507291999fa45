"""Filling an index: again, in addition, interrupted, through the commands, and while nodes die."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import starcite
from attribution.elastic import ElasticTracer
from attribution.types import Verdict
from indexer import Index
from indexer.build import build_index
from indexer.elastic import generations
from indexer.elastic.bulk import write
from indexer.elastic.errors import ElasticError
from indexer.elastic.index import ElasticIndex
from indexer.elastic.push import PushProgress, PushSetting, push
from indexer.elastic.server import Server, connect
from tests.elastic.conftest import corpus, make_file, module
from tests.elastic.server import Cluster


class StoppedError(Exception):
    """The test ends a push with it."""


def indices_of(server: Server) -> list[str]:
    return sorted(server.client.indices.get(index=f"{server.name}-*"))


def test_what_fails_leaves_what_was_there(server: Server, embedded: Index) -> None:
    """A push that is stopped in the middle changes nothing and leaves nothing behind."""
    first = push(embedded, server)

    def stop(_now: PushProgress) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        push(embedded, server, progress=stop)

    assert generations.newest(server) == first.index
    assert indices_of(server) == [first.index]


def test_a_rebuild_takes_the_place_of_the_old_index(server: Server, embedded: Index) -> None:
    """Nobody sees none or half of it: each question meanwhile has the one answer."""
    push(embedded, server)
    tracer = ElasticTracer(server)
    is_done = threading.Event()
    seen: list[Verdict] = []

    def ask() -> None:
        while not is_done.is_set():
            seen.append(tracer.trace("\n".join(module(7).split("\n")[10:30])).verdict)

    asking = threading.Thread(target=ask)
    asking.start()
    reports = [push(embedded, server) for _ in range(3)]
    is_done.set()
    asking.join()

    assert set(seen) == {Verdict.FOUND}
    assert indices_of(server) == [reports[-1].index]


def test_an_addition_adds_what_is_new(server: Server, embedded: Index, tmp_path: Path) -> None:
    """Documents that are there are left alone; new ones get numbers of their own."""
    build_index([*corpus()[:5], make_file(module(77), "shop/new.py")], tmp_path / "more")
    push(embedded, server)

    with Index.open(tmp_path / "more") as more:
        report = push(more, server, PushSetting(adds=True))
        again = push(more, server, PushSetting(adds=True))
    index = ElasticIndex(server)
    numbers = [one.document_id for one in index.documents()]

    assert (report.n_documents, report.n_known) == (1, 5)
    assert (again.n_documents, again.n_known) == (0, 6)
    assert index.manifest.n_live == embedded.manifest.n_live + 1
    assert len(set(numbers)) == len(numbers)


def test_several_may_add_at_once(
    make_server: Callable[..., Server], server: Server, embedded: Index, tmp_path: Path
) -> None:
    """Parts pushed at the same time do not share a number, and none is lost."""
    push(embedded, server)
    parts = [tmp_path / f"part_{part}" for part in range(3)]
    for part, path in enumerate(parts):
        files = [make_file(module(200 + 10 * part + n), f"p/{part}_{n}.py") for n in range(10)]
        build_index(files, path)

    def add(path: Path) -> None:
        with Index.open(path) as more:
            push(more, make_server(server.name), PushSetting(adds=True))

    pushing = [threading.Thread(target=add, args=(path,)) for path in parts]
    for one in pushing:
        one.start()
    for one in pushing:
        one.join()
    numbers = [one.document_id for one in ElasticIndex(server).documents()]

    assert len(set(numbers)) == len(numbers) == embedded.manifest.n_live + 30


def test_an_unknown_field_is_refused(server: Server, embedded: Index) -> None:
    """A chunk that the strict mapping does not know ends the push: nothing is dropped silently."""
    push(embedded, server)
    index = ElasticIndex(server).name
    chunk = {"index": {"_id": "x", "routing": "x"}, "_source": {"unknown": 1}}

    with pytest.raises(ElasticError, match="strict_dynamic_mapping_exception"):
        list(write(server.client, index, [chunk], where="here"))


def run(cluster: Cluster, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(starcite.main, [*arguments], catch_exceptions=False)
    return result.exit_code, result.output


def test_the_commands(cluster: Cluster, server: Server, index_path: Path, tmp_path: Path) -> None:
    """Push, look, trace, take out what the ledger names, trace again: all from the command line."""
    at = ["--url", cluster.urls[0], "--name", server.name, "--json"]
    file = tmp_path / "mine.py"
    file.write_text("\n".join(module(99).split("\n")[10:40]))

    pushed = json.loads(run(cluster, "elastic", "push", "--index", str(index_path), *at)[1])
    status = json.loads(run(cluster, "elastic", "status", *at)[1])
    owner = ["--owner", "octocat", "--yes"]
    dry = json.loads(run(cluster, "elastic", "forget", *owner, "--dry-run", *at)[1])
    gone = json.loads(run(cluster, "elastic", "forget", *owner, *at)[1])
    after = json.loads(run(cluster, "elastic", "status", *at)[1])

    assert pushed["n_documents"] == status["n_documents"] == 42
    assert status["version"] == server.version
    assert (dry["n_found"], dry["n_removed"]) == (1, 0)
    assert (gone["n_found"], gone["n_removed"]) == (1, 1)
    assert after["n_documents"] == 41


def test_the_ledger_is_carried_out_and_heeded(
    cluster: Cluster, server: Server, index_path: Path, own_home: Path, tmp_path: Path
) -> None:
    """What `index forget` took out goes from Elasticsearch too, and no later push brings it."""
    own = Path(shutil.copytree(index_path, tmp_path / "own"))
    at = ["--url", cluster.urls[0], "--name", server.name, "--json"]
    run(cluster, "elastic", "push", "--index", str(index_path), *at)
    asked = ["--owner", "octocat", "--yes", "--index", str(own)]

    forgotten = run(cluster, "index", "forget", *asked)
    gone = json.loads(run(cluster, "elastic", "forget", "--ledger", "--yes", *at)[1])
    again = json.loads(run(cluster, "elastic", "push", "--index", str(index_path), *at)[1])

    assert forgotten[0] == 0
    assert gone["n_removed"] == 1
    assert (again["n_documents"], again["n_opted_out"]) == (41, 1)


def test_trace_by_elasticsearch(
    cluster: Cluster, make_server: Callable[..., Server], embedded: Index, tmp_path: Path
) -> None:
    """`starcite trace --elasticsearch` finds what is there, and says so where there is no index."""
    server = make_server("starcite")
    file = tmp_path / "mine.py"
    file.write_text("\n".join(module(99).split("\n")[10:40]))
    asked = ["trace", str(file), "--json", "--no-policy", "--elasticsearch", cluster.urls[0]]

    code, told = run(cluster, *asked)
    push(embedded, server)
    (found,) = json.loads(run(cluster, *asked)[1])["results"]

    assert code == 3
    assert "starcite elastic push" in told
    assert found["verdict"] == "found"
    assert found["matches"][0]["sources"][0]["origins"][0]["path"] == "src/owned.py"


def test_a_node_is_killed_under_load(
    cluster: Cluster, make_server: Callable[..., Server], server: Server, embedded: Index
) -> None:
    """kill -9 of the only node during a push and traces: UNKNOWN meanwhile, and nothing is lost."""
    if not cluster.pids:
        pytest.skip("this server was not started here, so it is not killed")
    push(embedded, server)
    tracer = ElasticTracer(connect(cluster.urls, name=server.name, request_s=5.0))
    text = "\n".join(module(7).split("\n")[10:30])
    another = make_server()
    seen = [tracer.trace(text)]
    restart = threading.Thread(target=cluster.start_again)

    def kill(_now: PushProgress) -> None:  # what is sent from here on finds nobody
        if len(seen) == 1:
            cluster.kill()
            seen.append(tracer.trace(text))
            restart.start()

    setting = PushSetting(patience_s=300.0, n_at_once=40)
    report = push(embedded, another, setting, progress=kill)
    restart.join()
    server.client.cluster.health(wait_for_status="green", timeout="60s")
    before, while_dead = seen
    after = tracer.trace(text)
    tracer.close()

    assert before.verdict is after.verdict is Verdict.FOUND
    assert while_dead.verdict is Verdict.UNKNOWN
    assert "cannot be reached" in while_dead.reason
    assert report.n_repeated > 0
    assert report.n_documents == embedded.manifest.n_live
    assert ElasticIndex(another).manifest.n_live == embedded.manifest.n_live
    for document in ElasticIndex(another).documents():
        assert ElasticIndex(another).text(document.document_id)
