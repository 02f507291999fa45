"""Measures curation: each step alone, the whole of it, and curation and build together.

Example: .venv/bin/python tests/bench/bench_curate.py --json tests/bench/results/curate.json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from machine import cpu_name

from indexer.build import build_index
from indexer.config import default_corpus_path
from indexer.curate.config import CurateConfig
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.pipeline import DropCounts, Step, curate
from indexer.curate.shards import read_shards
from indexer.curate.sources import Sources
from indexer.curate.steps import make_steps


def main() -> None:
    """Measure each thing in a process of its own; print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="starcite-bench-") as name:
        folder = Path(name)
        record = {
            "what": "starcite corpus curate over the default corpus, then index build from shards",
            "command": f".venv/bin/python {' '.join(sys.argv)}",
            "cpu": cpu_name(),
            "n_cpus": os.cpu_count(),
            "python": platform.python_version(),
            "load_average_1_min": round(os.getloadavg()[0], 2),
            "steps": apart(measure_steps, arguments.corpus, folder),
            "curate": apart(measure_curate, arguments.corpus, folder / "one", 1),
            "build": apart(measure_build, folder / "one", folder / "index"),
            "curate_with_2_processes": apart(measure_curate, arguments.corpus, folder / "two", 2),
        }
    once, built = record["curate"], record["build"]
    cpu_s = once["cpu_s"] + built["cpu_s"]
    record["curate_and_build"] = {
        "cpu_s": round(cpu_s, 2),
        "mb_per_cpu_s": round(once["read_mb"] / cpu_s, 2),
        "wall_s": round(once["wall_s"] + built["wall_s"], 2),
        "peak_rss_mb": max(once["peak_rss_mb"], built["peak_rss_mb"]),
    }
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n", encoding="utf-8")


def apart(measure: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run in a new process, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(measure, *arguments).result()


def measure_steps(corpus: Path, folder: Path) -> dict[str, Any]:
    """CPU speed of every step on what the steps before it leave, all in memory."""
    before = time.process_time()
    sources = Sources([corpus])
    files = list(sources.read())
    speeds = {"read": _speed(files, time.process_time() - before)}
    for step in make_steps(CurateConfig(), folder / "scratch", benchmarks=sources.benchmarks()):
        before = time.process_time()
        left = list(curate(files, [step], DropCounts()))
        name = step.name.partition(":")[0]
        kind = "step" if isinstance(step, Step) else "stage"
        speeds[name] = _speed(files, time.process_time() - before) | {"kind": kind}
        files = left
    return speeds


def _speed(files: list[Any], cpu_s: float) -> dict[str, Any]:
    megabytes = sum(len(file.text.encode()) for file in files) / 1e6
    return {"cpu_s": round(cpu_s, 3), "mb_per_cpu_s": round(megabytes / max(cpu_s, 1e-9), 1)}


def measure_curate(corpus: Path, folder: Path, n_workers: int) -> dict[str, Any]:
    """The whole of curation, from archives to shards; CPU seconds are those of all processes."""
    started = time.monotonic()
    sources = Sources([corpus])
    steps = partial(make_steps, benchmarks=sources.benchmarks())
    manifest = curate_corpus(
        Task(read=sources.read, folder=folder, n_workers=n_workers, make_steps=steps)
    )
    wall_s = time.monotonic() - started
    megabytes = manifest.n_read_bytes / 1e6
    return {
        "corpus_digest": manifest.corpus_digest,
        "n_read": manifest.n_read,
        "n_files": manifest.n_files,
        "read_mb": round(megabytes, 1),
        "mb": round(manifest.n_bytes / 1e6, 1),
        "shards_mb": round(sum(p.stat().st_size for p in folder.iterdir()) / 1e6, 1),
        "drops": {f"{row.step}: {row.reason}": row.n_files for row in manifest.drops},
    } | _cost(megabytes, wall_s)


def measure_build(shards: Path, out: Path) -> dict[str, Any]:
    """A build of the index from the shards."""
    started = time.monotonic()
    report = build_index(read_shards(shards), out)
    wall_s = time.monotonic() - started
    return {"corpus_digest": report.manifest.corpus_digest} | _cost(
        report.manifest.n_bytes / 1e6, wall_s
    )


def _cost(megabytes: float, wall_s: float) -> dict[str, Any]:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return {
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),  # the start of the process included
        "mb_per_wall_s": round(megabytes / wall_s, 2),
        "mb_per_cpu_s": round(megabytes / cpu_s, 2),
        "peak_rss_mb": round(own.ru_maxrss / 1024),
        "peak_rss_of_a_child_mb": round(children.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    main()
