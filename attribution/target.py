"""What the command line was asked to trace: a file, some of its lines, or standard input."""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from attribution.errors import TargetError
from indexer.text.languages import language_of

STDIN = "-"
_MARK = b"\xef\xbb\xbf"  # a byte order mark
_RANGE = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)
_LINE_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A text to trace and its place in the file that it was cut from."""

    name: str  # as given, without the range
    text: str
    language: str
    start: int  # code points before the text in the file
    start_line: int  # lines before it
    end_line: int
    start_byte: int  # bytes before it, a byte order mark included
    file_sha1: str  # of the whole file as it stands on disk
    file_sha256: str


def read_target(
    argument: str, *, language: str | None = None, is_path: bool = False, max_bytes: int = 0
) -> Target:
    """Read `FILE`, `FILE:A-B` (1-based, inclusive lines) or `-`; only a path, if it is said so.

    A file whose name itself ends like a range is meant as it stands. A byte order mark is dropped,
    as editors do.

    Raises:
        TargetError: no such file, a directory, not text, empty, longer than `max_bytes` (unless
            that is 0), or lines that it does not have.
    """
    path, lines = (argument, None) if is_path else _split(argument)
    is_stdin = path == STDIN and not is_path
    name = "<stdin>" if is_stdin else path
    data = sys.stdin.buffer.read() if is_stdin else _read_bytes(path, max_bytes)
    text = _decoded(name, data)
    if not text:
        raise TargetError(f"{name} is empty: there is nothing to trace", is_nothing_to_trace=True)
    starts = _line_starts(text)
    first, last = lines or (1, len(starts) - 1)
    if last >= len(starts):
        raise TargetError(
            f"{name} has {len(starts) - 1:,} lines, but lines {first}-{last} were asked for"
        )
    start, end = starts[first - 1], starts[last]
    n_mark = len(_MARK) if data.startswith(_MARK) else 0
    return Target(
        name=name,
        text=text[start:end],
        language=language or ("python" if is_stdin else language_of(path) or "plaintext"),
        start=start,
        start_line=first - 1,
        end_line=last,
        start_byte=n_mark + len(text[:start].encode()),
        file_sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        file_sha256=hashlib.sha256(data).hexdigest(),
    )


def _split(argument: str) -> tuple[str, tuple[int, int] | None]:
    head, colon, tail = argument.rpartition(":")
    if not colon or not head or Path(argument).exists():
        return argument, None
    found = _RANGE.fullmatch(tail)
    if not found:
        if not Path(head).is_file():
            return argument, None
        raise TargetError(f"{tail!r} is no range of lines: write {head}:10-20, counting from 1")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last:
        raise TargetError(f"{tail!r} is no range of lines: count from 1, the first line first")
    return head, (first, last)


def _read_bytes(path: str, max_bytes: int) -> bytes:
    try:
        n_bytes = Path(path).stat().st_size if max_bytes else 0
        if n_bytes > max_bytes:
            raise TargetError(
                f"{path} has {n_bytes:,} bytes, more than {max_bytes:,}: name it to trace a part"
            )
        return Path(path).read_bytes()
    except IsADirectoryError:
        raise TargetError(f"{path} is a directory: here only a file can be read") from None
    except FileNotFoundError:
        raise TargetError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        detail = getattr(error, "strerror", None) or error
        raise TargetError(f"{path} cannot be read: {detail}") from None


def _decoded(name: str, data: bytes) -> str:
    if b"\0" in data:
        raise TargetError(
            f"{name} is a binary file: only text can be traced", is_nothing_to_trace=True
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TargetError(
            f"{name} is not UTF-8 (byte {error.start:,}): convert it, for instance with iconv"
        ) from None


def _line_starts(text: str) -> list[int]:
    """Where each line starts, and the end of the text; a final break starts no further line."""
    ends = [found.end() for found in _LINE_BREAK.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    return [0, *ends]
