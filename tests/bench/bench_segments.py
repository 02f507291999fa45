"""Measures what changes an index that is there: forgetting, adding, compacting, merging.

Works on a copy of an index; the texts that are added are its own, each with one line more.

Example: .venv/bin/python tests/bench/bench_segments.py --json tests/bench/results/segments.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from machine import cpu_name

from attribution.probe import TraceProbe
from indexer.add import add_segment
from indexer.compact import CompactReport, compact_index
from indexer.config import default_index_path
from indexer.errors import DocumentForgottenError
from indexer.index import Index
from indexer.optout.forget import Setting, forget
from indexer.optout.receipt import verify_receipt
from indexer.optout.requery import IndexProbe
from indexer.optout.resolve import resolve
from indexer.optout.selector import parse_selector
from indexer.source_file import SourceFile
from indexer.text.lex import lex
from indexer.text.winnow import winnow
from indexer.tombstones import forget_documents
from indexer.verify import verify_index

N_FORGETTINGS = 20
N_LOOKUPS = 300
N_IN_RECEIPT = 1000
ADDED_BYTES = 30_000_000


def main() -> None:
    """Run every measurement once on the same copy, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=default_index_path())
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="starcite-bench-") as folder:
        path = Path(shutil.copytree(arguments.index, Path(folder) / "index"))
        measured = measure(path)
    record = {
        "what": "changes of an index, each in one process, while another index object has it open",
        "command": f".venv/bin/python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "n_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        **measured,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n", encoding="utf-8")


def measure(path: Path) -> dict[str, Any]:
    """Forget one by one and many at once, add, compact, merge; then check the outcome."""
    with Index.open(path) as index:
        facts = {
            "n_documents": index.manifest.n_documents,
            "text_mb": round(index.manifest.n_bytes / 1e6, 1),
            "index_mb": round(index.manifest.index_bytes / 1e6, 1),
        }
        queries = [index.text(one) for one in range(0, index.manifest.n_documents, 31)][:N_LOOKUPS]
        before_ms = lookup_ms(index, queries)
        facts |= {"forget": measure_forgetting(path, index)}
        facts |= {"lookup_ms_median": {"before": before_ms, "after": lookup_ms(index, queries)}}
        facts |= {"add": measure_adding(path)}
        facts |= {"compact": measure_rewriting(path, index, lambda: compact_index(path))}
        add_segment(islice(more_files(path, " again"), 200), path)
        merge = measure_rewriting(path, index, lambda: compact_index(path, join_all=True))
        facts |= {"merge": merge}
        n_damaged = sum(bool(check.problem) for check in verify_index(path))
    return {**facts, "n_damaged_after": n_damaged, "receipt": measure_receipt(path)}


def measure_receipt(path: Path) -> dict[str, Any]:
    """An opt-out of a thousand documents with its receipt, as `starcite index forget` makes it."""
    os.environ["STARCITE_HOME"] = str(path.with_name("home"))  # a ledger and a key of its own
    with Index.open(path) as index:
        digests = [sha256 for _, sha256 in islice(index.live_digests(), N_IN_RECEIPT)]
        shown = resolve(index, parse_selector(content_hashes=digests))
    wall_before, cpu_before = time.perf_counter(), time.process_time()
    outcome = forget(shown, Setting(index=path, openers=[IndexProbe, TraceProbe]))
    wall_s, cpu_s = time.perf_counter() - wall_before, time.process_time() - cpu_before
    if outcome.receipt is None:
        raise RuntimeError("documents were forgotten without a receipt")
    proven = verify_receipt(outcome.receipt.read_bytes())
    return {
        "n_removed": proven.n_removed,
        "n_questions": proven.n_questions,
        "tombstone_s": round(outcome.tombstone_s, 3),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
    }


def measure_forgetting(path: Path, index: Index) -> dict[str, Any]:
    """From the call to the moment when an index that was open before refuses the document."""
    elapsed = []
    for document_id in range(0, 100 * N_FORGETTINGS, 100):
        started = time.perf_counter()
        forget_documents(path, [document_id])
        try:
            index.text(document_id)
        except DocumentForgottenError:
            elapsed.append(time.perf_counter() - started)
    started = time.perf_counter()
    forget_documents(path, range(1, 2000, 2))
    return {
        "n_single": len(elapsed),
        "single_s_median": round(statistics.median(elapsed), 4),
        "single_s_max": round(max(elapsed), 4),
        "thousand_at_once_s": round(time.perf_counter() - started, 4),
    }


def lookup_ms(index: Index, queries: list[str]) -> float:
    """The median time to look up the fingerprints of a text."""
    values = [winnow(lex(text.encode(), "python").hashes).values for text in queries]
    elapsed = []
    for one in values:
        started = time.perf_counter()
        index.lookup(one)
        elapsed.append(time.perf_counter() - started)
    return round(statistics.median(elapsed) * 1000, 3)


def more_files(path: Path, line: str) -> Iterator[SourceFile]:
    """The live texts of an index with a line more, from other places."""
    with Index.open(path) as index:
        for one in index.live_document_ids():
            document = index.document(one)
            origin = replace(document.origins[0], version=f"{document.origins[0].version}{line}")
            text = f"{index.text(one)}\n# {line}\n"
            yield SourceFile(text=text, language=document.language, origin=origin)


def measure_adding(path: Path) -> dict[str, Any]:
    """One segment of about ADDED_BYTES; the texts are in memory before."""
    files, n_bytes = [], 0
    for file in more_files(path, "more"):
        files.append(file)
        n_bytes += len(file.text)
        if n_bytes >= ADDED_BYTES:
            break
    cpu_before = time.process_time()
    report = add_segment(files, path)
    cpu_s = time.process_time() - cpu_before
    megabytes = report.n_bytes / 1e6
    return {
        "n_documents": report.n_new,
        "text_mb": round(megabytes, 1),
        "wall_s": round(report.elapsed_s, 2),
        "cpu_s": round(cpu_s, 2),
        "mb_per_wall_s": round(megabytes / report.elapsed_s, 2),
        "mb_per_cpu_s": round(megabytes / cpu_s, 2),
    }


def measure_rewriting(
    path: Path, index: Index, rewrite: Callable[[], CompactReport]
) -> dict[str, Any]:
    """Rewrite, and the first query of an index that was opened long before."""
    cpu_before = time.process_time()
    report = rewrite()
    cpu_s = time.process_time() - cpu_before
    started = time.perf_counter()
    n_left = len(index.live_document_ids())
    noticed_s = time.perf_counter() - started
    gigabytes = report.n_bytes / 1e9
    return {
        "n_removed": report.n_removed,
        "n_segments_rewritten": report.n_rewritten,
        "text_mb": round(report.n_bytes / 1e6, 1),
        "wall_s": round(report.elapsed_s, 2),
        "cpu_s": round(cpu_s, 2),
        "wall_s_per_gb": round(report.elapsed_s / gigabytes, 1),
        "cpu_s_per_gb": round(cpu_s / gigabytes, 1),
        "n_left_in_open_index": n_left,
        "first_query_after_s": round(noticed_s, 4),
        "index_mb_after": round(report.manifest.index_bytes / 1e6, 1),
        "bytes_on_disk_mb": round(on_disk(path) / 1e6, 1),
    }


def on_disk(path: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


if __name__ == "__main__":
    main()
