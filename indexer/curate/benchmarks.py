"""Benchmark problems from the files that the user has: nothing of any benchmark is shipped.

Read are JSON lines (also `.gz` and `.zst`, and all such files in a wheel) with `task_id` and a
problem in HumanEval's fields (`prompt`, `canonical_solution`) or MBPP's (`text` or `prompt`,
`code`), and plain text (`.txt`), where each paragraph is a problem.
"""

from __future__ import annotations

import ast
import gzip
import inspect
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from indexer.curate.errors import CurateError

_DATA_FILE = re.compile(r"\.jsonl(\.gz|\.zst)?$")
_UNREADABLE = (
    OSError,
    UnicodeDecodeError,
    EOFError,
    zlib.error,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    RuntimeError,  # an encrypted or exotic zip
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What of a problem can be recognised in a file; a part that it does not have is empty."""

    task_id: str
    statement: str = ""  # the task in words: a docstring, a question
    signature: str = ""  # `def name(...) -> type:`
    body: str = ""  # the solution without its signature and docstring
    helpers: str = ""  # the other functions that the prompt gives, without their docstrings


def read_benchmark(path: Path) -> list[Problem]:
    """The problems of a file.

    Raises:
        CurateError: it cannot be read, holds no problem, or a line is none.
    """
    try:
        texts = (
            _read_wheel(path) if path.suffix == ".whl" else [_unpack(path.name, path.read_bytes())]
        )
    except _UNREADABLE as error:
        raise CurateError(
            f"cannot read the benchmark {path}: {error}; check --benchmark"
        ) from error
    parse = _paragraphs if path.suffix == ".txt" else _json_lines
    problems = [problem for text in texts for problem in parse(text, path)]
    if not problems:
        raise CurateError(f"{path} holds no benchmark problem; check --benchmark")
    return problems


def _read_wheel(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        names = sorted(name for name in wheel.namelist() if _DATA_FILE.search(name))
        return [_unpack(name, wheel.read(name)) for name in names]


def _unpack(name: str, data: bytes) -> str:
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    elif name.endswith(".zst"):
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
    documentation = _docstring(function)
    rest = [node for node in function.body if node is not documentation]
    heads = function.body[0].lineno - 1
    lines = source.splitlines()
    return Problem(
        task_id=task_id,
        statement=inspect.cleandoc(_string(documentation)) if documentation else "",
        signature="\n".join(lines[function.lineno - 1 : max(heads, function.lineno)]),
        body="\n".join("\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in rest),
        helpers="\n".join(ast.unparse(_undocumented(helper)) for helper in functions[:-1]),
    )


def _docstring(function: ast.FunctionDef) -> ast.Expr | None:
    """The first string that stands alone; in some problems an import stands before it."""
    return next((node for node in function.body if _string(node)), None)  # type: ignore[return-value]


def _string(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return node.value.value if isinstance(node.value.value, str) else ""
    return ""


def _undocumented(function: ast.FunctionDef) -> ast.FunctionDef:
    documentation = _docstring(function)
    body = [node for node in function.body if node is not documentation]
    function.body = body or [ast.Pass()]
    return function
