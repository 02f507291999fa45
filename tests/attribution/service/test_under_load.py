"""The service while clients ask without a pause: index changes, stops, deaths, memory."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import shutil
import signal
import threading
from collections import Counter
from pathlib import Path

from attribution import Tracer, Verdict
from attribution.config import RemoteConfig
from attribution.remote import RemoteTracer
from indexer.add import add_segment
from indexer.build import build_index
from indexer.compact import compact_index
from indexer.optout.intake import read_intake
from indexer.tombstones import forget_documents
from tests.attribution.conftest import CART, CITIES, source_file
from tests.attribution.service.test_serve_cli import TOKEN, running

CUT_OFF = "cut off"  # a question whose connection ended without an answer
BODY = json.dumps({"text": CART})
HEADERS = {"Content-Type": "application/json"}


class Clients:
    """Threads that ask one question after the other, and count what each came to."""

    def __init__(self, port: int, *, n: int = 4) -> None:
        self.outcomes: Counter[str] = Counter()
        self._port = port
        self._stop = threading.Event()
        self._counted = threading.Condition()
        self._threads = [threading.Thread(target=self._ask) for _ in range(n)]

    def __enter__(self) -> Clients:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in self._threads:
            one.join()

    def wait_for(self, outcome: str, n: int) -> None:
        """Until so many more questions had this outcome."""
        with self._counted:
            wanted = self.outcomes[outcome] + n
            assert self._counted.wait_for(lambda: self.outcomes[outcome] >= wanted, timeout=60)

    def _ask(self) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            try:
                while not self._stop.is_set():
                    self._count(self._outcome(connection))
            except OSError:  # nobody listens
                self._count("refused")
            finally:
                connection.close()

    def _outcome(self, connection: http.client.HTTPConnection) -> str:
        if connection.sock is None:
            connection.connect()
        try:
            connection.request("POST", "/v1/trace", BODY, HEADERS)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return CUT_OFF
        found = json.loads(body)
        return found["results"][0]["verdict"] if response.status == 200 else str(response.status)

    def _count(self, outcome: str) -> None:
        with self._counted:
            self.outcomes[outcome] += 1
            self._counted.notify_all()


def id_of(path: Path, text: str) -> int:
    tracer = Tracer.open(path)
    number = tracer.trace(text).matches[0].sources[0].document_id
    tracer.close()
    return number


def test_an_index_is_changed_without_a_dropped_request(index_path: Path, tmp_path: Path) -> None:
    """Add, forget, compact and a build in its place: every question is answered meanwhile."""
    index = Path(shutil.copytree(index_path, tmp_path / "index"))
    with running(index, tmp_path, "--workers", "2") as (_, port), Clients(port) as clients:
        clients.wait_for("found", 20)
        add_segment([source_file("new = 1\n" * 30, "new.py", name="new")], index)
        clients.wait_for("found", 20)
        forget_documents(index, [id_of(index, CITIES)])
        compact_index(index)
        clients.wait_for("found", 20)
        forget_documents(index, [id_of(index, CART)])
        clients.wait_for("none", 20)
        build_index([source_file(CART, "cart.py", name="anew")], index)
        clients.wait_for("found", 20)

    assert set(clients.outcomes) == {"found", "none"}


def test_what_is_forgotten_is_not_found_by_the_next_question(
    index_path: Path, tmp_path: Path
) -> None:
    """Tombstones count at once in every worker, not only in the one that is asked first."""
    index = Path(shutil.copytree(index_path, tmp_path / "index"))
    with running(index, tmp_path, "--workers", "2") as (_, port):
        tracer = RemoteTracer(RemoteConfig(url=f"http://127.0.0.1:{port}", timeout_ms=60_000))
        before = [tracer.trace(CART).verdict for _ in range(4)]
        forget_documents(index, [id_of(index, CART)])
        after = [tracer.trace(CART).verdict for _ in range(8)]
        tracer.close()

    assert before == [Verdict.FOUND] * 4
    assert after == [Verdict.NONE] * 8


def test_sigterm_answers_what_is_under_way(index_path: Path, tmp_path: Path) -> None:
    """A stop cuts off no answer, leaves no process, and ends with 0; later ones are refused."""
    with running(index_path, tmp_path, "--workers", "2") as (process, port):
        with Clients(port) as clients:
            clients.wait_for("found", 20)
            workers = children_of(process.pid)
            process.send_signal(signal.SIGTERM)
            clients.wait_for("refused", 20)
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, output, errors) == (0, "", "")
    assert len(workers) == 2
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert set(clients.outcomes) - {"found", "refused"} <= {CUT_OFF}
    assert clients.outcomes[CUT_OFF] <= 4  # idle connections that were closed as a question set out


def test_kill_9_leaves_no_worker_and_a_restart_serves(index_path: Path, tmp_path: Path) -> None:
    """Clients are cut off or refused and nothing else; the next service answers them."""
    service = running(index_path, tmp_path, "--workers", "2")
    with service as (process, port), Clients(port) as clients:
        clients.wait_for("found", 20)
        workers = children_of(process.pid)
        process.kill()
        clients.wait_for("refused", 20)
        with running(index_path, tmp_path, "--workers", "1", "--port", str(port)):
            clients.wait_for("found", 20)
            wait_for_end(workers)

    assert len(workers) == 2
    assert set(clients.outcomes) == {"found", "refused", CUT_OFF}


def test_what_was_acknowledged_survives_kill_9(index_path: Path, tmp_path: Path) -> None:
    """Every request to be left out that got its 202 is in the queue after kill -9."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    headers = {**HEADERS, "Authorization": f"Bearer {TOKEN}"}
    keys: list[str] = []
    enough = threading.Event()

    def ask(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while True:
                connection.request("POST", "/v1/optout", '{"owner": "octocat"}', headers)
                response = connection.getresponse()
                assert response.status == 202
                keys.append(json.loads(response.read())["key"])
                if len(keys) >= 10:
                    enough.set()
        except (OSError, http.client.HTTPException):  # killed
            connection.close()

    with running(index_path, tmp_path, "--workers", "1", "--token-file", str(file)) as started:
        process, port = started
        thread = threading.Thread(target=ask, args=(port,))
        thread.start()
        assert enough.wait(60)
        process.kill()
        thread.join()
    queued = {one.key for one in read_intake(tmp_path / "optout" / "intake.jsonl")}

    assert len(keys) >= 10
    assert set(keys) <= queued


def test_memory_stays_flat(index_path: Path, tmp_path: Path) -> None:
    """After it is warm, 600 further traces add less than 6 MB to all processes together."""
    with running(index_path, tmp_path, "--workers", "2") as (process, port):
        with Clients(port) as clients:
            clients.wait_for("found", 600)
            warm = private_kb(process.pid)
            clients.wait_for("found", 600)
        after = private_kb(process.pid)

    assert after - warm < 6 * 1024


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def private_kb(pid: int) -> int:
    n_kb = 0
    for one in [pid, *children_of(pid)]:
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{one}/status").read_text())
        assert found
        n_kb += int(found[1])
    return n_kb


def wait_for_end(pids: list[int]) -> None:
    """Until these processes, which are nobody's children any more, have ended."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        assert select.select([descriptor], [], [], 60)[0]
        os.close(descriptor)
