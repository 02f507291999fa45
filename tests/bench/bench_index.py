"""Measures a build of the index: speed, memory, size, and how fast the result opens.

Example: .venv/bin/python tests/bench/bench_index.py --json tests/bench/results/index.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from machine import cpu_name

from indexer.build import BuildReport, build_index
from indexer.config import default_corpus_path
from indexer.corpus import read_corpus
from indexer.index import Index
from indexer.summary import summarise
from indexer.verify import verify_index

OPENINGS = 20


def main() -> None:
    """Build once into a temporary folder, measure, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="starcite-bench-") as folder:
        report, measured = measure_build(arguments.corpus, Path(folder) / "index")
        measured |= measure_use(report.path)
    record = {
        "what": "starcite index build over the default corpus, in one process",
        "command": f".venv/bin/python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "n_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        **measured,
    }
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n", encoding="utf-8")


def measure_build(corpus: Path, out: Path) -> tuple[BuildReport, dict[str, Any]]:
    """Build; CPU seconds are those of all threads, the corpus reader's included."""
    rss_before_mb = peak_rss_mb()
    cpu_before = time.process_time()
    report = build_index(read_corpus(corpus), out)
    cpu_s = time.process_time() - cpu_before
    megabytes = report.manifest.n_bytes / 1e6
    return report, {
        "corpus_digest": report.manifest.corpus_digest,
        "n_documents": report.manifest.n_documents,
        "text_mb": round(megabytes, 1),
        "index_mb": round(report.manifest.index_bytes / 1e6, 1),
        "index_bytes_per_text_byte": round(report.size_ratio, 3),
        "wall_s": round(report.elapsed_s, 2),
        "cpu_s": round(cpu_s, 2),
        "mb_per_wall_s": round(megabytes / report.elapsed_s, 2),
        "mb_per_cpu_s": round(megabytes / cpu_s, 2),
        "peak_rss_mb": round(peak_rss_mb()),
        "peak_rss_before_mb": round(rss_before_mb),
    }


def measure_use(path: Path) -> dict[str, Any]:
    """Open the index many times and verify it once."""
    openings = []
    for _ in range(OPENINGS):
        started = time.perf_counter()
        Index.open(path).close()
        openings.append(time.perf_counter() - started)
    started = time.perf_counter()
    n_damaged = sum(bool(check.problem) for check in verify_index(path))
    verify_s = time.perf_counter() - started
    with Index.open(path) as index:
        parts = summarise(index).bytes_by_part
    return {
        "bytes_by_part": parts,
        "open_ms_median": round(statistics.median(openings) * 1000, 2),
        "verify_s": round(verify_s, 2),
        "n_damaged": n_damaged,
    }


def peak_rss_mb() -> float:
    """The most memory this process has had; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
