"""Where words about code stand in a stream of packed tokens: docstrings, and comments on own lines.

    docstrings.npy    (N, 4) int64: first token of the function, of its docstring, the token after
                      the docstring and the one after the function; for a comment, its first token
                      twice, the token after it and the one after the lines that it is about

Written once for a packed folder; the training of an encoder reads it. Only documents that Python
can parse have docstrings; a comment counts where it stands first.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from training.documents import Documents
from training.errors import PackedError
from training.metrics import token_bytes
from training.pack import open_tokens

FILE_NAME = "docstrings.npy"
_MIN_WORDS, _MIN_BODY_TOKENS = 4, 12  # of what can be looked for, and found
_N_SENTINELS = 19
_COMMENT = re.compile(rb"[ \t]*#+:?[ \t]*(.*)")
_MAX_CODE_LINES, _MAX_CODE_BYTES, _MIN_CODE_BYTES = 14, 450, 60  # that a comment is about
_MIN_SPOKEN = 0.8  # share of letters and blanks, which commented code has less of

Function = tuple[int, int, int, int]


def write_docstrings(
    folder: Path, tokenizer: Tokenizer, *, on_progress: Callable[[int, int], None] | None = None
) -> int:
    """Find the docstrings and comments of a packed folder; how many there are.

    Args:
        folder: of packed tokens.
        tokenizer: that they were packed with.
        on_progress: told the documents that are done, and how many there are.

    Raises:
        PackedError: the folder is no packed one, or the file cannot be written.
    """
    documents, lengths = Documents(open_tokens(folder)), token_bytes(tokenizer)
    rows: list[Function] = []
    said: set[bytes] = set()
    for number, (start, end) in enumerate(zip(documents.starts, documents.ends, strict=True), 1):
        ids = documents.tokens(int(start), int(end))
        for function in _functions(ids, tokenizer, lengths, said):
            rows.append(tuple(int(start) + place for place in function))  # type: ignore[arg-type]  # noqa: PERF401
        if on_progress:
            on_progress(number, len(documents))
    try:
        np.save(folder / FILE_NAME, np.asarray(rows, dtype=np.int64).reshape(-1, 4))
    except OSError as error:
        raise PackedError(f"cannot write into {folder}: {error.strerror}; make room") from error
    return len(rows)


def open_docstrings(folder: Path) -> NDArray[np.int64]:
    """The table (N, 4) of a packed folder.

    Raises:
        PackedError: there is none, or it is damaged.
    """
    path = folder / FILE_NAME
    try:
        table: NDArray[np.int64] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise PackedError(
            f"no {FILE_NAME} in {folder}: {error.strerror}; run: starcite train docstrings "
            f"{folder} --tokenizer TOKENIZER"
        ) from error
    except (ValueError, EOFError) as error:
        raise PackedError(f"{path} is damaged: {error}; write it again") from error
    if table.ndim != 2 or table.shape[1] != 4 or table.dtype != np.int64:
        raise PackedError(f"{path} is damaged: it is no table of four columns; write it again")
    return table


def _functions(
    ids: NDArray[np.int64], tokenizer: Tokenizer, lengths: NDArray[np.int64], said: set[bytes]
) -> Iterator[Function]:
    """The functions and comments of one document, in tokens from its start."""
    data = tokenizer.decode(ids.tolist()).encode(errors="surrogatepass")
    ends = np.cumsum(lengths[ids])
    skipped = data.find(b"\n") + 1 if len(ids) and ids[0] < _N_SENTINELS else 0  # its tags
    if not len(ids) or ends[-1] != len(data):  # bytes that are no UTF-8 decode to something else
        return
    for places in (*_spans(data[skipped:]), *_comments(data[skipped:], said)):
        start, doc_start, doc_end, end = np.searchsorted(
            ends, [place + skipped for place in places], side="right"
        )
        if end - doc_end >= _MIN_BODY_TOKENS:
            yield int(start), int(doc_start), int(doc_end) + 1, int(end) + 1


def _spans(data: bytes) -> Iterator[Function]:
    """Functions in bytes: start, the docstring's start and last byte, their own last byte."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in other people's strings
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    starts = [0, *accumulate(len(line) + 1 for line in data.split(b"\n"))]
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        said = ast.get_docstring(node, clean=False)
        if said is None or len(said.split()) < _MIN_WORDS or len(node.body) < 2:
            continue
        doc = node.body[0]
        start = starts[node.lineno - 1] + node.col_offset
        doc_start = starts[doc.lineno - 1] + doc.col_offset
        doc_end = starts[(doc.end_lineno or 1) - 1] + (doc.end_col_offset or 0) - 1
        end = starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0) - 1
        yield start, doc_start, doc_end, end


def _comments(data: bytes, said: set[bytes]) -> Iterator[Function]:
    """Comments in bytes, as `_spans` has functions; those that others have said are left out."""
    lines = data.split(b"\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    found = [_COMMENT.match(line) for line in lines]
    first = 0
    while first < len(lines):
        after = first
        while after < len(lines) and found[after]:
            after += 1
        words = b" ".join(match[1] for match in found[first:after] if match)
        end = _code_end(lines, after)
        n_bytes = starts[end] - starts[after]
        if _is_spoken(words) and n_bytes >= _MIN_CODE_BYTES and words not in said:
            said.add(words)
            yield starts[first], starts[first], starts[after] - 2, starts[end] - 2
        first = max(after, first + 1)


def _code_end(lines: list[bytes], first: int) -> int:
    """The line behind those that a comment above line `first` is about."""
    n_bytes = 0
    for number in range(first, min(len(lines), first + _MAX_CODE_LINES)):
        n_bytes += len(lines[number]) + 1
        if n_bytes > _MAX_CODE_BYTES or not lines[number].strip():
            return number
    return min(len(lines), first + _MAX_CODE_LINES)


def _is_spoken(words: bytes) -> bool:
    letters = sum(chr(byte).isalpha() or byte == ord(" ") for byte in words)
    return len(words.split()) >= _MIN_WORDS and letters >= _MIN_SPOKEN * len(words)
