"""Measure how latency and size grow with the corpus, by replicas that share no names.

    python tests/bench/bench_growth.py --factor 1 --factor 10 --json OUT.json

Each replica has the corpus's structure under other names: every word but keywords and short words
gets a replica's own ending, in strings and comments too. So no replica shares exact lexemes with
another, and all of them share fingerprints without names: for that view it is the worst case.
Queries are the same at every factor: ten lines of the original, ten lines with other names, ten
lines of held-out packages. `--base-mb` takes the first so many megabytes of the corpus instead of
all of it, where time or disk is short; the report says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from keyword import kwlist
from pathlib import Path
from typing import Any

import numpy as np
from machine import cpu_name

from attribution import Tracer
from attribution.evaluate import changes
from attribution.evaluate.windows import Text, Window, draw, seeded
from indexer import SourceFile, data_home
from indexer.build import build_index
from indexer.config import default_corpus_path
from indexer.corpus import read_corpus

N_LINES = 10
_WORD = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]{2,}\b")
_KEPT = frozenset(kwlist)


def base_of(files: Iterable[SourceFile], n_bytes: int) -> Iterator[SourceFile]:
    """The first Python files of a corpus, up to so many bytes; all of them for 0."""
    total = 0
    for one in files:
        if one.language == "python":
            total += len(one.text.encode("utf-8", "replace"))
            if n_bytes and total > n_bytes:
                return
            yield one


def replica_of(file: SourceFile, number: int) -> SourceFile:
    """A file under a replica's own names and owner; replica 0 is the file itself."""
    if number == 0:
        return file

    def renamed(found: re.Match[str]) -> str:
        word = found[0]
        return word if word in _KEPT else f"{word}_r{number}"

    origin = replace(file.origin, name=f"{file.origin.name}-r{number}")
    return replace(file, text=_WORD.sub(renamed, file.text), origin=origin)


def replicated(read: Callable[[], Iterator[SourceFile]], factor: int) -> Iterator[SourceFile]:
    """The corpus as many times as `factor`, replica by replica."""
    for number in range(factor):
        for file in read():
            yield replica_of(file, number)
        sys.stderr.write(f"growth: replica {number + 1} of {factor} is in\n")


def texts_of(files: Iterable[SourceFile]) -> list[Text]:
    """What windows are drawn from."""
    return [
        Text(
            name=f"{one.origin.name}/{one.origin.path}",
            owner=one.origin.owner,
            document_id=number,
            n_bytes=len(one.text),
            read=partial(str, one.text),
        )
        for number, one in enumerate(files)
        if one.language == "python"
    ]


def queries_of(texts: list[Text], unseen: list[Text], seed: int, n: int) -> dict[str, list[str]]:
    """The texts of each class, the same at every factor."""
    rng = seeded(seed, "rename")
    windows = draw(texts, N_LINES, seeded(seed, "window"))
    made: dict[str, list[str]] = {"verbatim": [], "rename": [], "unseen": []}
    while len(made["rename"]) < n:
        window = next(windows)
        lines = changes.changed(changes.rename, window, window, rng)
        if lines is not None:
            made["verbatim"].append(window.text)
            made["rename"].append("".join(line.text for line in lines))
    others: Iterator[Window] = draw(unseen, N_LINES, seeded(seed, "unseen"))
    made["unseen"] = [next(others).text for _ in range(n if unseen else 0)]
    return made


def measured(tracer: Tracer, queries: dict[str, list[str]]) -> dict[str, Any]:
    """Percentiles of each class, once everything has been touched."""
    made = {}
    for name, texts in queries.items():
        times, n_found = [], 0
        for text in texts[:10]:
            tracer.trace(text, language="python")
        for text in texts:
            wall, cpu = time.perf_counter(), time.thread_time()
            found = tracer.trace(text, language="python")
            times.append((time.perf_counter() - wall, time.thread_time() - cpu))
            n_found += bool(found.matches)
        if times:
            table = (np.percentile(times, [50, 95, 99], axis=0) * 1000).round(2).tolist()
            made[name] = {"n": len(times), "n_found": n_found}
            for percentile, (wall, cpu) in zip((50, 95, 99), table, strict=True):
                made[name] |= {f"p{percentile}_ms": wall, f"cpu_p{percentile}_ms": cpu}
    return made


def grown(
    read: Callable[[], Iterator[SourceFile]],
    factor: int,
    folder: Path,
    queries: dict[str, list[str]],
) -> dict[str, Any]:
    """Build an index of so many replicas, ask it, and take it away again."""
    path = folder / f"growth-{factor}"
    started, cpu = time.monotonic(), time.process_time()
    try:
        report = build_index(replicated(read, factor), path)
        build_s, build_cpu_s = time.monotonic() - started, time.process_time() - cpu
        tracer = Tracer.open(path)
        try:
            latency = measured(tracer, queries)
        finally:
            tracer.close()
        parts: dict[str, int] = {}
        for name, entry in report.manifest.files.items():
            part = Path(name).name if "lexical" not in name else "lexical"
            parts[part] = parts.get(part, 0) + entry.n_bytes
    finally:
        shutil.rmtree(path, ignore_errors=True)
    return {
        "factor": factor,
        "n_documents": report.manifest.n_documents,
        "n_bytes": report.manifest.n_bytes,
        "index_bytes": report.manifest.index_bytes,
        "bytes_per_byte": round(report.size_ratio, 3),
        "parts_per_byte": {
            name: round(n / report.manifest.n_bytes, 4) for name, n in sorted(parts.items())
        },
        "build_s": round(build_s, 1),
        "build_cpu_s": round(build_cpu_s, 1),
        "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "latency": latency,
    }


def main() -> None:
    """Measure every factor in turn and print or write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--heldout", type=Path, default=data_home() / "corpus" / "heldout")
    parser.add_argument("--factor", type=int, action="append", help="replicas; 1 and 10 if absent")
    parser.add_argument("--base-mb", type=float, default=0, help="of the corpus; 0 takes all of it")
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=data_home(), help="where indexes are built")
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args()

    def read() -> Iterator[SourceFile]:
        return base_of(read_corpus(options.corpus), int(options.base_mb * 1e6))

    queries = queries_of(
        texts_of(read()), texts_of(read_corpus(options.heldout)), options.seed, options.windows
    )
    results: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python", *sys.argv]),
        "seed": options.seed,
        "base_mb": options.base_mb or "all",
        "machine": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0],
            "python": platform.python_version(),
        },
        "growth": [],
    }
    for factor in options.factor or [1, 10]:
        results["growth"].append(grown(read, factor, options.folder, queries))
        sys.stdout.write(json.dumps(results["growth"][-1], indent=1) + "\n")
        if options.json:  # after each factor: the largest takes long, and may be stopped
            options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
