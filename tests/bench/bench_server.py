"""Measures the language server as a process: start, memory, edits, and life beside a generation.

Run: python tests/bench/bench_server.py --json tests/bench/results/server.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import cpu_name

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from lsp_server.documents import Document, Edit  # noqa: E402
from tests.lsp_server.lsp_client import LspClient, completion_params, insertion  # noqa: E402

URI = "file:///a.py"
N_SAMPLES = 500
LINE = "    total = compute_total(first, second)  # line\n"


def summary(samples_ms: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(samples_ms, n=100, method="inclusive")
    shown = {"min": min(samples_ms), "p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}
    return {"n": len(samples_ms), **{name: round(value, 3) for name, value in shown.items()}}


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def edits_in_process(n_lines: int) -> dict[str, Any]:
    """Applying one typed letter, and joining the text afterwards, in milliseconds."""
    chosen = random.Random(0)  # noqa: S311
    document = Document(uri=URI, language_id="python", version=1, text=LINE * n_lines)
    apply, join = [], []
    for version in range(N_SAMPLES):
        line = chosen.randrange(n_lines)
        edit = Edit(start_line=line, start_character=9, end_line=line, end_character=9, text="x")
        apply.append(timed(lambda edit=edit, version=version: document.apply([edit], version)))
        join.append(timed(lambda: document.text))
    return {"apply_ms": summary(apply), "text_ms": summary(join)}


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


async def start_ms(home: Path) -> tuple[list[float], float]:
    """From the start of the process to the answer to `initialize`, and memory when idle."""
    samples, rss = [], 0.0
    for _ in range(10):
        started = time.perf_counter()
        client = await LspClient.spawn(home)
        await client.initialize()
        samples.append((time.perf_counter() - started) * 1000)
        await client.wait_for("starcite/status", lambda one: one["index"]["name"])
        rss = rss_mb(client.process.pid)
        await client.shut_down()
        await client.stop()
    return samples, rss


async def ping_ms(client: LspClient) -> float:
    started = time.perf_counter()
    await client.request("starcite/status", {})
    return (time.perf_counter() - started) * 1000


async def beside_a_generation(home: Path, n_lines: int) -> dict[str, Any]:
    """Other messages while the model writes, and an edit with its completion request."""
    script = home / "script.json"
    script.write_text(json.dumps({"script": {"a(": "b" * 40_000}, "piece_delay_ms": 2}))
    model = {"model": f"scripted:{script}", "maxTokens": 512, "debounceMs": 0}
    client = await LspClient.spawn(home)
    await client.initialize(settings={"completion": model})
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.open(URI, LINE * n_lines + "a(")
    idle = [await ping_ms(client) for _ in range(N_SAMPLES)]
    busy, edits = [], []
    for version in range(2, N_SAMPLES + 2):
        message_id, answer = client.send(
            "textDocument/inlineCompletion", completion_params(URI, n_lines, 2)
        )
        busy.append(await ping_ms(client))
        started = time.perf_counter()
        client.change(URI, version, insertion(n_lines // 2, 9, "x"))
        await client.request("starcite/status", {})
        edits.append((time.perf_counter() - started) * 1000)
        client.cancel(message_id)
        await asyncio.wait([answer])
        answer.exception()
    await client.shut_down()
    await client.stop()
    return {
        "ping_idle_ms": summary(idle),
        "ping_beside_generation_ms": summary(busy),
        "edit_and_ping_beside_generation_ms": summary(edits),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    out: Path | None = parser.parse_args().json
    figures = json.dumps(asyncio.run(measure(f"--json {out}" if out else "")), indent=2)
    if out is not None:
        out.write_text(figures + "\n", encoding="utf-8")
    print(figures)  # noqa: T201


async def measure(arguments: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        starts, rss = await start_ms(home)
        return {
            "command": f"python tests/bench/bench_server.py {arguments}".rstrip(),
            "machine": {
                "cpus": os.cpu_count(),
                "processor": cpu_name(),
                "load": round(os.getloadavg()[0], 1),
                "python": platform.python_version(),
            },
            "start_to_initialize_ms": summary(starts),
            "rss_idle_mb": rss,
            "edits_10k_lines": edits_in_process(10_000),
            "edits_50k_lines": edits_in_process(50_000),
            "server_10k_lines": await beside_a_generation(home, 10_000),
        }


if __name__ == "__main__":
    main()
