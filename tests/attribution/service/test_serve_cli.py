"""`starcite serve`: what it refuses at start, and the real process over a real socket."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from attribution.service.cli import serve

TOKEN = "0123456789abcdef-of-the-team"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(serve, arguments)


# A shell starts what runs in the background deaf to Ctrl-C; this process hears it in any case.
_SCRIPT = """
import signal, sys, starcite
signal.signal(signal.SIGINT, signal.default_int_handler)
starcite.main(["serve", "--port", "0", *sys.argv[1:]])
"""


@contextmanager
def running(
    index: Path | None, home: Path, *arguments: str, before: str = ""
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command in a process of its own, once it listens, and its port.

    `before` is Python that comes first; without an index the arguments say where it is.
    """
    named = [] if index is None else ["--index", str(index)]
    process = subprocess.Popen(
        [sys.executable, "-c", before + _SCRIPT, *named, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "STARCITE_HOME": str(home)},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[^/]+:(\d+)/", line)
        assert found, line or process.communicate()[1]
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def post(port: int, path: str, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_process_answers_and_stops_on_ctrl_c(index_path: Path, tmp_path: Path) -> None:
    """It serves pages and JSON over a socket, and Ctrl-C ends it without a traceback or a log."""
    with running(index_path, tmp_path) as (process, port):
        health = get(port, "/health")
        status, body = get(port, "/sources?owner=shop", Accept="application/json")
        page = get(port, "/ask")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)

    assert health == (200, b'{"status": "ok"}')
    assert (status, json.loads(body)["counts"]["n_documents"]) == (200, 1)
    assert (page[0], b"Am I in it?" in page[1]) == (200, True)
    assert (process.returncode, output, errors) == (130, "", "starcite serve: stopped\n")


def test_a_request_line_without_end_is_cut_off(index_path: Path, tmp_path: Path) -> None:
    """More bytes than a request may have end in an error, and others are served on."""
    with running(index_path, tmp_path) as (_, port):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as endless:
            endless.sendall(b"GET /sources?owner=" + b"a" * 20_000)
            first_line = endless.makefile("rb").readline()
        too_long = get(port, "/sources?owner=" + "a" * 9_000)[0]
        wrong_host = get(port, "/ask", Host="evil.example")[0]
        health = get(port, "/health")[0]

    assert first_line.split()[1] == b"400"
    assert (too_long, wrong_host, health) == (414, 421, 200)


_HASTY = """
from attribution.service.connection import Connection
Connection.max_head_s = 0.2
"""


def test_a_client_that_says_nothing_is_let_go(index_path: Path, tmp_path: Path) -> None:
    """Connections without a request are closed in time; one that asks is kept."""
    with running(index_path, tmp_path, before=_HASTY) as (_, port):
        address = ("127.0.0.1", port)
        with (
            socket.create_connection(address, timeout=30) as silent,
            socket.create_connection(address, timeout=30) as slow,
        ):
            slow.sendall(b"GET /health HTTP/1.1\r\nHost: 127")
            ends = [one.recv(1) for one in (silent, slow)]
        health = get(port, "/health")[0]

    assert (ends, health) == ([b"", b""], 200)


def test_nothing_of_a_question_is_printed(index_path: Path, tmp_path: Path) -> None:
    """Answers, refusals and failures of the process and its workers say nothing of what came."""
    index = Path(shutil.copytree(index_path, tmp_path / "index"))
    with running(index, tmp_path, "--workers", "1") as (process, port):
        asked = [
            ("/v1/trace", b'{"text": "secretword"}'),
            ("/v1/trace", b'{"secretword": 1}'),
            ("/v1/trace/secretword", b"{"),
            ("/v1/trace?secretword", b'{"text": "secretword'),
        ]
        before = [post(port, *one) for one in asked]
        (index / "manifest.json").unlink()
        after = [post(port, *one) for one in asked]
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=30)

    assert before == [200, 400, 404, 400]
    assert after == [503, 503, 404, 400]  # what is no JSON is refused unasked
    assert "IndexMissingError" in errors
    assert "secretword" not in output + errors


def test_with_a_token_it_serves_any_address(index_path: Path, tmp_path: Path) -> None:
    """On every interface only those who hold the token are answered."""
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", "utf-8")
    arguments = ("--host", "0.0.0.0", "--token-file", str(file))  # noqa: S104
    with running(index_path, tmp_path, *arguments) as (_, port):
        without = get(port, "/sources?owner=shop")[0]
        wrong = get(port, "/sources?owner=shop", Authorization="Bearer wrong")[0]
        right = get(port, "/sources?owner=shop", Authorization=f"Bearer {TOKEN}", Host="a.b")[0]

    assert (without, wrong, right) == (401, 401, 200)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])  # noqa: S104
def test_an_open_door_is_refused_at_start(host: str) -> None:
    """Without a token no address but loopback is served."""
    done = run("--host", host)

    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "give it: --token-file FILE" in done.stderr


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "has 0 characters"),
        (b"short", "has 5 characters"),
        (b"a" * 513, "has 513 characters"),
        (b"two words that are long", "holds a space"),
        ("snowman-snowman-\N{SNOWMAN}".encode(), "that no header can"),
        (b"\xff" * 20, "is no text"),
        (None, "cannot read the token"),
    ],
)
def test_a_bad_token_is_refused_at_start(tmp_path: Path, content: bytes | None, part: str) -> None:
    """A token that is missing, short or cannot be sent is one line, which does not show it."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    done = run("--token-file", str(file))

    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert part in done.stderr
    assert not content or content.decode("latin-1") not in done.stderr


def test_a_port_in_use_is_one_line() -> None:
    """The line names the port and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port)

    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert f"port {port}" in done.stderr
    assert "choose another with --port" in done.stderr


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "192.0.2.1"])
def test_an_address_that_is_not_ours_is_one_line(tmp_path: Path, host: str) -> None:
    """What no interface of this machine has, and what is no address, end alike."""
    file = tmp_path / "token"
    file.write_text(TOKEN, "utf-8")
    done = run("--host", host, "--port", "0", "--token-file", str(file))

    assert (done.exit_code, done.stderr.count("\n")) == (3, 1)
    assert f"cannot listen on {host}" in done.stderr


def test_help_has_an_example_and_the_exit_codes() -> None:
    """A newcomer finds how to start it and what its exit codes mean."""
    done = run("--help")

    assert done.exit_code == 0
    assert "Example: starcite serve" in done.output
    assert "Exit codes" in done.output
