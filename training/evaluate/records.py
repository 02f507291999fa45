"""The raw results: one JSON object a line, kept, and from which an interrupted run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from training.evaluate.errors import EvaluateError

SETTINGS, RECORDS = "settings.json", "records.jsonl"
IDENTITY = "identity"  # the task of records that only say what a row stands for
Record = dict[str, Any]  # task, row, item, values


class Records:
    """What has been measured in one folder; safe to share between threads.

    Raises:
        EvaluateError: the folder holds results of other settings, or cannot be written.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._path = folder / RECORDS
        self._lock = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _check_settings(folder / SETTINGS, dict(settings))
            self._records = list(read_records(folder))
            text = "".join(json.dumps(record) + "\n" for record in self._records)
            self._path.write_text(text, encoding="utf-8")  # less a line that was cut off
        except OSError as error:
            raise EvaluateError(
                f"cannot write {folder}: {error.strerror}; choose another --out"
            ) from error
        self._known = {_key(record) for record in self._records}

    def identify(self, row: str, identity: str) -> None:
        """Say what a row stands for.

        Raises:
            EvaluateError: it stood for something else before.
        """
        known = [
            record["values"].get("identity")
            for record in self._records
            if record["task"] == IDENTITY and record["row"] == row
        ]
        if known and known[-1] != identity:
            raise EvaluateError(
                f"{self._path.parent} holds results of another {row!r}; choose another --out"
            )
        if not known:
            self.add(IDENTITY, row, row, {"identity": identity})

    def has(self, task: str, row: str, item: str) -> bool:
        """Whether an item has been measured."""
        return (task, row, item) in self._known

    def add(self, task: str, row: str, item: str, values: Mapping[str, Any]) -> None:
        """Keep what was measured, on disk before the next item begins."""
        record = {"task": task, "row": row, "item": item, "values": dict(values)}
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            self._records.append(record)
            self._known.add(_key(record))

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)


def read_records(folder: Path) -> Iterator[Record]:
    """The records of a folder, in order; lines that are damaged are left out."""
    with suppress(FileNotFoundError):
        for line in (folder / RECORDS).read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, RecursionError):
                record = json.loads(line)
                if _is_record(record):
                    yield record


def _is_record(record: object) -> bool:
    return (
        isinstance(record, dict)
        and all(isinstance(record.get(name), str) for name in ("task", "row", "item"))
        and isinstance(record.get("values"), dict)
    )


def _key(record: Record) -> tuple[str, str, str]:
    return record["task"], record["row"], record["item"]


def _check_settings(path: Path, settings: dict[str, Any]) -> None:
    wanted = json.loads(json.dumps(settings))
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        path.write_text(json.dumps(wanted, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return
    except (ValueError, RecursionError) as error:
        raise EvaluateError(f"{path} is damaged: {error}; choose another --out") from error
    if found != wanted:
        raise EvaluateError(f"{path.parent} holds results of other settings; choose another --out")
