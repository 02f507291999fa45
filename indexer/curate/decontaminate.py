"""Files that hold a benchmark's problem leave the corpus, however the copy is dressed.

A problem is looked for by its statement (in the view of words) and by its solution (in the exact
and in the renamed view, see `views`). A passage counts as found where most of its k-grams stand
close together, so neither indentation nor comments nor names nor a changed line hide it. Trivial
solutions are never looked for on their own: half the code in the world would be gone.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.curate.benchmarks import Problem, read_benchmark
from indexer.curate.pipeline import Drop, Step
from indexer.curate.views import MakeView, View, code_lexemes, exact_view, renamed_view, words_view
from indexer.source_file import SourceFile
from indexer.text.normalize import to_bytes

log = logging.getLogger(__name__)

NAME = "decontaminate"
REASON = "benchmark problem"

# Solutions that anyone writes; the first four are those that StarCoder's decontamination excepts
# (bigcode-dataset, decontamination/find_substrings.py).
TRIVIAL_BODIES = (
    "return x + y",
    "return len(string)",
    "return n**2",
    "return ''.join(strings)",
    "return x",
    "return not x",
    "return x - y",
    "return x * y",
    "return x / y",
    "return x % y",
    "return sum(x)",
    "return max(x)",
    "return min(x)",
    "return sorted(x)",
    "return x[::-1]",
    "return list(set(x))",
    "return sorted(list(set(x)))",
    "return x == x[::-1]",
    "pass",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One way to look for passages."""

    name: str
    make_view: MakeView
    k: int
    min_grams: int  # shorter passages say too little
    min_share: float  # of a passage's k-grams


STATEMENT = Look(name="statement", make_view=words_view, k=5, min_grams=4, min_share=0.7)
SOLUTION = Look(name="solution", make_view=exact_view, k=7, min_grams=10, min_share=0.6)
FUNCTION = Look(name="function", make_view=exact_view, k=7, min_grams=5, min_share=0.8)
RENAMED = Look(name="renamed solution", make_view=renamed_view, k=10, min_grams=13, min_share=0.6)
_PROSE_WORDS = 10  # a docstring's prose of so many words is looked for without its examples


@dataclass(frozen=True, slots=True)
class _Passages:
    """All passages of one look, as a sorted table of k-grams."""

    look: Look
    grams: NDArray[np.uint64]  # (M,) ascending, once for each passage that has it
    owners: NDArray[np.int64]  # (M,) passage
    n_grams: NDArray[np.int64]  # (P,) distinct k-grams of a passage
    spans: NDArray[np.int64]  # (P,) units within which they must stand
    task_ids: tuple[str, ...]  # (P,)
    sieve: NDArray[np.bool_]  # by the low bits of a k-gram; most k-grams of a file stop here


@dataclass(frozen=True, slots=True)
class Found:
    """A problem in a text."""

    task_id: str
    look: str
    start: int  # byte offsets, half-open
    end: int


