"""Benchmark problems from the files that the user has: nothing of any benchmark is shipped.

Read are JSON lines (also `.gz` and `.zst`) with `task_id` and a problem in HumanEval's fields
(`prompt`, `canonical_solution`) or MBPP's (`text` or `prompt`, `code`), and plain text (`.txt`),
where each paragraph is a problem.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from indexer.curate.errors import CurateError


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What of a problem can be recognised in a file; a part that it does not have is empty."""

    task_id: str
    statement: str = ""  # the task in words: a docstring, a question
    signature: str = ""  # `def name(...) -> type:`
    body: str = ""  # the solution without its signature and docstring


def read_benchmark(path: Path) -> list[Problem]:
    """The problems of a file.

    Raises:
        CurateError: it cannot be read, holds no problem, or a line is none.
    """
    try:
        text = _read_text(path)
    except (OSError, UnicodeDecodeError, EOFError, zstandard.ZstdError) as error:
        raise CurateError(
            f"cannot read the benchmark {path}: {error}; check --benchmark"
        ) from error
    parse = _paragraphs if path.suffix == ".txt" else _json_lines
    problems = list(parse(text, path))
    if not problems:
        raise CurateError(f"{path} holds no benchmark problem; check --benchmark")
    return problems


def _read_text(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data.decode("utf-8")


def _paragraphs(text: str, path: Path) -> Iterator[Problem]:
    paragraphs = [part.strip() for part in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n"))]
    for number, paragraph in enumerate(filter(None, paragraphs), start=1):
        yield Problem(task_id=f"{path.name}/{number}", statement=paragraph)


def _json_lines(text: str, path: Path) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            problem = _problem(record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CurateError(
                f"{path}, line {number}: no benchmark problem ({error}); a line has task_id and "
                "prompt with canonical_solution, or text with code"
            ) from error
        yield problem


def _problem(record: dict[str, Any]) -> Problem:
    task_id = str(record["task_id"])
    solution = record.get("canonical_solution", record.get("code", ""))
    words = record.get("text", record.get("prompt"))
    if not isinstance(solution, str) or not isinstance(words, str):
        raise TypeError("the text or the solution of the problem is no string")
    prompt = record.get("prompt", "")
    if "canonical_solution" in record and isinstance(prompt, str):
        return _split_function(task_id, prompt, prompt + solution) or Problem(
            task_id=task_id, statement=prompt, body=solution
        )
    function = _split_function(task_id, solution, solution)
    return Problem(
        task_id=task_id,
        statement=words,
        signature=function.signature if function else "",
        body=function.body if function else solution,
    )


def _split_function(task_id: str, prompt: str, source: str) -> Problem | None:
    """The last function that the prompt opens, in its parts; None for what is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    n_lines = prompt.count("\n") + 1
    functions = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.lineno <= n_lines
    ]
    if not functions:
        return None
    function = functions[-1]
    lines = source.splitlines()
    documentation = ast.get_docstring(function)
    first = function.body[1 if documentation is not None else 0 :]
    heads = function.body[0].lineno - 1
    body = lines[first[0].lineno - 1 :] if first else []
    return Problem(
        task_id=task_id,
        statement=documentation or "",
        signature="\n".join(lines[function.lineno - 1 : max(heads, function.lineno)]),
        body="\n".join(body),
    )
