"""A service that is slow, dead, evil or changes: within its budget a trace is UNKNOWN, and why."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution import Verdict
from attribution.config import RemoteConfig
from attribution.remote import RemoteError, RemoteTracer
from attribution.remote.breaker import Breaker
from attribution.remote.errors import RemoteSettingError
from tests.attribution.conftest import CART
from tests.attribution.remote.conftest import backend
from tests.attribution.service.test_serve_cli import running

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EVIL: dict[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"220 mail.example ESMTP\r\n\r\n",
    "no JSON": _HEAD + b"Content-Length: 5\r\n\r\nhello",
    "a list": _HEAD + b"Content-Length: 2\r\n\r\n[]",
    "another object": _HEAD + b"Content-Length: 2\r\n\r\n{}",
    "half a body": _HEAD + b"Content-Length: 999\r\n\r\n{",
    "half a head": _HEAD,
    "deep": _HEAD + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
    "an endless head": _HEAD + b"X: " + b"a" * 100_000,
    "a bad length": _HEAD + b"Content-Length: -5\r\n\r\n{}",
    "a bad chunk": _HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "500": b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
    "429": b'HTTP/1.1 429 X\r\nContent-Length: 15\r\n\r\n{"error": "no"}',
    "404": b'HTTP/1.1 404 X\r\nContent-Length: 15\r\n\r\n{"error": "no"}',
    "a redirect": b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
}


def sending(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


@pytest.mark.parametrize("is_private", [False, True], ids=["text", "fingerprints"])
@pytest.mark.parametrize("answer", EVIL)
def test_an_answer_that_is_none_is_unknown(answer: str, is_private: bool) -> None:
    """Whatever comes back instead of an answer ends in UNKNOWN with a reason."""
    with backend(sending(EVIL[answer])) as (url, _):
        tracer = RemoteTracer(RemoteConfig(url=url, fingerprints_only=is_private))
        found = tracer.trace(CART)
        tracer.close()

    assert found.verdict is Verdict.UNKNOWN
    assert "index service" in found.reason
    assert found.matches == ()


def silent(connection: socket.socket) -> None:
    """Take the rest of the question, however many pieces it comes in, and say nothing."""
    while connection.recv(65_536):
        pass


def dripping(connection: socket.socket) -> None:
    """A byte now and then, so that no single read waits for long."""
    for byte in itertools.cycle(_HEAD[:20]):
        connection.sendall(bytes([byte]))
        connection.settimeout(0.02)
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def endless(connection: socket.socket) -> None:
    connection.sendall(_HEAD + b"\r\n")
    while True:
        connection.sendall(b" " * 65_536)


@pytest.mark.parametrize("reply", [silent, dripping])
def test_a_slow_service_is_waited_for_within_the_budget(
    reply: Callable[[socket.socket], None],
) -> None:
    """Silence and drops end when the budget ends."""
    with backend(reply) as (url, _):
        config = RemoteConfig(url=url, timeout_ms=300)
        started = time.monotonic()
        tracer = RemoteTracer(config)
        found = tracer.trace(CART)
        elapsed_s = time.monotonic() - started
        tracer.close()

    assert found.verdict is Verdict.UNKNOWN
    assert "does not answer in time" in found.reason
    assert 0.25 < elapsed_s < 5


def test_an_answer_that_is_too_long_is_not_read() -> None:
    """Memory is bounded, whatever the service sends."""
    with backend(endless) as (url, _):
        tracer = RemoteTracer(RemoteConfig(url=url, timeout_ms=60_000, max_answer_bytes=1_000_000))
        found = tracer.trace(CART)
        tracer.close()

    assert found.verdict is Verdict.UNKNOWN
    assert "more than 1,000,000 bytes" in found.reason


def test_after_three_failures_it_is_left_alone() -> None:
    """The fourth trace asks nobody, and says what failed and when it will be asked again."""
    with backend(sending(b"")) as (url, heads):
        tracer = RemoteTracer(RemoteConfig(url=url))
        found = [tracer.trace(CART) for _ in range(5)]
        n_asked = len(heads)

    assert [one.verdict for one in found] == [Verdict.UNKNOWN] * 5
    assert n_asked == 3
    assert "asked again in 5 s" in found[4].reason


def test_the_breaker_probes_and_recovers() -> None:
    """It rests for 5, 10, 20 … 60 s, lets one question probe, and closes when that succeeds."""
    now = 100.0
    breaker = Breaker(RemoteConfig(url=""), clock=lambda: now)
    for _ in range(3):
        breaker.check()
        breaker.failed("it is down")
    rests = []
    for _ in range(6):
        before = now
        while True:
            try:
                breaker.check()
                break
            except RemoteError as error:
                assert "it is down" in str(error)  # noqa: PT017
                now += 1
        rests.append(now - before)
        with pytest.raises(RemoteError):  # another thread, while the probe is under way
            breaker.check()
        breaker.failed("it is down")
    now += 60
    breaker.check()
    breaker.succeeded()
    breaker.check()
    breaker.check()

    assert rests == [5, 10, 20, 40, 60, 60]


def test_a_killed_service_is_unknown_and_its_successor_is_found(
    index_path: Path, tmp_path: Path
) -> None:
    """kill -9 with open connections: UNKNOWN, and after a restart in its place the answer."""
    with running(index_path, tmp_path, "--workers", "1") as (process, port):
        tracer = RemoteTracer(RemoteConfig(url=f"http://127.0.0.1:{port}", timeout_ms=60_000))
        before = tracer.trace(CART)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        between = tracer.trace(CART)
    with running(index_path, tmp_path, "--workers", "1", "--port", str(port)):
        after = tracer.trace(CART)
        tracer.close()

    verdicts = [one.verdict for one in (before, between, after)]
    assert verdicts == [Verdict.FOUND, Verdict.UNKNOWN, Verdict.FOUND]


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost", "ftp://a/", "http://", "http://[", "http://a:99999", "http://a b/",
        "http://me:secret@a/", "http://a/?token=secret", "http://a/#x", "file:///etc/passwd",
        "http://a/\r\nX: y",
    ],
)  # fmt: skip
def test_a_bad_address_is_refused_at_once(url: str) -> None:
    """What is no address of a service is an error before anything is sent."""
    with pytest.raises(RemoteSettingError) as refused:
        RemoteTracer(RemoteConfig(url=url))

    assert "secret" not in str(refused.value)


@given(url=st.one_of(st.text(max_size=30), st.text(max_size=20).map(lambda one: "http://" + one)))
def test_any_address_is_read_or_refused(url: str) -> None:
    """No text in the setting is a failure of another kind."""
    try:
        RemoteTracer(RemoteConfig(url=url))
    except RemoteSettingError as error:
        assert str(error)  # noqa: PT017


@settings(max_examples=60)
@given(
    body=st.one_of(
        st.binary(max_size=50),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: st.dictionaries(
                st.sampled_from(["results", "matches", "generation", "k", "w", "p_k", "p_w"]), inner
            ),
        ).map(lambda one: json.dumps(one).encode()),
    ),
    is_private=st.booleans(),
)
def test_no_body_makes_the_client_fail(body: bytes, is_private: bool) -> None:
    """Whatever a service sends, the trace is an answer."""
    length = f"Content-Length: {len(body)}\r\n\r\n".encode()
    with backend(sending(_HEAD + length + body)) as (url, _):
        tracer = RemoteTracer(RemoteConfig(url=url, fingerprints_only=is_private))
        found = tracer.trace(CART)
        tracer.close()

    assert found.verdict is Verdict.UNKNOWN
