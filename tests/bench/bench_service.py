r"""Measures `starcite serve` over loopback: overhead, sustained traces a second, memory over time.

Run: python tests/bench/bench_service.py --heldout .starcite/corpus/heldout \
    --json tests/bench/results/service.json
The whole takes about 14 minutes, 10 of them for memory; --minutes shortens that.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import cpu_name

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from attribution import Tracer, Verdict  # noqa: E402
from attribution.config import RemoteConfig  # noqa: E402
from attribution.remote import RemoteTracer  # noqa: E402
from indexer import default_index_path  # noqa: E402
from indexer.corpus import read_corpus  # noqa: E402

N_LINES = 20
N_QUERIES = 400
_SCRIPT = "import sys, starcite; starcite.main(['serve', '--port', '0', *sys.argv[1:]])"
_HEADERS = {"Content-Type": "application/json"}


def windows(index: Path, heldout: Path) -> list[str]:
    """Windows of files: half of them indexed, a quarter indexed and re-indented, a quarter not."""
    chosen = random.Random(0)  # noqa: S311
    tracer = Tracer.open(index)
    indexed = [tracer.source(one)[1] for one in tracer.index.live_document_ids()]
    tracer.close()
    unseen = [file.text for file in read_corpus(heldout)]
    texts: list[str] = []
    while len(texts) < N_QUERIES:
        lines = chosen.choice(unseen if len(texts) % 4 == 3 else indexed).splitlines(keepends=True)
        if len(lines) < 2 * N_LINES:
            continue
        first = chosen.randrange(len(lines) - N_LINES)
        indent = "  " if len(texts) % 4 == 2 else ""
        texts.append("".join(indent + line for line in lines[first : first + N_LINES]))
    return texts


@contextmanager
def serving(index: Path, *arguments: str) -> Iterator[tuple[int, int]]:
    """The process id and the port of a service."""
    command = [sys.executable, "-c", _SCRIPT, "--index", str(index), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r":(\d+)/", process.stdout.readline() if process.stdout else "")
        if found is None:
            raise RuntimeError("the service did not start")
        yield process.pid, int(found[1])
    finally:
        process.terminate()
        process.communicate()


def summary(samples_ms: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(samples_ms, n=1000, method="inclusive")
    shown = {"p50": cuts[499], "p95": cuts[949], "p99": cuts[989], "max": max(samples_ms)}
    return {"n": len(samples_ms), **{name: round(value, 2) for name, value in shown.items()}}


def tree_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in tree_of(int(child)))]


def rss_mb(pid: int) -> float:
    """Of the service and its workers; pages of the index that they share count once each."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in tree_of(pid))
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def private_mb(pid: int) -> float:
    """Of the same, without what is mapped from files: what a leak would grow."""
    n_kb = 0
    for one in tree_of(pid):
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{one}/status").read_text())
        n_kb += int(found[1]) if found else 0
    return round(n_kb / 1024, 1)


def cpu_s(pid: int) -> float:
    fields = [
        Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in tree_of(pid)
    ]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def overhead(index: Path, port: int, queries: list[str]) -> dict[str, Any]:
    """Each query in turn, in this process and by the service, one after the other."""
    local = Tracer.open(index)
    remote = RemoteTracer(RemoteConfig(url=f"http://127.0.0.1:{port}", timeout_ms=60_000))
    own, there, extra = [], [], []
    for query in queries[:40]:
        local.trace(query), remote.trace(query)
    for query in queries:
        found, told = local.trace(query), remote.trace(query)
        if found.matches != told.matches or told.verdict is Verdict.UNKNOWN:
            raise RuntimeError(f"the service answers otherwise: {told.reason}")
        own.append(found.elapsed_ms)
        there.append(told.elapsed_ms)
        extra.append(told.elapsed_ms - found.elapsed_ms)
    remote.close()
    local.close()
    return {
        "in_process_ms": summary(own),
        "service_ms": summary(there),
        "overhead_ms": summary(extra),
    }


