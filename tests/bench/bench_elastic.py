"""The index in Elasticsearch beside the embedded one: parity, speed and size on a real server.

The default index is pushed, then the same snippets are traced by both engines, half of them as they
stand and half with changed names, blanks or lines. Both answer on this machine, one at a time.
"""

from __future__ import annotations

import json
import platform
import random
import re
import time
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import click
import numpy as np

from attribution import inexact
from attribution.exact import Exact
from attribution.texts import Texts
from attribution.tracer import Tracer
from attribution.types import Trace
from indexer import Index, default_index_path
from indexer.elastic.index import ElasticIndex
from indexer.elastic.push import PushReport, push
from indexer.elastic.server import connect
from tests.bench.machine import cpu_name

_NAME = re.compile(r"\b[a-z_]\w{4,}\b")
_LINES = (5, 10, 20)


def changed(lines: list[str], how: str, rng: random.Random) -> str:
    """A snippet as it stands, re-indented, with names of its own, or with lines taken out."""
    if how == "ws":
        return "\n".join("  " + line.replace("    ", "\t") for line in lines if line.strip())
    if how == "edit":
        return "\n".join(line for line in lines if rng.random() > 0.2)
    text = "\n".join(lines)
    if how == "rename":
        names = sorted(set(_NAME.findall(text)))
        new = {name: f"{name[:2]}x{n}" for n, name in enumerate(names)}
        return _NAME.sub(lambda found: new[found[0]], text)
    return text


def queries(index: Index, n: int, seed: int) -> list[tuple[str, str]]:
    """Snippets of live documents, each with how it was changed."""
    rng = random.Random(seed)  # noqa: S311
    ids = list(index.live_document_ids())
    found: list[tuple[str, str]] = []
    while len(found) < n:
        document = index.document(rng.choice(ids))
        lines = index.text(document.document_id).split("\n")
        n_lines = rng.choice(_LINES)
        if document.language != "python" or len(lines) < n_lines:
            continue
        first = rng.randrange(len(lines) - n_lines + 1)
        how = ("verbatim", "verbatim", "verbatim", "ws", "edit", "rename")[len(found) % 6]
        text = changed(lines[first : first + n_lines], how, rng)
        if len(text.split()) >= 5:
            found.append((how, text))
    return found


def best(index: Index, text: str, n: int = 5) -> list[tuple[str, float]]:
    """The documents that the fusion of all views puts first, by digest, with their scores."""
    tracer = Tracer(index)
    exact = Exact(index, Texts(index, n_cached=8), tracer.config)
    data = text.encode("utf-8", "replace")
    reading, _ = exact.best_reading(data, "python")
    found = inexact.candidates(
        inexact.sketch(index, reading.query, "python"),
        by_e=reading.ranked,
        e_coverage=reading.e_coverage,
        by_words=list(exact.leads(data)),
        by_vectors=[],
    )
    return [(index.document(one.document_id).sha256, one.score) for one in found[: 2 * n]]


def same_top(here: Sequence[tuple[str, float]], there: Sequence[tuple[str, float]], n: int) -> bool:
    """Whether the first n are the same documents, but for those whose scores tie with the n-th."""
    ours, theirs = {one for one, _ in here[:n]}, {one for one, _ in there[:n]}
    tied = {
        one
        for found in (here, there)
        if len(found) > n
        for one, score in found
        if abs(score - found[n - 1][1]) < 1e-9
    }
    return ours ^ theirs <= tied


def verified(trace: Trace) -> list[Any]:
    """What a trace claims: tier, span, length and the digest and lines of each source."""
    return [
        (
            one.tier,
            one.query,
            one.n_lexemes,
            one.commonness,
            sorted((it.document_sha256, it.span.start, it.span.end) for it in one.sources),
        )
        for one in trace.matches
    ]


def strongest(trace: Trace) -> list[Any]:
    """The same of what is no common code; of that, lists of sources are cut off at eight."""
    return [
        (one.tier, one.query, one.n_lexemes, one.sources[0].document_sha256) for one in trace.alarms
    ]


