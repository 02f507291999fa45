"""Parquet files of The Stack v1 and v2, StarCoderData and their like, one row group at a time."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.corpus.commits import COMMIT_COLUMNS
from indexer.corpus.errors import CorpusError, ExtraMissingError
from indexer.corpus.filters import SkipReason
from indexer.corpus.issues import ISSUE_COLUMNS
from indexer.corpus.jsonl import record_of, stem_of
from indexer.corpus.rows import COLUMNS, Left, Row
from indexer.corpus.skips import OnSkip, Skip, ignore
from indexer.source_file import SourceFile

SUFFIXES = (".parquet",)
_BATCH_ROWS = 64  # rows turned into Python values together: 64 MB at the readers' largest file
_WANTED = frozenset(
    {*(name for names in COLUMNS.values() for name in names), *COMMIT_COLUMNS, *ISSUE_COLUMNS}
    | {"blob_id", "hexsha"}
)
Errors = tuple[type[Exception], ...]
_IDS_ONLY = frozenset({"blob_id", "content_id"})


def read_parquet(path: Path, *, on_skip: OnSkip = ignore) -> Iterator[SourceFile]:
    """Every row of a Parquet file as a record; only known columns are read.

    A damaged row group is told to `on_skip`, and reading goes on with the next.

    Raises:
        ExtraMissingError: pyarrow is not installed.
        CorpusError: the file holds ids of texts, but no texts.
    """
    pq, errors = _import_pyarrow()
    try:
        # Not mapped: a truncated file would end in a signal instead of an error.
        file = pq.ParquetFile(path, memory_map=False, pre_buffer=False, buffer_size=1 << 20)
    except errors as error:
        on_skip(Skip(SkipReason.DAMAGED, None, path.name, _first_line(error)))
        return
    with file:
        names = list(file.schema_arrow.names)
        _require_text(path, names)
        columns = [name for name in names if name in _WANTED]
        number = 0
        for group in range(file.num_row_groups):
            for row in _rows(file, group, columns, errors):
                number += 1
                found = row if isinstance(row, Left) else record_of(row, stem=stem_of(path))
                if isinstance(found, SourceFile):
                    yield found
                else:
                    on_skip(Skip(found.reason, None, f"{path.name}:{number}", found.detail))


def _rows(file: Any, group: int, columns: list[str], errors: Errors) -> Iterator[Row | Left]:
    """The rows of a group; of a damaged one those before the damage and one `Left`."""
    batches = file.iter_batches(
        batch_size=_BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False
    )
    while True:
        try:
            batch = next(batches, None)
        except errors as error:
            yield Left(SkipReason.DAMAGED, f"row group {group}: {_first_line(error)}")
            return
        if batch is None:
            return
        try:
            rows = batch.to_pylist()
        except errors:  # one row's value spoils the batch; UnicodeDecodeError is a ValueError
            rows = [_row(batch, i, errors) for i in range(batch.num_rows)]
        yield from rows


def _row(batch: Any, i: int, errors: Errors) -> Row | Left:
    try:
        row: Row = batch.slice(i, 1).to_pylist()[0]
    except UnicodeDecodeError:
        return Left(SkipReason.UNDECODABLE)
    except errors as error:
        return Left(SkipReason.DAMAGED, _first_line(error))
    return row


def _require_text(path: Path, names: list[str]) -> None:
    has_text = {*COLUMNS["text"], *COMMIT_COLUMNS, *ISSUE_COLUMNS} & set(names)
    if has_text:
        return
    if _IDS_ONLY & set(names):
        raise CorpusError(
            f"{path} holds ids of texts only, as The Stack v2 is published; "
            "fetch the texts into a column named content first"
        )
    shown = ", ".join(names[:8]) or "none"
    raise CorpusError(
        f"{path} has no column of text (its columns: {shown}); "
        f"name one of {', '.join(COLUMNS['text'])}"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def _import_pyarrow() -> tuple[Any, Errors]:
    try:
        pyarrow = importlib.import_module("pyarrow")
        pq = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise ExtraMissingError("pyarrow") from error
    # ArrowInvalid is a ValueError, ArrowKeyError a KeyError, a failed read an OSError.
    return pq, (pyarrow.ArrowException, OSError, ValueError, OverflowError)
