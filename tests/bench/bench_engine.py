"""How fast the engine of an exported model answers, on one thread.

    python tests/bench/bench_engine.py --json tests/bench/results/engine.json

A prompt of 512 tokens of this repository is read cold, then again with its prefix cached and one
token typed; each figure is the median of several prompts. CPU time counts, which is what a core of
its own takes: a busy machine does not show in it, but for its caches.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

from machine import cpu_name

from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.onnx_loop import OnnxLoop
from lsp_server.models import DEFAULT_MODEL, SHIPPED

ROOT = Path(__file__).parents[2]
N_TOKENS, N_NEW = 512, 16


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, nargs="?", default=SHIPPED / DEFAULT_MODEL)
    parser.add_argument("--prompts", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the loop then takes one thread
    loop = OnnxLoop(options.model / "model.onnx")
    rows = [_measure(loop, prompt, typed) for prompt, typed in _prompts(loop, options.prompts)]
    result = {
        "what": "CPU milliseconds to answers of an exported model, one thread, medians",
        "command": f"python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "n_prompts": len(rows),
        "prompt_tokens": N_TOKENS,
        **{key: round(statistics.median(row[key] for row in rows), 2) for key in rows[0]},
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "graph_bytes": (options.model / "model.onnx").stat().st_size,
    }
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


def _prompts(loop: OnnxLoop, n: int) -> list[tuple[str, str]]:
    """Prompts of about 512 tokens, each with the same prompt after one more character."""
    text = "".join(path.read_text("utf-8") for path in sorted((ROOT / "indexer").rglob("*.py")))
    n_chars = round(N_TOKENS * len(text) / len(loop.encode(text)))
    step = (len(text) - n_chars - 1) // n
    places = range(0, step * n, step)
    return [(text[p : p + n_chars], text[p : p + n_chars + 1]) for p in places]


def _measure(loop: OnnxLoop, prompt: str, typed: str) -> dict[str, float]:
    cold = _times(loop, prompt)
    warm = _times(loop, typed)
    return {
        "first_token_ms": cold[0],
        "first_token_prefix_cached_ms": warm[0],
        "further_token_ms": (cold[-1] - cold[0]) / max(1, len(cold) - 1),
    }


def _times(loop: OnnxLoop, prompt: str) -> list[float]:
    """Milliseconds to each token."""
    times: list[float] = []
    started = time.process_time()

    def step(piece: str) -> bool:
        if piece:
            times.append((time.process_time() - started) * 1000)
        return True

    request = GenerateRequest(document="a", prompt=prompt, max_tokens=N_NEW, multiline=True)
    loop.run(request, 0, step)
    return times or [(time.process_time() - started) * 1000]


if __name__ == "__main__":
    main()
