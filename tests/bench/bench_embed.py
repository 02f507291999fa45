"""What a dense view costs: time, bytes, and how long a query takes.

    python tests/bench/bench_embed.py --heldout HELDOUT --json tests/bench/results/embed.json

An index of some held-out files is built and embedded on one thread. The time for the default corpus
is this speed times its bytes of text, on two cores that are free; it was not measured as a whole.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from machine import cpu_name

from indexer.build import build_index
from indexer.curate.sources import Sources
from indexer.embed import embed_index
from indexer.index import Index
from indexer.store.dense import FOLDER_NAME
from indexer.text.fragments import fragments_of

DEFAULT_CORPUS_BYTES = 108_117_316  # of the frozen shards, as their packed tokens count them


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heldout", type=Path, required=True, help="packages outside the index")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = list(
        itertools.islice(Sources([options.heldout], standard_library=False).read(), options.files)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        build_index(files, path)
        started = time.process_time()
        report = embed_index(path)
        took = time.process_time() - started
        n_bytes = report.manifest.n_bytes
        view = [e.n_bytes for name, e in report.manifest.files.items() if FOLDER_NAME in name]
        queries = [
            one.text for file in files for one in itertools.islice(fragments_of(file.text), 1)
        ]
        query_ms = _query_ms(path, queries[:100])
    minutes = DEFAULT_CORPUS_BYTES / (n_bytes / took) / 60
    result = {
        "what": "a dense view of held-out files, one thread, processor time",
        "command": f"python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "n_bytes": n_bytes,
        "n_fragments": report.n_fragments,
        "cpu_seconds": round(took, 1),
        "mb_per_cpu_s": round(n_bytes / 1e6 / took, 3),
        "view_bytes_per_byte_of_text": round(sum(view) / n_bytes, 3),
        "query_cpu_ms_median": round(query_ms, 2),
        "default_corpus_cpu_minutes_by_this_speed": round(minutes, 1),
        "default_corpus_minutes_on_two_cores_by_this_speed": round(minutes / 2, 1),
    }
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


def _query_ms(path: Path, queries: list[str]) -> float:
    times = []
    with Index.open(path) as index:
        index.similar(queries[0], top_k=10)  # loads the encoder
        for query in queries:
            started = time.process_time()
            index.similar(query, top_k=10)
            times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
