"""Measures decontamination on the real HumanEval: what disguises hide, and what is dropped wrongly.

Every file of the corpora that is dropped is listed, to be looked at. HumanEval is taken from the
benchmarks of the fetched default corpus.

Example: python tests/bench/bench_decontaminate.py --json tests/bench/results/decontaminate.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from disguises import reindented, renamed, together, undocumented
from machine import cpu_name

from indexer.config import default_corpus_path
from indexer.corpus.inventory import benchmark_paths
from indexer.curate.benchmarks import read_benchmark
from indexer.curate.decontaminate import Benchmark, check_contamination
from indexer.curate.pipeline import Drop
from indexer.curate.sources import Sources

DISGUISES = {
    "none": str,
    "re-indented": reindented,
    "renamed, types kept": lambda source: renamed(source, types_stay=True),
    "renamed": renamed,
    "comments and docstrings stripped": undocumented,
    "re-indented and stripped": lambda source: reindented(undocumented(source)),
    "renamed, types kept, and stripped": lambda source: renamed(
        undocumented(source), types_stay=True
    ),
    "all together": together,
}
AROUND = "import os\n\n\ndef helper():\n    return os.getcwd()\n\n\n"


def main() -> None:
    """Measure both; print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--heldout", type=Path, help="packages outside the default corpus")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    path = benchmark_paths(arguments.corpus)[0]
    benchmark = Benchmark(read_benchmark(path))
    record: dict[str, Any] = {
        "what": "HumanEval in disguise, and the files of corpora that are dropped for it",
        "command": f".venv/bin/python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "n_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "benchmark": path.name,
        "n_problems": benchmark.n_problems,
        "found": measure_found(read_sources(path), benchmark),
        "dropped": {
            name: measure_dropped(folder, benchmark)
            for name, folder in (("default", arguments.corpus), ("heldout", arguments.heldout))
            if folder
        },
    }
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def read_sources(path: Path) -> dict[str, str]:
    """Each problem with its solution, by task."""
    with zipfile.ZipFile(path) as wheel:
        data = wheel.read(next(name for name in wheel.namelist() if name.endswith(".jsonl.gz")))
    records = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    return {
        record["task_id"]: record["prompt"] + record["canonical_solution"] for record in records
    }


def measure_found(sources: dict[str, str], benchmark: Benchmark) -> dict[str, Any]:
    """How many are found under each disguise, by what, and which are not."""
    outcome = {}
    for name, disguise in DISGUISES.items():
        found = {
            task: benchmark.search(f"{AROUND}{disguise(source)}\n\n{AROUND}", "python")
            for task, source in sources.items()
        }
        outcome[name] = {
            "n_found": sum(one is not None for one in found.values()),
            "by": dict(Counter(one.look for one in found.values() if one)),
            "hidden": [task for task, one in found.items() if one is None],
        }
    return outcome


def measure_dropped(corpus: Path, benchmark: Benchmark) -> dict[str, Any]:
    """What is dropped of a corpus, file by file, and what the look costs."""
    dropped, n_files, n_bytes, cpu_s = [], 0, 0, 0.0
    for file in Sources([corpus]).read():
        before = time.process_time()
        outcome = check_contamination(file, benchmark)
        cpu_s += time.process_time() - before
        n_files += 1
        n_bytes += len(file.text.encode())
        if isinstance(outcome, Drop):
            dropped.append(f"{file.origin.purl} {file.origin.path}: {outcome.detail}")
    return {
        "n_files": n_files,
        "mb": round(n_bytes / 1e6, 1),
        "cpu_s": round(cpu_s, 2),
        "mb_per_cpu_s": round(n_bytes / 1e6 / cpu_s, 2),
        "dropped": dropped,
    }


if __name__ == "__main__":
    main()
