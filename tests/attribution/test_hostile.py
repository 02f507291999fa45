"""Input that is meant to hurt is answered within stated bounds of time and memory.

The bounds: 10 seconds of one core and 600 MiB on top of the index, for any text. On a 2-core server
each of these takes less than a second; the slack is for slow machines. A text of more than 4 MB is
refused, which is an answer too.
"""

from __future__ import annotations

import time
import tracemalloc

import pytest

from attribution import Tracer, Verdict
from attribution.overlap import overlap

MAX_CPU_S = 10.0
MAX_BYTES = 600 << 20
LIMIT = 3_999_000

TEXTS = {
    "one line": "x = foo(bar[1], baz) + 2; " * (LIMIT // 26),
    "a million equal lines": "x=1\n" * (LIMIT // 4),
    "blank lines": "\n" * 1_000_000,
    "NULs": "\0" * LIMIT,
    "lone surrogates": "\ud800" * LIMIT,
    "deep nesting": "(" * (LIMIT // 2) + ")" * (LIMIT // 2),
    "open strings": '"""' * (LIMIT // 3),
    "open comments": "#" * LIMIT,
    "one k-gram again and again": "a b " * (LIMIT // 4),
    "brackets in a snippet": "f(a, b)\n" * 2_400,
    "distinct words": " ".join(f"w{number}" for number in range(500_000))[:LIMIT],
}


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_answered_within_bounds(tracer: Tracer, name: str) -> None:
    """Nothing is found in it, and looking costs little."""
    text = TEXTS[name]
    tracemalloc.start()
    started = time.process_time()
    try:
        trace = tracer.trace(text)
        elapsed_s = time.process_time() - started
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert trace.verdict is Verdict.NONE
    assert elapsed_s < MAX_CPU_S
    assert peak < MAX_BYTES


def test_what_repeats_is_still_found_once(tracer: Tracer, texts: dict[str, str]) -> None:
    """A thousand copies of a file are found in their first ones, and the rest costs nothing."""
    started = time.process_time()
    trace = tracer.trace(texts["cart"] * 1000)

    assert trace.verdict is Verdict.FOUND
    assert trace.matches[0].sources[0].origins[0].path == "vendor/cart.py"
    assert time.process_time() - started < MAX_CPU_S


def test_fifty_megabytes_are_refused_with_the_reason(tracer: Tracer) -> None:
    """At once, and not by cutting the text."""
    started = time.process_time()
    trace = tracer.trace("a = 1; " * 7_400_000)

    assert trace.verdict is Verdict.UNKNOWN
    assert "51,800,000 bytes, more than 4,000,000" in trace.reason
    assert time.process_time() - started < MAX_CPU_S


def test_overlaps_of_hostile_text_are_answered(tracer: Tracer) -> None:
    """The filter, too, reads a long line in little time."""
    started = time.process_time()

    assert overlap(tracer.index, TEXTS["deep nesting"])["spans"] == []
    assert time.process_time() - started < MAX_CPU_S