class Benchmark:
    """The passages of some problems; picklable, so that processes can share the work."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.n_problems = len(problems)
        said = "\0".join(part for problem in problems for part in astuple(problem))
        self.digest = hashlib.sha256(to_bytes(said)).hexdigest()
        texts: dict[Look, list[tuple[str, str]]] = {
            look: [] for look in (STATEMENT, SOLUTION, FUNCTION, RENAMED)
        }
        for problem in problems:
            for look, text in _texts(problem):
                texts[look].append((problem.task_id, text))
        self._passages = [_gather(look, some) for look, some in texts.items()]

    def search(self, text: str, language: str) -> Found | None:
        """The first problem that a text holds."""
        data = to_bytes(text)
        lexemes = code_lexemes(data, language)
        views: dict[tuple[MakeView, int], View] = {}
        for passages in self._passages:
            look = passages.look
            view = views.get((look.make_view, look.k)) or look.make_view(data, lexemes, look.k)
            views[look.make_view, look.k] = view
            for found in _search(view, passages):
                return found
        return None


def decontaminate(paths: Sequence[Path]) -> Step:
    """The step for the benchmarks in some files; without any it says that it does nothing.

    What was looked for is part of the step's name, and so of the shards' manifest.

    Raises:
        CurateError: a benchmark cannot be read.
    """
    if not paths:
        log.warning("decontamination skipped: no benchmark was given, nothing is looked for")
        return Step(f"{NAME}: nothing, no benchmark given", _pass)
    benchmark = Benchmark([problem for path in paths for problem in read_benchmark(path)])
    name = f"{NAME}: {benchmark.n_problems} problems, {benchmark.digest[:12]}"
    return Step(name, partial(check_contamination, benchmark=benchmark))


def check_contamination(file: SourceFile, benchmark: Benchmark) -> SourceFile | Drop:
    """Drop a file that holds a problem of the benchmark; the detail names task and lines."""
    found = benchmark.search(file.text, file.language)
    if found is None:
        return file
    data = to_bytes(file.text)
    first = data.count(b"\n", 0, found.start) + 1
    last = data.count(b"\n", 0, found.end) + 1
    return Drop(REASON, f"{found.task_id}, {found.look} in lines {first} to {last}")


def _pass(file: SourceFile) -> SourceFile:
    return file


def _texts(problem: Problem) -> Iterator[tuple[Look, str]]:
    """What to look for of a problem."""
    prose = problem.statement.split(">>>")[0]
    is_enough = len(_view(words_view, prose, 1).starts) >= _PROSE_WORDS
    yield STATEMENT, prose if is_enough else problem.statement
    if _shape(problem.body) in _trivial_shapes():
        return
    yield SOLUTION, problem.body
    yield RENAMED, problem.body
    yield FUNCTION, f"{problem.signature}\n{problem.body}"
    # With the docstring between them, the two are further apart than a passage may be.
    yield FUNCTION, f'{problem.signature}\n"""{problem.statement}"""\n{problem.body}'


def _shape(body: str) -> tuple[int, int]:
    """Equal for bodies that differ in names alone: length and hash of the whole."""
    n = len(_view(exact_view, body, 1).starts)
    grams = _view(renamed_view, body, max(n, 1)).grams
    return n, int(grams[0]) if len(grams) else 0


def _view(make_view: MakeView, text: str, k: int) -> View:
    data = to_bytes(text)
    return make_view(data, code_lexemes(data, "python"), k)


@lru_cache(maxsize=1)
def _trivial_shapes() -> frozenset[tuple[int, int]]:
    return frozenset({_shape(body) for body in ("", *TRIVIAL_BODIES)})


_SIEVE_BITS = 16


def _gather(look: Look, texts: Iterable[tuple[str, str]]) -> _Passages:
    grams: list[NDArray[np.uint64]] = []
    task_ids, spans = [], []
    for task_id, text in texts:
        view = _view(look.make_view, text, look.k)
        distinct = np.unique(view.grams)
        if len(distinct) >= look.min_grams:
            grams.append(distinct)
            task_ids.append(task_id)
            spans.append(len(view.starts) + len(view.starts) // 2)
    n_grams = np.array([len(some) for some in grams], dtype=np.int64)
    flat = np.concatenate([np.empty(0, dtype=np.uint64), *grams])
    owners = np.repeat(np.arange(len(grams), dtype=np.int64), n_grams)
    order = np.argsort(flat, kind="stable")
    sieve = np.zeros(1 << _SIEVE_BITS, dtype=bool)
    sieve[_low_bits(flat)] = True
    return _Passages(
        look,
        flat[order],
        owners[order],
        n_grams,
        np.array(spans, dtype=np.int64),
        tuple(task_ids),
        sieve,
    )


def _low_bits(grams: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (grams & np.uint64((1 << _SIEVE_BITS) - 1)).astype(np.int64)


def _search(view: View, passages: _Passages) -> Iterator[Found]:
    look = passages.look
    if len(passages.grams) == 0:
        return
    places = np.flatnonzero(passages.sieve[_low_bits(view.grams)])
    firsts = np.searchsorted(passages.grams, view.grams[places], side="left")
    counts = np.searchsorted(passages.grams, view.grams[places], side="right") - firsts
    if not counts.any():
        return
    # One row for each (place in the text, entry in the table) of equal k-grams.
    hit_places = np.repeat(places, counts)
    steps = np.arange(len(hit_places)) - np.repeat(np.cumsum(counts) - counts, counts)
    entries = np.repeat(firsts, counts) + steps
    owners = passages.owners[entries]
    needed = np.ceil(passages.n_grams * look.min_share).astype(np.int64)
    n_hits = np.bincount(owners, minlength=len(needed))
    for owner in np.flatnonzero(n_hits >= needed).tolist():
        mine = owners == owner
        window = _densest(hit_places[mine], entries[mine], int(passages.spans[owner]))
        if window and window[0] >= needed[owner]:
            start, end = view.starts[window[1]], view.ends[window[2] + look.k - 1]
            yield Found(passages.task_ids[owner], look.name, int(start), int(end))


def _densest(
    places: NDArray[np.int64], entries: NDArray[np.int64], span: int
) -> tuple[int, int, int] | None:
    """Most distinct entries in `span` places: their number, the first and the last place."""
    best: tuple[int, int, int] | None = None
    inside: dict[int, int] = {}
    low = 0
    hits = list(zip(places.tolist(), entries.tolist(), strict=True))
    for place, entry in hits:
        inside[entry] = inside.get(entry, 0) + 1
        while hits[low][0] <= place - span:
            gone = hits[low][1]
            inside[gone] -= 1
            if inside[gone] == 0:
                del inside[gone]
            low += 1
        if best is None or len(inside) > best[0]:
            best = len(inside), hits[low][0], place
    return best
