"""Addresses, logins and servers that will not do: each says why, in one line."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from indexer.elastic.errors import ElasticError, ElasticSettingError
from indexer.elastic.server import connect
from tests.elastic.server import Cluster


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:9200", "ftp://host", "http://", "http://host:x", "http://[::1"]
)
def test_no_address(url: str) -> None:
    """What is no address is refused before anybody is asked."""
    with pytest.raises(ElasticSettingError, match="is no address of Elasticsearch"):
        connect([url])


def test_a_login_in_an_address_is_refused() -> None:
    """It would end up in logs; the message does not repeat it."""
    with pytest.raises(ElasticSettingError) as told:
        connect(["http://me:hush@127.0.0.1:9200"])

    assert "STARCITE_ELASTICSEARCH_LOGIN" in str(told.value)
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("name", ["", "Upper", "a-b", "*", "_all", "a,b", "x" * 200])
def test_no_name(name: str) -> None:
    """A name that Elasticsearch would refuse, or take for several, is refused here."""
    with pytest.raises(ElasticSettingError, match="no name for an index"):
        connect(["http://127.0.0.1:9200"], name=name)


def test_nobody_answers() -> None:
    """A port where nothing listens is said to be unreachable."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ElasticError, match="cannot be reached"):
            connect([url])


@pytest.fixture
def other_server() -> Iterator[str]:
    """The address of a web server that is no Elasticsearch."""
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_server(other_server: str) -> None:
    """What answers, but is something else, is called that."""
    with pytest.raises(ElasticError, match=r"no Elasticsearch|refuses with"):
        connect([other_server])


def test_a_wrong_login(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A login that the server does not know is told apart, and written nowhere."""
    if not cluster.login:
        pytest.skip("this server takes everybody: start one with a login")
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("STARCITE_ELASTICSEARCH_LOGIN", "nobody:hush-hush")

    with pytest.raises(ElasticError, match="wants a login") as told:
        connect(cluster.urls)

    assert "hush" not in str(told.value) + caplog.text


def test_a_login_of_a_file(
    cluster: Cluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A file holds the login, and nothing of it is logged, whatever the level."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "login").write_text(f"{cluster.login}\n")
    monkeypatch.setenv("STARCITE_ELASTICSEARCH_LOGIN_FILE", str(tmp_path / "login"))

    server = connect(cluster.urls)
    server.close()

    assert server.version.startswith("8.")
    assert not cluster.login or cluster.login.partition(":")[2] not in caplog.text


def test_no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A login without a colon, or a file that is not there, is a wrong setting."""
    monkeypatch.setenv("STARCITE_ELASTICSEARCH_LOGIN", "word")
    with pytest.raises(ElasticSettingError, match="NAME:PASSWORD") as told:
        connect(["http://127.0.0.1:9200"])
    monkeypatch.setenv("STARCITE_ELASTICSEARCH_LOGIN_FILE", str(tmp_path / "none"))
    with pytest.raises(ElasticSettingError, match="cannot read"):
        connect(["http://127.0.0.1:9200"])

    assert "word" not in str(told.value)
