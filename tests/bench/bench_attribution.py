"""Measure attribution: who is found, how exactly, what is claimed wrongly, how fast.

    python tests/bench/bench_attribution.py --heldout DIR --json OUT.json

DIR is a fetched corpus of packages that are not in the index. Windows are drawn at random from a
seed: a document by its number of lines, then a place in it. Thresholds were chosen on seed 1;
report another. Classes are never pooled:

verbatim    ten lines of an indexed file; right if the first source holds them from the exact first
            to the exact last line (any file that holds the window will do)
stripped    the same windows, re-indented and without comments and blank lines; right if the first
            source maps to the lines of what remains. Windows of which nothing remains are redrawn,
            and counted as `n_redrawn`
elsewhere   ten lines of held-out files; each claim is printed, with an exact search's verdict on
            whether the claimed lines stand in the source (a true copy) or not
files       whole files of about 1,000 lines, indexed and held out: time only
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import random
import re
import sys
import time
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from machine import cpu_name

from attribution import Trace, Tracer, Verdict
from indexer.corpus import read_corpus

N_LINES = 10
Times = tuple[float, float]  # of one trace, in ms: wall, processor
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


@dataclass(frozen=True, kw_only=True)
class Window:
    """Ten lines of a text; `name` says where they were cut."""

    name: str
    lines: list[str]  # of the whole text
    start: int

    @property
    def text(self) -> str:
        """The lines as they stand."""
        return "".join(self.lines[self.start : self.start + N_LINES])


def cut(text: str) -> list[str]:
    """The lines of a text with their breaks."""
    return _LINE.findall(text)


def draw(
    texts: list[tuple[str, Callable[[], str]]], weights: list[int], rng: random.Random
) -> Iterator[Window]:
    """Random windows without end: a text by its weight, then a first line."""
    while True:
        name, read = rng.choices(texts, weights)[0]
        lines = cut(read())
        if len(lines) < N_LINES:
            continue
        window = Window(name=name, lines=lines, start=rng.randrange(len(lines) - N_LINES + 1))
        if window.text.strip():
            yield window


def comments_of(lines: list[str]) -> list[tuple[int, int]] | None:
    """(line, column) of every comment of a Python file, by Python's own tokenizer."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO("".join(lines), newline="").readline))
    except (tokenize.TokenError, SyntaxError):
        return None
    return [token.start for token in tokens if token.type == tokenize.COMMENT]


