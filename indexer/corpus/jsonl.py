"""JSON lines, plain or compressed: files, issues and commits, told apart by their fields."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.corpus.commits import commit_of, is_commit
from indexer.corpus.filters import SkipReason
from indexer.corpus.issues import is_issue, issue_of
from indexer.corpus.rows import Left, Row, parse_json, source_file_of
from indexer.corpus.skips import OnSkip, Skip, ignore
from indexer.corpus.streams import STREAM_ERRORS, LineTooLong, read_lines
from indexer.source_file import SourceFile

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".json.gz", ".json.zst")


def read_jsonl(path: Path, *, on_skip: OnSkip = ignore) -> Iterator[SourceFile]:
    """Every record of a `.jsonl`, `.jsonl.gz` or `.jsonl.zst` file, in order.

    A damaged record is told to `on_skip`; of a truncated file, all that came before is given.
    """
    number = 0
    try:
        for number, line in enumerate(read_lines(path), start=1):
            if isinstance(line, bytes) and not line.strip():
                continue
            found = _parse(line, path)
            if isinstance(found, SourceFile):
                yield found
            else:
                on_skip(Skip(found.reason, None, f"{path.name}:{number}", found.detail))
    except STREAM_ERRORS as error:
        detail = str(error) or type(error).__name__
        on_skip(Skip(SkipReason.DAMAGED, None, f"{path.name}:{number + 1}", detail))


def record_of(row: Row, *, stem: str) -> SourceFile | Left:
    """What a row of a data set is: a commit, an issue or a file, by its columns."""
    if is_commit(row):
        return commit_of(row, stem=stem)
    if is_issue(row):
        return issue_of(row, stem=stem)
    return source_file_of(row, stem=stem)


def stem_of(path: Path) -> str:
    """A file's name without its suffixes."""
    return path.name.split(".", 1)[0] or path.name


def _parse(line: bytes | LineTooLong, path: Path) -> SourceFile | Left:
    if isinstance(line, LineTooLong):
        return Left(SkipReason.LONG_RECORD)
    row = parse_json(line)
    if isinstance(row, Left):
        return row
    if not isinstance(row, dict):
        return Left(SkipReason.WRONG_TYPE, type(row).__name__)
    return record_of(row, stem=stem_of(path))
