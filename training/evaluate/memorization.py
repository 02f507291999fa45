"""How much of what a model writes stands word for word in its training data.

A tracer on the index of the training data looks at generated text alone (never at the prompt).
Unlike for a person's code, every shared run of 17 lexemes or more counts, the length from which
the index misses none, whatever part of the text it is and however much it repeats itself.
"""

from __future__ import annotations

from pathlib import Path

from attribution import Trace, Tracer, Verdict
from attribution.config import TraceConfig
from indexer import Index, default_index_path
from training.evaluate.errors import EvaluateError

MIN_LEXEMES = 17
CONFIG = TraceConfig(min_lexemes=MIN_LEXEMES, min_distinct_pairs=1, max_snippet_bytes=0)


def open_tracer(path: Path | None) -> Tracer:
    """A tracer on an index, or on the default one, that leaves no run of 17 lexemes out.

    Raises:
        IndexerError: there is no index, or it is damaged.
    """
    return Tracer(Index.open(path or default_index_path()), CONFIG)


def memorized(tracer: Tracer, text: str) -> dict[str, float]:
    """What of a generated text is found: lines, runs and the longest run in lexemes.

    A line counts as found if all of it but the whitespace at its ends lies in one match.

    Raises:
        EvaluateError: the index could not be read, so nothing can be said.
    """
    trace = tracer.trace(text)
    if trace.verdict is Verdict.UNKNOWN:
        raise EvaluateError(f"the index could not be asked: {trace.reason}")
    lines = _lines(text)
    n_found = sum(_is_found(trace, start, end) for start, end in lines)
    return {
        "n_lines": float(len(lines)),
        "n_found_lines": float(n_found),
        "n_runs": float(len(trace.matches)),
        "has_run": float(bool(trace.matches)),
        "longest_lexemes": float(max((one.n_lexemes for one in trace.matches), default=0)),
    }


def _lines(text: str) -> list[tuple[int, int]]:
    """The range of each line that is not blank, without the whitespace at its ends."""
    found, start = [], 0
    for line in text.split("\n"):
        if line.strip():
            first = start + len(line) - len(line.lstrip())
            found.append((first, first + len(line.strip())))
        start += len(line) + 1
    return found


def _is_found(trace: Trace, start: int, end: int) -> bool:
    return any(one.query.start <= start and end <= one.query.end for one in trace.matches)
