"""Files that hold a benchmark's problem leave the corpus, however the copy is dressed.

A problem is looked for by its statement (in the view of words), by its solution and by the whole
function (in the exact and in the renamed view, see `views`), so that neither indentation nor
comments nor names nor a changed line hide it. Trivial solutions are looked for only as the whole
function with its name: half the code in the world would be gone.
"""

from __future__ import annotations

import ast
import hashlib
import logging
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from functools import lru_cache, partial
from itertools import chain, groupby
from pathlib import Path

from indexer.curate.benchmarks import Problem, read_benchmark
from indexer.curate.passages import Found, Look, gather, search, view_of
from indexer.curate.pipeline import Drop, Step
from indexer.curate.views import code_lexemes, exact_view, renamed_view, words_view
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

# The numbers were set on HumanEval in disguise and on 145 MB of packages that must stay; see
# tests/bench/bench_decontaminate.py.
STATEMENT = Look(name="statement", make_view=words_view, k=5, min_grams=4, min_share=0.7)
SOLUTION = Look(name="solution", make_view=exact_view, k=7, min_grams=10, min_share=0.6)
FUNCTION = Look(name="function", make_view=exact_view, k=7, min_grams=5, min_share=0.8)
WHOLE = Look(name="whole function", make_view=exact_view, k=7, min_grams=3, min_share=1.0)
RENAMED = Look(name="renamed solution", make_view=renamed_view, k=10, min_grams=5, min_share=0.8)
RENAMED_LONG = Look(
    name="renamed solution", make_view=renamed_view, k=10, min_grams=13, min_share=0.6
)
RENAMED_FUNCTION = Look(
    name="renamed function", make_view=renamed_view, k=10, min_grams=5, min_share=1.0
)
# Those of one view stand together, so that it is made once.
LOOKS = (STATEMENT, SOLUTION, FUNCTION, WHOLE, RENAMED_LONG, RENAMED, RENAMED_FUNCTION)
_PROSE_WORDS = 10  # a docstring's prose of so many words is looked for without its examples


class Benchmark:
    """The passages of some problems; picklable, so that processes can share the work."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.n_problems = len(problems)
        said = "\0".join(part for problem in problems for part in astuple(problem))
        self.digest = hashlib.sha256(to_bytes(said)).hexdigest()
        texts: dict[Look, list[tuple[Look, str, str]]] = {look: [] for look in LOOKS}
        for problem in problems:
            for look, text in dict.fromkeys(_texts(problem)):
                texts[look].append((look, problem.task_id, text))
        self._views = [
            (view, k, gather(chain.from_iterable(texts[look] for look in looks)))
            for (view, k), looks in groupby(LOOKS, lambda look: (look.make_view, look.k))
        ]

    def search(self, text: str, language: str) -> Found | None:
        """The first problem that a text holds."""
        data = to_bytes(text)
        lexemes = code_lexemes(data, language)
        for make_view, k, passages in self._views:
            for found in search(make_view(data, lexemes, k), passages):
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
    is_enough = len(view_of(words_view, prose, 1).starts) >= _PROSE_WORDS
    yield STATEMENT, prose if is_enough else problem.statement
    for code in filter(None, (problem.body, problem.helpers)):
        if _shape(code) not in _trivial_shapes():
            for same in _spellings(code):
                yield SOLUTION, same
                yield RENAMED_LONG, same
                yield RENAMED, same
    if problem.signature:
        yield from _function_texts(problem)


def _function_texts(problem: Problem) -> Iterator[tuple[Look, str]]:
    for function in _spellings(f"{problem.signature}\n{problem.body}"):
        yield WHOLE, function
        if _shape(problem.body) in _trivial_shapes():
            continue
        yield FUNCTION, function
        yield RENAMED_FUNCTION, function
        yield RENAMED_FUNCTION, _unannotated(function)
        # With the docstring between them, the two are further apart than a passage may be.
        yield FUNCTION, f'{problem.signature}\n"""{problem.statement}"""\n{problem.body}'


def _spellings(code: str) -> Iterator[str]:
    """The code, and as tools spell it that go by way of the syntax tree (`1.` becomes `1.0`)."""
    yield code
    tree = _parse(code)
    if tree is not None:
        yield ast.unparse(tree)


def _unannotated(function: str) -> str:
    """Without the types, which a copyist leaves out first."""
    tree = _parse(function)
    if tree is None:
        return function
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
    return ast.unparse(tree)


def _parse(code: str) -> ast.Module | None:
    try:
        # A body alone is indented code.
        return ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _shape(body: str) -> tuple[int, int]:
    """Equal for bodies that differ in names alone: length and hash of the whole."""
    n = len(view_of(exact_view, body, 1).starts)
    grams = view_of(renamed_view, body, max(n, 1)).grams
    return n, int(grams[0]) if len(grams) else 0


@lru_cache(maxsize=1)
def _trivial_shapes() -> frozenset[tuple[int, int]]:
    return frozenset({_shape(body) for body in ("", *TRIVIAL_BODIES)})
