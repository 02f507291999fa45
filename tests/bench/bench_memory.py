"""Measures what curation and an index build hold in memory as the corpus grows.

Each size is a process of its own that curates so many copies of a corpus, every one with other
words (letters rotated, so that the copies have nothing in common), and builds an index of the
shards. Memory of its own is told apart from pages of mapped files, which the system may drop.

Example: .venv/bin/python tests/bench/bench_memory.py --json tests/bench/results/memory.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from machine import cpu_name, memory_peaks

from indexer.build import build_index
from indexer.config import default_corpus_path
from indexer.corpus import read_corpus
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.shards import read_shards
from indexer.source_file import SourceFile


def main() -> None:
    """Run each size in a process of its own, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--factors", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--factor", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.factor:
        sys.stdout.write(json.dumps(measure(arguments.corpus, arguments.factor)))
        return
    record = {
        "what": "memory of curation, and of a build of the index, as the corpus grows",
        "command": f".venv/bin/python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "n_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "sizes": [_in_a_process(arguments.corpus, factor) for factor in arguments.factors],
    }
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def copies(corpus: Path, factor: int) -> Iterator[SourceFile]:
    """The files of a corpus as many times, each time with its letters rotated further."""
    letters = string.ascii_lowercase
    for turn in range(factor):
        table = str.maketrans(letters, letters[turn:] + letters[:turn])
        for file in read_corpus(corpus):
            text = file.text.translate(table) if turn else file.text
            origin = replace(file.origin, path=f"{turn}/{file.origin.path}")
            yield replace(file, text=text, origin=origin)


def measure(corpus: Path, factor: int) -> dict[str, Any]:
    """Curate and build in this process."""
    with tempfile.TemporaryDirectory(prefix="starcite-bench-") as name:
        shards, cpu_before = Path(name, "shards"), time.process_time()
        with memory_peaks() as curating:
            read = partial(copies, corpus, factor)
            manifest = curate_corpus(Task(read=read, folder=shards))
        cpu_between = time.process_time()
        with memory_peaks() as building:
            build_index(read_shards(shards), Path(name, "index"))
    return {
        "factor": factor,
        "n_files": manifest.n_read,
        "text_mb": round(manifest.n_read_bytes / 1e6, 1),
        "n_kept": manifest.n_files,
        "curate": {"cpu_s": round(cpu_between - cpu_before, 1), **curating},
        "build": {"cpu_s": round(time.process_time() - cpu_between, 1), **building},
    }


def _in_a_process(corpus: Path, factor: int) -> Any:
    command = [sys.executable, __file__, "--corpus", str(corpus), "--factor", str(factor)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    main()
