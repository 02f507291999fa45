"""One real server for all tests here, and a small index, embedded and pushed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from indexer import Index, Origin, SourceFile
from indexer.build import build_index
from indexer.elastic.index import ElasticIndex
from indexer.elastic.push import PushSetting, push
from indexer.elastic.server import Server, connect
from tests.elastic.server import HOW, Cluster, open_cluster

_NUMBERS = itertools.count(1)


def make_file(text: str, path: str, *, name: str = "shop", repository: str = "") -> SourceFile:
    origin = Origin(
        source="pypi",
        name=name,
        version="1.2.3",
        path=path,
        spdx_id="MIT",
        license_evidence="metadata: MIT; LICENSE: MIT",
        repository=repository,
    )
    return SourceFile(text=text, language="python", origin=origin)


def module(n: int, *, n_functions: int = 30) -> str:
    """A Python module like no other, of about 180 lines."""
    return f'"""Module {n} of the corpus: größe."""\n\n\n' + "".join(
        f"def work_{n}_{i}(first, second={i}):\n"
        f"    # step {i} of {n}\n"
        f"    total_{i} = first * {n} + second - len('é{i}')\n"
        f"    return sum(range(total_{i}), start={n * i + 7})\n\n\n"
        for i in range(n_functions)
    )


def corpus() -> list[SourceFile]:
    """Forty modules, one of them published twice, one in a repository; and one of a single line."""
    files = [make_file(module(n), f"shop/mod_{n}.py") for n in range(40)]
    twin = make_file(files[3].text, "market/copy.py", name="market")
    of_repository = make_file(
        module(99), "src/owned.py", name="hello", repository="Octocat/Hello-World"
    )
    return [*files, twin, of_repository, make_file("ONE = 1", "shop/one.py")]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The server that the environment names."""
    opened = open_cluster()
    if opened is None:
        pytest.skip(HOW)
    yield opened
    opened.remove()


@pytest.fixture(scope="session")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the embedded index; not to be changed."""
    out = tmp_path_factory.mktemp("elastic") / "index"
    build_index(corpus(), out)
    return out


@pytest.fixture
def embedded(index_path: Path) -> Iterator[Index]:
    """The embedded index, open."""
    with Index.open(index_path) as index:
        yield index


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a ledger of its own."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def login(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login that the cluster wants, in the environment."""
    monkeypatch.setenv("STARCITE_ELASTICSEARCH_LOGIN", cluster.login)


@pytest.fixture
def make_server(cluster: Cluster, login: None, own_home: Path) -> Iterator[Callable[..., Server]]:
    """Makes a connection, by default to an index of a new name, which is removed afterwards."""
    with ExitStack() as stack:

        def make(name: str = "") -> Server:
            server = connect(cluster.urls, name=name or f"starcite_test_{next(_NUMBERS)}")
            stack.callback(server.close)
            pattern = f"{server.name}-*"
            stack.callback(lambda: _remove(server, pattern))
            return server

        yield make


def _remove(server: Server, pattern: str) -> None:
    for index in server.client.indices.get(index=pattern):
        server.client.indices.delete(index=index)


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A connection to an index of its own, that is not there yet."""
    return make_server()


@pytest.fixture
def pushed(server: Server, embedded: Index) -> ElasticIndex:
    """The embedded index in Elasticsearch, in two shards."""
    push(embedded, server, PushSetting(n_shards=2))
    return ElasticIndex(server)
