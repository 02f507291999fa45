"""The remote tracer over a real service: the same answers as the local one, and what it sends."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from attribution import Tracer, Verdict
from attribution.config import RemoteConfig
from attribution.remote import RemoteTracer
from indexer.errors import DocumentForgottenError
from indexer.tombstones import forget_documents
from tests.attribution.conftest import CART, CITIES, IDIOM, WINDOWS_FILE
from tests.attribution.remote.conftest import backend
from tests.attribution.service.test_serve_cli import TOKEN, running

RENAMED = CART.replace("article", "thing").replace("owner", "holder").replace("cart", "bag")
EDITED = CART.replace("        # in cents\n", "").replace(
    "        return max(", "        log(reduced)\n        return max("
)
QUERIES = {
    "whole": CART,
    "part": "mine = 1\n" + CART[300:900],
    "re-indented": "\n".join("  " + line.strip() for line in CART[300:1100].splitlines()),
    "cities": CITIES,
    "carriage returns": WINDOWS_FILE,
    "idiom": IDIOM,
    "renamed": RENAMED,
    "edited": EDITED,
    "nothing": "q = 7\n" * 40,
    "empty": "",
    "surrogates": "x = '\ud800'\n" + CITIES,
}


@pytest.mark.parametrize("query", QUERIES)
def test_it_answers_as_the_local_tracer(tracer: Tracer, remote: RemoteTracer, query: str) -> None:
    """By text and by fingerprints: the same verdict, and the same matches to the last field."""
    own, found = tracer.trace(QUERIES[query]), remote.trace(QUERIES[query])

    assert (found.verdict, found.reason) == (own.verdict, own.reason)
    assert found.matches == own.matches
    assert found.corpus_digest == own.corpus_digest


def test_leads_come_from_the_service(tracer: Tracer, served: str) -> None:
    """What is listed on request is the same, ranks included."""
    remote = RemoteTracer(RemoteConfig(url=served, timeout_ms=60_000))
    own = tracer.trace("quantity of articles in a cart", with_leads=True)
    found = remote.trace("quantity of articles in a cart", with_leads=True)
    remote.close()

    assert own.leads
    assert found.leads == own.leads


def test_a_source_is_the_stored_text(tracer: Tracer, remote: RemoteTracer) -> None:
    """Each document comes with its text and origins; one that is not there is told so."""
    for number in tracer.index.live_document_ids():
        assert remote.source(number) == tracer.source(number)
    with pytest.raises(IndexError):
        remote.source(9_999)


def test_threads_share_a_tracer(remote: RemoteTracer) -> None:
    """Eight threads get the answers to their own questions."""
    found: dict[int, Verdict] = {}

    def ask(number: int) -> None:
        found[number] = remote.trace(CART if number % 2 else "x = 1").verdict

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert [found[n] for n in range(8)] == [Verdict.NONE, Verdict.FOUND] * 4


def test_no_text_leaves_the_machine_in_fingerprints_mode(index_path: Path, tmp_path: Path) -> None:
    """Every byte that is sent is watched: no word of the query is in it."""
    secret = CART.replace("article", "secretword")
    sent: list[bytes] = []
    with running(index_path, tmp_path, "--workers", "1") as (_, port):
        remote = RemoteTracer(
            RemoteConfig(url=f"http://127.0.0.1:{port}", fingerprints_only=True, timeout_ms=60_000)
        )
        ask = remote._transport._over

        def watched(connection, path, record, until):  # type: ignore[no-untyped-def]
            sent.append(f"{path} {json.dumps(record)}".encode())
            return ask(connection, path, record, until)

        remote._transport._over = watched  # type: ignore[method-assign]
        found = remote.trace(secret)
        remote.close()

    assert found.verdict is Verdict.FOUND
    assert len(sent) > 3
    words = {one for one in secret.replace("(", " ").replace(".", " ").split() if len(one) > 5}
    told = b" ".join(sent).decode()
    assert [word for word in words if word in told] == []


def test_the_token_is_sent_and_needed(index_path: Path, tmp_path: Path) -> None:
    """Without the token nobody can look, and it is said why; the token is in no message."""
    file = tmp_path / "token"
    file.write_text(TOKEN, "utf-8")
    with running(index_path, tmp_path, "--token-file", str(file)) as (_, port):
        config = RemoteConfig(url=f"http://127.0.0.1:{port}", token=TOKEN, timeout_ms=60_000)
        tracers = [RemoteTracer(replace(config, token=one)) for one in (TOKEN, "", TOKEN + "x")]
        right, without, wrong = [one.trace(CART) for one in tracers]
        for one in tracers:
            one.close()

    assert right.verdict is Verdict.FOUND
    assert (without.verdict, wrong.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)
    assert "status 401" in without.reason
    assert TOKEN not in wrong.reason + repr(config)


def test_what_changes_meanwhile_is_never_mixed(index_path: Path, tmp_path: Path) -> None:
    """Document ids of one generation are not asked of another: the trace starts over."""
    index = Path(shutil.copytree(index_path, tmp_path / "index"))
    with running(index, tmp_path, "--workers", "1") as (_, port):
        config = RemoteConfig(
            url=f"http://127.0.0.1:{port}", fingerprints_only=True, timeout_ms=60_000
        )
        remote = RemoteTracer(config)
        before = remote.trace(CART)
        number = before.matches[0].sources[0].document_id
        forget_documents(index, [number])
        after, cities = remote.trace(CART), remote.trace(CITIES)
        with pytest.raises(DocumentForgottenError):
            remote.source(number)
        remote.close()

    assert (before.verdict, after.verdict) == (Verdict.FOUND, Verdict.NONE)
    assert cities.verdict is Verdict.FOUND


def test_a_service_that_is_not_there_is_unknown() -> None:
    """Nobody listening is "could not look", never "nothing found"."""
    with backend(lambda _connection: None) as (url, _):
        pass
    found = RemoteTracer(RemoteConfig(url=url)).trace(CART)

    assert found.verdict is Verdict.UNKNOWN
    assert f"the index service at {url} cannot be asked" in found.reason