class Load:
    """Clients that each ask one question after the other, at a rate that all of them share."""

    def __init__(self, port: int, queries: list[str], *, n_clients: int, rate: float) -> None:
        self.samples_ms: list[float] = []
        self.statuses: dict[int, int] = {}
        self._port, self._rate = port, rate
        self._bodies = [json.dumps({"text": one}).encode() for one in queries]
        self._lock = threading.Lock()
        self._n_asked = 0
        self._threads = [threading.Thread(target=self._client) for _ in range(n_clients)]

    def run(self, seconds: float) -> float:
        """Ask for so long; gives how long it took."""
        self._started = time.perf_counter()
        self._ends = self._started + seconds
        for one in self._threads:
            one.start()
        for one in self._threads:
            one.join()
        return time.perf_counter() - self._started

    def _client(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while True:
            with self._lock:
                number, self._n_asked = self._n_asked, self._n_asked + 1
            due = self._started + (number / self._rate if self._rate else 0)
            time.sleep(max(0.0, due - time.perf_counter()))
            asked = time.perf_counter()
            if asked >= self._ends:
                connection.close()
                return
            body = self._bodies[number % len(self._bodies)]
            connection.request("POST", "/v1/trace", body, _HEADERS)
            response = connection.getresponse()
            response.read()
            elapsed_ms = (time.perf_counter() - (due if self._rate else asked)) * 1000
            with self._lock:
                self.samples_ms.append(elapsed_ms)
                self.statuses[response.status] = self.statuses.get(response.status, 0) + 1


def sustained(
    pid: int, port: int, queries: list[str], *, rate: float, seconds: float
) -> dict[str, Any]:
    """Questions at a fixed rate, each timed from when it was due: waiting counts. 0: no limit."""
    before = cpu_s(pid)
    load = Load(port, queries, n_clients=16 if rate else 4, rate=rate)
    took_s = load.run(seconds)
    return {
        "asked_a_second": rate or "as many as four clients can",
        "answered_a_second": round(len(load.samples_ms) / took_s, 1),
        "ms": summary(load.samples_ms),
        "statuses": load.statuses,
        "cpu_ms_each": round(1000 * (cpu_s(pid) - before) / len(load.samples_ms), 2),
    }


def memory(pid: int, port: int, queries: list[str], *, minutes: float) -> dict[str, Any]:
    """Memory after each tenth of the time, under load."""
    samples = []
    for _ in range(10):
        Load(port, queries, n_clients=4, rate=100).run(minutes * 6)
        samples.append({"rss_mb": rss_mb(pid), "private_mb": private_mb(pid)})
    return {"minutes": minutes, "asked_a_second": 100, "samples": samples}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=default_index_path())
    parser.add_argument("--heldout", type=Path, required=True, help="packages outside the index")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--minutes", type=float, default=10.0, help="of watching memory")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    options = parser.parse_args()
    figures = json.dumps(measure(options), indent=2)
    if options.json is not None:
        options.json.write_text(figures + "\n", encoding="utf-8")
    print(figures)  # noqa: T201


def measure(options: argparse.Namespace) -> dict[str, Any]:
    queries = windows(options.index, options.heldout)
    told: dict[str, Any] = {
        "command": " ".join(["python", "tests/bench/bench_service.py", *sys.argv[1:]]),
        "machine": {
            "cpus": os.cpu_count(),
            "processor": cpu_name(),
            "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
        "queries": f"{N_QUERIES} windows of {N_LINES} lines: half verbatim, a quarter re-indented, "
        "a quarter of packages outside the index; the clients share the machine with the service",
    }
    seconds = options.seconds
    for name, arguments in (("threads", ["--workers", "0"]), ("workers", ["--workers", "2"])):
        with serving(options.index, *arguments) as (pid, port):
            told[name] = {"one_after_the_other": overhead(options.index, port, queries)}
            told[name]["loads"] = [
                sustained(pid, port, queries, rate=rate, seconds=seconds) for rate in (0, 150)
            ]
            if name == "workers":
                told["memory"] = memory(pid, port, queries, minutes=options.minutes)
    return told


if __name__ == "__main__":
    main()
