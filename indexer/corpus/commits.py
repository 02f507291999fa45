"""Commits as one file before, the subject and the file after, around the lines that changed.

Rules and rates follow StarCoder's (bigcode-dataset, filtering_git_commits). What is left to chance
there is decided here by a hash of the commit, so that the same input gives the same records.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from indexer.corpus.filters import SkipReason, is_vendored
from indexer.corpus.parts import Part, join_parts
from indexer.corpus.rows import (
    Left,
    Row,
    WrongTypeError,
    judge_value,
    language_for,
    origin_of,
    text_of,
)
from indexer.source_file import SourceFile

COMMIT_COLUMNS = frozenset(
    ["old_contents", "new_contents", "subject", "message", "old_file", "new_file", "repos"]
)
MAX_COMMIT_BYTES = 100_000  # of the file before, and of the file after
SMALL_LINES, LARGE_LINES = 2, 200  # ranges of so many lines and less, or more, are sampled
SAMPLED_RATE = 0.1
SHORT_WORDS, SHORT_RATE = 5, 0.5  # subjects of fewer words are sampled
MAX_MEAN_WORD_CHARS = 20
WHOLE_FILE_RATE = 0.2
CONTEXT_LINES = 32  # a window has 0 to 31 lines on each side

_EMPTY_WORDS = re.compile(r"auto[- ]?commit|update contributing|<\?xml", re.IGNORECASE)
_VERSION = re.compile(r"v?\d+\.\d+(?:\.\d+)*\W*")
_STOP_MESSAGES = frozenset(
    {
        "add files via upload",
        "commit",
        "first commit",
        "initial commit",
        "no message",
        "test",
        "update",
        "update readme.md",
        "updated readme.md",
        "wip",
    }
)


@dataclass(frozen=True, slots=True)
class LineRange:
    """The lines between the first and the last change; half-open, 0-based."""

    start: int  # equal before and after
    end_before: int
    end_after: int

    @property
    def n_lines(self) -> int:
        """The lines of the longer side."""
        return max(self.end_before, self.end_after) - self.start


def is_commit(row: Row) -> bool:
    """Whether a row has the columns of a commit."""
    return "old_contents" in row and "new_contents" in row


def commit_of(row: Row, *, stem: str) -> SourceFile | Left:
    """The record of a commit that changed one file, or why there is none."""
    try:
        return _commit(row, stem)
    except WrongTypeError as error:
        return Left(SkipReason.WRONG_TYPE, str(error))


def changed_range(before: list[str], after: list[str]) -> LineRange:
    """The lines that differ, from the first to the last."""
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    n_same = 0
    while n_same < shorter - start and before[-1 - n_same] == after[-1 - n_same]:
        n_same += 1
    return LineRange(start, len(before) - n_same, len(after) - n_same)


def window(
    before: list[str], after: list[str], changed: LineRange, *, above: int, below: int
) -> tuple[list[str], list[str]]:
    """Both files from `above` lines over the change to `below` lines under it."""
    start = max(changed.start - above, 0)
    return before[start : changed.end_before + below], after[start : changed.end_after + below]


def chance(key: str, purpose: str) -> float:
    """A number in [0, 1) that depends on nothing but the key and what it is for."""
    digest = hashlib.blake2b(f"{purpose}\0{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def _commit(row: Row, stem: str) -> SourceFile | Left:
    before, after = _string(row, "old_contents"), _string(row, "new_contents")
    path = _string(row, "new_file") or _string(row, "old_file") or text_of(row, "path")
    subject = (_string(row, "subject") or _string(row, "message")).strip().partition("\n")[0]
    origin = origin_of(_with_repository(row), source="commit", path=path or "unnamed", stem=stem)
    language = language_for(text_of(row, "language"), path)
    key = f"{origin.repository}\0{origin.revision}\0{path}\0{subject}"
    left = _judge(before, after, path, subject, key)
    if left or language is None:
        return left or Left(SkipReason.NOT_SOURCE, path.rsplit("/", 1)[-1][-40:])
    lines_before, lines_after = before.splitlines(keepends=True), after.splitlines(keepends=True)
    changed = changed_range(lines_before, lines_after)
    is_extreme = not SMALL_LINES < changed.n_lines < LARGE_LINES
    if is_extreme and chance(key, "range") >= SAMPLED_RATE:
        return Left(SkipReason.SAMPLED, f"{changed.n_lines} lines")
    if chance(key, "whole") >= WHOLE_FILE_RATE:
        above = int(chance(key, "above") * CONTEXT_LINES)
        below = int(chance(key, "below") * CONTEXT_LINES)
        lines_before, lines_after = window(
            lines_before, lines_after, changed, above=above, below=below
        )
    parts = [
        Part("before", "".join(lines_before)),
        Part("message", subject),
        Part("after", "".join(lines_after)),
    ]
    return SourceFile(text=join_parts(parts), language=language, origin=origin, kind="commit")


def _judge(before: str, after: str, path: str, subject: str, key: str) -> Left | None:
    if before == after:
        return Left(SkipReason.UNCHANGED)
    if not path.isprintable():
        return Left(SkipReason.NOT_SOURCE, "its path has control characters")
    if is_vendored(path):
        return Left(SkipReason.VENDORED)
    for text in (before, after, subject):
        reason = judge_value(text) if text else None
        if reason not in (None, SkipReason.EMPTY):
            return Left(reason)
    if max(len(before.encode()), len(after.encode())) >= MAX_COMMIT_BYTES:
        return Left(SkipReason.TOO_LARGE, "100 kB for a commit")
    return _judge_subject(subject, key)


def _judge_subject(subject: str, key: str) -> Left | None:
    words = subject.split()
    if not words or subject.lower().rstrip(".! ") in _STOP_MESSAGES:
        return Left(SkipReason.MESSAGE)
    if _EMPTY_WORDS.search(subject) or _VERSION.fullmatch(subject):
        return Left(SkipReason.MESSAGE)
    if sum(map(len, words)) / len(words) > MAX_MEAN_WORD_CHARS:
        return Left(SkipReason.MESSAGE, "long words")
    if len(words) < SHORT_WORDS and chance(key, "subject") >= SHORT_RATE:
        return Left(SkipReason.SAMPLED, "short subject")
    return None


def _string(row: Row, name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongTypeError(f"{name}: {type(value).__name__}")
    return value


def _with_repository(row: Row) -> Row:
    """With the first of the repositories that hold the commit, where only `repos` names them."""
    repos = row.get("repos")
    if isinstance(repos, str) and repos and not row.get("repo"):
        return {**row, "repo": repos.split(",", 1)[0]}
    return row
