"""Measures completion on held-out packages: exact rest of the line, and latency.

    starcite corpus fetch --lock tests/bench/heldout.lock --to .starcite/corpus/heldout
    python tests/bench/bench_completion.py --positions 200

A position is a random code point of a random line of code; what follows it on its line is cut off,
and a completion is right if its first line equals what was cut (whitespace at the end aside).
"Code" leaves out comments and strings of several lines. Prints JSON; that
of the last full run is committed in `results/`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
import os
import random
import statistics
import time
import tokenize
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from machine import cpu_name

from indexer import data_home
from lsp_server.complete import Completer, CompletionOptions, CompletionRequest
from lsp_server.copy_lane import find_copy
from lsp_server.engine import Engine, open_engine

THRESHOLDS = (3, 6, 8, 10, 12, 16, 20, 25, 30, 40)
MAX_FILE_CHARS = 200_000


@dataclass(frozen=True)
class Position:
    """A cursor in a held-out file, and what stood after it on its line."""

    name: str
    text: str  # without the rest of the cursor's line
    offset: int
    expected: str
    is_code: bool


@dataclass
class Row:
    """What each lane said at one position."""

    expected: str
    is_code: bool
    n_matched: int = 0
    copy: str = ""
    copy_ms: float = 0.0
    model: str = ""
    model_cold_ms: float = 0.0
    model_warm_ms: float = 0.0
    both: str = ""
    both_ms: float = 0.0


def python_files(folder: Path) -> Iterator[tuple[str, str]]:
    """The Python files of a fetched corpus, or of any folder."""
    try:
        from indexer.corpus import read_corpus

        files = [
            (f"{file.origin.name}/{file.origin.path}", file.text)
            for file in read_corpus(folder)
            if file.language == "python"
        ]
    except (ImportError, OSError, ValueError, LookupError):
        files = []
    if not files:
        files = [
            (str(path), path.read_text("utf-8", "replace")) for path in sorted(folder.rglob("*.py"))
        ]
    yield from ((name, text) for name, text in files if 500 < len(text) < MAX_FILE_CHARS)


def choose_positions(folder: Path, n_positions: int, seed: int) -> list[Position]:
    """Random positions, no two in one file."""
    dice = random.Random(seed)  # noqa: S311
    files = list(python_files(folder))
    dice.shuffle(files)
    chosen = []
    for name, text in files:
        if position := _choose(name, text.replace("\r\n", "\n"), dice):
            chosen.append(position)
        if len(chosen) == n_positions:
            break
    return chosen


def _choose(name: str, text: str, dice: random.Random) -> Position | None:
    starts = [0] + [at + 1 for at, char in enumerate(text) if char == "\n"]
    lines = text.split("\n")
    for _ in range(20):
        number = dice.randrange(len(lines))
        line = lines[number]
        indent = len(line) - len(line.lstrip())
        if len(line.strip()) < 4:
            continue
        column = dice.randrange(indent, len(line.rstrip()))
        offset = starts[number] + column
        end = starts[number] + len(line)
        return Position(
            name=name,
            text=text[:offset] + text[end:],
            offset=offset,
            expected=line[column:].rstrip(),
            is_code=_is_code(text, number, column),
        )
    return None


def _is_code(text: str, number: int, column: int) -> bool:
    at = (number + 1, column)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.start <= at < token.end:
                is_long = token.type == tokenize.STRING and token.start[0] != token.end[0]
                return token.type != tokenize.COMMENT and not is_long
    except (tokenize.TokenError, SyntaxError):
        return False
    return not text.split("\n")[number].lstrip().startswith("#")


async def measure(engine: Engine, positions: list[Position]) -> list[Row]:
    """Ask every lane at every position."""
    rows = []
    options = CompletionOptions(linger_ms=0)
    for number, position in enumerate(positions):
        request = CompletionRequest(
            uri=f"file:///{position.name}",
            language_id="python",
            text=position.text,
            offset=position.offset,
            invoked=False,
        )
        row = Row(expected=position.expected, is_code=position.is_code)
        start = time.perf_counter()
        copy = find_copy(request.text, request.offset)
        row.copy_ms = _ms_since(start)
        row.n_matched = copy.n_matched if copy else 0
        copy_only = replace(options, sure_copy_chars=3, lone_copy_chars=3)
        row.copy, _ = await _ask(Completer(None, copy_only), request)
        model_only = replace(options, copy_lane=False)
        row.model, row.model_cold_ms = await _ask(Completer(engine, model_only), request)
        _, row.model_warm_ms = await _ask(Completer(engine, model_only), request)
        row.both, row.both_ms = await _ask(Completer(engine, options), request)
        rows.append(row)
        if number % 10 == 9:
            print(f"{number + 1}/{len(positions)}", end="\r", flush=True)  # noqa: T201
    return rows


async def _ask(completer: Completer, request: CompletionRequest) -> tuple[str, float]:
    start = time.perf_counter()
    found = await completer.complete(request)
    return (found[0].text.split("\n")[0].rstrip() if found else ""), _ms_since(start)


def _ms_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 2)


def wilson(n_right: int, n: int) -> dict[str, float]:
    """Share and 95 % interval in percent (Wilson 1927)."""
    if not n:
        return {"percent": 0.0, "low": 0.0, "high": 0.0, "n": 0}
    z, share = 1.96, n_right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    percents = (round(100 * value, 1) for value in (share, middle - half, middle + half))
    return dict(zip(("percent", "low", "high"), percents, strict=True)) | {"n": n}


def quantiles(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": 0.0, "p95": 0.0}
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"p50": round(statistics.median(ordered), 1), "p95": round(p95, 1)}


def summarise(rows: list[Row]) -> dict[str, object]:
    """Exact match and latency of the lanes, and what each threshold of the copy lane would give."""
    exact = {}
    for scope, chosen in (("all", rows), ("code", [row for row in rows if row.is_code])):
        exact[scope] = {
            lane: wilson(sum(getattr(row, lane) == row.expected for row in chosen), len(chosen))
            for lane in ("copy", "model", "both")
        }
    return {
        "exact_match": exact,
        "latency_ms": {
            "copy": quantiles([row.copy_ms for row in rows]),
            "model_cold": quantiles([row.model_cold_ms for row in rows]),
            "model_prefix_cached": quantiles([row.model_warm_ms for row in rows]),
            "both_prefix_cached": quantiles([row.both_ms for row in rows]),
        },
        "shown": wilson(sum(bool(row.both) for row in rows), len(rows)),
        "copy_by_threshold": {str(least): _by_threshold(rows, least) for least in THRESHOLDS},
    }


def _by_threshold(rows: list[Row], least: int) -> dict[str, object]:
    taken = [row for row in rows if row.n_matched >= least and row.copy]
    mixed = [row.copy if row.n_matched >= least and row.copy else row.model for row in rows]
    n_mixed = sum(text == row.expected for text, row in zip(mixed, rows, strict=True))
    agreeing = [row for row in taken if row.copy == row.model]
    return {
        "precision": wilson(sum(row.copy == row.expected for row in taken), len(taken)),
        "model_there": wilson(sum(row.model == row.expected for row in taken), len(taken)),
        "copy_else_model": wilson(n_mixed, len(rows)),
        "agreeing": wilson(sum(row.copy == row.expected for row in agreeing), len(agreeing)),
    }


async def run(arguments: argparse.Namespace) -> None:
    """Measure, print, and write the results."""
    if not arguments.heldout.is_dir():
        raise SystemExit(f"{arguments.heldout} is missing; fetch it or give --heldout")
    positions = choose_positions(arguments.heldout, arguments.positions, arguments.seed)
    engine = await open_engine(arguments.model, idle_exit_s=1)
    ready = asyncio.Event()
    engine.on_state_change(lambda state: ready.set() if state.state != "loading" else None)
    await ready.wait()
    if engine.state.state != "ready":
        raise SystemExit(engine.state.detail)
    rows = await measure(engine, positions)
    await engine.close()
    result = {
        "command": "python tests/bench/bench_completion.py "
        f"--positions {arguments.positions} --seed {arguments.seed}",
        "corpus": arguments.heldout.name,
        "model": engine.name,
        "machine": f"{cpu_name()}, {os.cpu_count()} cores",
        "options": asdict(CompletionOptions()),
        **summarise(rows),
    }
    text = json.dumps(result, indent=2)
    print(text)  # noqa: T201
    if arguments.rows:
        arguments.rows.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--heldout", type=Path, default=data_home() / "corpus" / "heldout")
    parser.add_argument("--positions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--rows", type=Path, help="write what each lane said, for a closer look")
    asyncio.run(run(parser.parse_args()))