def timed(tracer: Tracer, asked: Sequence[tuple[str, str]]) -> tuple[list[Trace], dict[str, float]]:
    """The traces, and how long they took."""
    for _, text in asked[:20]:
        tracer.trace(text)
    traces, times = [], []
    for _, text in asked:
        started = time.perf_counter()
        traces.append(tracer.trace(text))
        times.append((time.perf_counter() - started) * 1000)
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).round(2).tolist()
    return traces, {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def parity(here: Index, there: Index, asked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """How often both engines say the same, and how long each takes."""
    ours, our_ms = timed(Tracer(here), asked)
    theirs, their_ms = timed(Tracer(there), asked)
    n_top = sum(same_top(best(here, text), best(there, text), 5) for _, text in asked)
    pairs = list(zip(ours, theirs, asked, strict=True))
    differing = [how for one, other, (how, _) in pairs if verified(one) != verified(other)]
    return {
        "n_queries": len(asked),
        "same_top_5": n_top / len(asked),
        "identical_matches": 1 - len(differing) / len(asked),
        "identical_alarms": sum(strongest(a) == strongest(b) for a, b, _ in pairs) / len(asked),
        "same_verdict": sum(a.verdict == b.verdict for a, b, _ in pairs) / len(asked),
        "differing_by_change": {how: differing.count(how) for how in sorted(set(differing))},
        "trace_embedded": our_ms,
        "trace_elasticsearch": their_ms,
    }


def sizes(report: PushReport, after_merge: int, index: Index) -> dict[str, float]:
    """How large and how fast, beside the embedded index."""
    manifest = index.manifest
    return {
        "text_mb": round(report.n_bytes / 1e6, 1),
        "n_chunks": report.n_chunks,
        "push_s": round(report.elapsed_s, 1),
        "push_mb_per_s": round(report.n_bytes / 1e6 / report.elapsed_s, 2),
        "size_ratio_pushed": round(report.stored_bytes / report.n_bytes, 3),
        "size_ratio_merged": round(after_merge / report.n_bytes, 3),
        "size_ratio_embedded": round(manifest.index_bytes / max(manifest.n_bytes, 1), 3),
    }


@click.command()
@click.option("--url", "urls", multiple=True, default=("http://127.0.0.1:9200",))
@click.option(
    "--index", "index_path", type=click.Path(path_type=Path), help="Default: the default."
)
@click.option("--queries", "n_queries", default=420, show_default=True)
@click.option("--seed", default=20, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path))
def main(
    urls: tuple[str, ...], index_path: Path | None, n_queries: int, seed: int, out: Path | None
) -> None:
    """Measure, on a server that runs."""
    path = index_path or default_index_path()
    with closing(connect(urls, name="starcite_bench")) as server, Index.open(path) as here:
        cpu = time.process_time()
        report = push(here, server)
        cpu = time.process_time() - cpu
        server.client.options(request_timeout=600).indices.forcemerge(
            index=report.index, max_num_segments=1
        )
        stats = server.client.indices.stats(index=report.index, metric="store")
        after_merge = int(stats["_all"]["primaries"]["store"]["size_in_bytes"])
        there = cast("Index", ElasticIndex(server))
        told = {
            "machine": {
                "cpu": cpu_name(),
                "python": platform.python_version(),
                "elasticsearch": server.version,
                "client": version("elasticsearch"),
            },
            "corpus_digest": here.manifest.corpus_digest,
            "seed": seed,
            "push": {**sizes(report, after_merge, here), "client_cpu_s": round(cpu, 1)},
            "parity": parity(here, there, queries(here, n_queries, seed)),
        }
        server.client.indices.delete(index=report.index)
    text = json.dumps(told, indent=1)
    click.echo(text)
    if out:
        out.write_text(text + "\n")


if __name__ == "__main__":
    main()
