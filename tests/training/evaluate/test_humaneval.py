"""HumanEval as the installed package has it, and what is rebuilt from it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluate.errors import EvaluateError
from training.evaluate.humaneval import gaps, load_problems
from training.evaluate.sandbox import run_program


def test_infilling_has_one_task_a_line_of_the_canonical_solutions() -> None:
    """1,033 of them, 160 at the first line; each gap filled with its line is the solution again."""
    problems = load_problems()
    found = gaps(problems)
    first_lines = [gap for gap in found if gap.key.endswith("/L0")]

    assert (len(problems), len(found), len(first_lines)) == (164, 1033, 160)
    assert len({gap.key for gap in found}) == 1033
    for gap in found:
        filled = gap.prefix + gap.expected + gap.suffix
        assert filled == gap.problem.prompt + gap.problem.canonical_solution


def test_a_filled_gap_runs_and_a_wrong_line_fails() -> None:
    """The sandbox tells the canonical line from a wrong one."""
    gap = gaps(load_problems()[:1])[-1]
    indent = gap.expected[: len(gap.expected) - len(gap.expected.lstrip())]

    assert run_program(gap.program(gap.expected)).status == "passed"
    assert run_program(gap.program(f"{indent}return None")).status == "failed"


@given(data=st.binary(max_size=200), is_packed=st.booleans())
def test_a_damaged_file_of_problems_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, is_packed: bool
) -> None:
    """Whatever other bytes a file holds, it is refused in one sentence."""
    path = tmp_path_factory.mktemp("problems") / "a.jsonl.gz"
    path.write_bytes(gzip.compress(data) if is_packed else data)

    with pytest.raises(EvaluateError):
        load_problems(path)


def test_a_problem_with_a_number_for_a_text_is_refused(tmp_path: Path) -> None:
    """Types are checked, not only names."""
    row = dict.fromkeys(("task_id", "prompt", "canonical_solution", "test", "entry_point"), "x")
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row | {"test": 1}).encode()))

    with pytest.raises(EvaluateError, match="no text"):
        load_problems(path)