def strip(window: Window) -> tuple[str, int, int] | None:
    """The window re-indented by half, without comments and blank lines, and its range of lines."""
    comments = comments_of(window.lines)
    if comments is None:
        return None
    lines = list(window.lines)
    for row, column in comments:
        lines[row - 1] = lines[row - 1][:column]
    kept = [
        (number, lines[number])
        for number in range(window.start, window.start + N_LINES)
        if lines[number].strip()
    ]
    if not kept:
        return None
    text = ""
    for _, line in kept:
        bare = line.lstrip()
        text += " " * ((len(line) - len(bare)) // 2) + bare.rstrip() + "\n"
    return text, kept[0][0], kept[-1][0] + 1


def holds(lines: list[str], window: Window, start: int, end: int) -> bool:
    """Whether exactly these lines of a source are the window."""
    return [one.rstrip("\r\n") for one in lines[start:end]] == [
        one.rstrip("\r\n") for one in window.lines[window.start : window.start + N_LINES]
    ]


def bare(lines: list[str]) -> list[str]:
    """Lines by what is left without whitespace, blank ones dropped."""
    return [squeezed for line in lines if (squeezed := "".join(line.split()))]


class Bench:
    """One run over one index."""

    def __init__(self, tracer: Tracer, seed: int, n_windows: int) -> None:
        self.tracer = tracer
        self.seed = seed
        self.n_windows = n_windows

    def timed(self, text: str) -> tuple[Trace, Times]:
        """A trace and how long it took."""
        wall, cpu = time.perf_counter(), time.thread_time()
        found = self.tracer.trace(text, language="python")
        return found, ((time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000)

    def indexed(self) -> tuple[list[tuple[str, Callable[[], str]]], list[int]]:
        """All Python documents of the index, to be read when drawn, and their sizes."""
        index = self.tracer.index
        documents = [index.document(number) for number in range(index.manifest.n_documents)]
        documents = [one for one in documents if one.language == "python"]
        texts = [
            (str(one.document_id), lambda number=one.document_id: index.text(number))
            for one in documents
        ]
        return texts, [one.n_bytes for one in documents]

    def verbatim(self) -> dict[str, Any]:
        """Class a."""
        texts, weights = self.indexed()
        windows = draw(texts, weights, seeded(self.seed))
        misses, times = [], []
        for _ in range(self.n_windows):
            window = next(windows)
            found, ms = self.timed(window.text)
            times.append(ms)
            why = self.why_not_verbatim(window, found)
            if why:
                misses.append({"document": window.name, "start_line": window.start, "why": why})
        return report(self.n_windows, misses, times)

    def why_not_verbatim(self, window: Window, found: Trace) -> str:
        """Empty if the trace is right."""
        if found.verdict is not Verdict.FOUND:
            return f"not found: {found.verdict}"
        match = max(found.matches, key=lambda one: one.query.end - one.query.start)
        source = match.sources[0]
        lines = cut(self.tracer.source(source.document_id)[1])
        if holds(lines, window, source.span.start_line, source.span.end_line):
            return ""
        return (
            f"lines {match.query.start_line}-{match.query.end_line} of the window, {match.tier}, "
            f"document {source.document_id}:{source.span.start_line}-{source.span.end_line}"
        )

    def stripped(self) -> dict[str, Any]:
        """Class b: the windows of class a."""
        texts, weights = self.indexed()
        windows = draw(texts, weights, seeded(self.seed))
        misses: list[dict[str, Any]] = []
        times: list[Times] = []
        n_redrawn = 0
        while len(times) < self.n_windows:
            window = next(windows)
            left = strip(window)
            if left is None:
                n_redrawn += 1
                continue
            found, ms = self.timed(left[0])
            times.append(ms)
            why = self.why_not_stripped(window, left, found)
            if why:
                misses.append({"document": window.name, "start_line": window.start, "why": why})
        return report(self.n_windows, misses, times) | {"n_redrawn": n_redrawn}

    def why_not_stripped(self, window: Window, left: tuple[str, int, int], found: Trace) -> str:
        """Empty if the first source is the same lines, or other lines that read the same."""
        if found.verdict is not Verdict.FOUND:
            return f"not found: {found.verdict}"
        text, first, end = left
        match = max(found.matches, key=lambda one: one.query.end - one.query.start)
        source = match.sources[0]
        span = (source.span.start_line, source.span.end_line)
        if str(source.document_id) == window.name and span == (first, end):
            return ""
        lines = cut(self.tracer.source(source.document_id)[1])
        comments = comments_of(lines) or []
        for row, column in comments:
            lines[row - 1] = lines[row - 1][:column]
        if bare(lines[span[0] : span[1]]) == bare(cut(text)):
            return ""  # a twin
        return (
            f"lines {match.query.start_line}-{match.query.end_line} of {len(cut(text))}, wanted "
            f"{first}-{end}, got document {source.document_id}:{span[0]}-{span[1]}"
        )

    def elsewhere(self, heldout: Path) -> dict[str, Any]:
        """Class c."""
        texts = [
            (f"{one.origin.name}/{one.origin.path}", lambda text=one.text: text)
            for one in read_corpus(heldout)
            if one.language == "python"
        ]
        weights = [len(read()) for _, read in texts]
        windows = draw(texts, weights, seeded(self.seed))
        claims, times = [], []
        for _ in range(self.n_windows):
            window = next(windows)
            found, ms = self.timed(window.text)
            times.append(ms)
            claims += [
                {"window": f"{window.name}:{window.start + 1}", **self.inspected(window, match)}
                for match in found.matches
            ]
        n_claimed = len({one["window"] for one in claims})
        return {
            "n": self.n_windows,
            "n_claimed": n_claimed,
            "n_claimed_and_no_copy": len(
                {one["window"] for one in claims if not one["is_exact_copy"]}
            ),
            "claims": claims,
            **latency(times),
        }

    def inspected(self, window: Window, match: Any) -> dict[str, Any]:
        """A claim for a person to look at, with an exact search that shares no code with it."""
        source = match.sources[0]
        document, text = self.tracer.source(source.document_id)
        claimed = window.text[match.query.start : match.query.end]
        origin = document.origins[0]
        return {
            "tier": str(match.tier),
            "n_lexemes": match.n_lexemes,
            "n_packages": match.n_packages,
            "source": f"{origin.name}/{origin.path}:{source.span.start_line + 1}",
            "is_exact_copy": is_copy(claimed, text),
            "text": claimed,
        }

    def files(self, heldout: Path) -> dict[str, Any]:
        """Whole files of 900 to 1,100 lines."""
        texts, _ = self.indexed()
        rng = seeded(self.seed)
        rng.shuffle(texts)
        own = (text for _, read in texts if 900 <= len(cut(text := read())) <= 1100)
        others = (one.text for one in read_corpus(heldout) if 900 <= len(cut(one.text)) <= 1100)
        return {
            "indexed": latency([self.timed(text)[1] for text in islice(own, 20)]),
            "elsewhere": latency([self.timed(text)[1] for text in islice(others, 20)]),
        }


def is_copy(claimed: str, text: str) -> bool:
    """Whether a text holds the same words and signs in a row, with comments or without."""
    squeezed = ["".join(one.split()) for one in (claimed, text)]
    bare = ["".join(re.sub(r"#.*", "", one).split()) for one in (claimed, text)]
    return squeezed[0] in squeezed[1] or bare[0] in bare[1]


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 (draws windows, keeps no secret)


def report(n: int, misses: list[dict[str, Any]], times: list[Times]) -> dict[str, Any]:
    """The part of a class that was right, and each miss."""
    return {"n": n, "right": round(1 - len(misses) / n, 4), "misses": misses, **latency(times)}


def latency(times: list[Times]) -> dict[str, Any]:
    """Percentiles of wall time, and of this thread's processor time, which others do not share."""
    if not times:
        return {"n_timed": 0}
    (p50, cpu_p50), (p99, cpu_p99) = np.percentile(times, [50, 99], axis=0).round(2).tolist()
    return {
        "n_timed": len(times),
        "p50_ms": p50,
        "p99_ms": p99,
        "cpu_p50_ms": cpu_p50,
        "cpu_p99_ms": cpu_p99,
    }


def machine() -> dict[str, Any]:
    """What it ran on."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def main() -> None:
    """Run every class and print or write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, help="folder of the index; the default one if absent")
    parser.add_argument("--heldout", type=Path, help="a fetched corpus that is not in the index")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--json", type=Path, help="where to write the results")
    options = parser.parse_args()
    tracer = Tracer.open(options.index)
    bench = Bench(tracer, options.seed, options.windows)
    tracer.trace("import os\n" * 20, language="python")  # touch every part of the index once
    manifest = tracer.index.manifest
    results: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python", *sys.argv]),
        "seed": options.seed,
        "machine": machine(),
        "index": {
            "corpus_digest": manifest.corpus_digest,
            "n_documents": manifest.n_documents,
            "n_bytes": manifest.n_bytes,
        },
        "verbatim": bench.verbatim(),
        "stripped": bench.stripped(),
    }
    if options.heldout:
        results["elsewhere"] = bench.elsewhere(options.heldout)
        results["files"] = bench.files(options.heldout)
    sys.stdout.write(json.dumps(results, indent=1) + "\n")
    if options.json:
        for claim in results.get("elsewhere", {}).get("claims", []):
            del claim["text"]  # others' code is for looking at, not for keeping
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
