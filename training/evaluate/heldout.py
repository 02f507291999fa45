"""Files that no model here has been trained on, and the places in them where one is asked."""

from __future__ import annotations

import io
import random
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from indexer.corpus import read_corpus
from indexer.curate.shards import is_shards, read_shards
from indexer.errors import IndexerError
from indexer.source_file import SourceFile
from training.evaluate.errors import EvaluateError

MIN_FILE_CHARS, MAX_FILE_CHARS = 500, 200_000
_N_TRIES = 20  # of a line in a file


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldoutFile:
    """One file; `package` is what figures are grouped by."""

    package: str
    path: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A place in a file, and what stood there."""

    key: str
    prefix: str
    suffix: str  # begins with what follows the expected text
    expected: str
    is_code: bool  # in no comment and in no string of several lines


def read_source(folder: Path) -> Iterator[SourceFile]:
    """The files of a set of curated shards, or of a fetched corpus.

    Raises:
        EvaluateError: the folder is neither.
    """
    try:
        yield from read_shards(folder) if is_shards(folder) else read_corpus(folder)
    except (IndexerError, OSError) as error:
        raise EvaluateError(
            f"cannot read {folder}: {error}; run: starcite corpus fetch --lock heldout.lock "
            f"--to {folder}"
        ) from error


def heldout_files(folder: Path, *, n_files: int, seed: int) -> list[HeldoutFile]:
    """Python files of a folder, drawn without bias; all of them if there are fewer.

    Raises:
        EvaluateError: it holds none.
    """
    files = [
        HeldoutFile(
            package=file.origin.name, path=file.origin.path, text=file.text.replace("\r\n", "\n")
        )
        for file in read_source(folder)
        if file.language == "python" and MIN_FILE_CHARS < len(file.text) < MAX_FILE_CHARS
    ]
    if not files:
        raise EvaluateError(f"{folder} holds no Python file of {MIN_FILE_CHARS} characters or more")
    random.Random(seed).shuffle(files)  # noqa: S311 - draws files, keeps no secret
    return files[:n_files]


def line_ends(files: list[HeldoutFile], *, n: int, seed: int) -> list[Cursor]:
    """A random place in a random line of each file: what is expected is the rest of the line."""
    return list(islice(_cursors(files, seed, whole_lines=False), n))


def whole_lines(files: list[HeldoutFile], *, n: int, seed: int) -> list[Cursor]:
    """A random line of each file, taken out: what is expected is the line."""
    return list(islice(_cursors(files, seed, whole_lines=True), n))


def _cursors(files: list[HeldoutFile], seed: int, *, whole_lines: bool) -> Iterator[Cursor]:
    dice = random.Random(seed)  # noqa: S311
    for file in files:
        lines = file.text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        for _ in range(_N_TRIES):
            number = dice.randrange(len(lines))
            line = lines[number].rstrip()
            if len(line.strip()) < 4:
                continue
            indent = len(line) - len(line.lstrip())
            column = indent if whole_lines else dice.randrange(indent, len(line))
            start, end = starts[number] + column, starts[number] + len(lines[number])
            yield Cursor(
                key=f"{file.package}/{file.path}:{number + 1}:{column + 1}",
                prefix=file.text[:start],
                suffix=file.text[end:],
                expected=line[column:],
                is_code=_is_code(file.text, number, column),
            )
            break


def _is_code(text: str, number: int, column: int) -> bool:
    at = (number + 1, column)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.start <= at < token.end:
                is_long = token.type == tokenize.STRING and token.start[0] != token.end[0]
                return token.type != tokenize.COMMENT and not is_long
    except (tokenize.TokenError, SyntaxError):
        return False
    return not text.split("\n")[number].lstrip().startswith("#")
