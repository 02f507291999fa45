"""What was asked to be left out: an append-only file in which each line seals the one before.

A line is canonical JSON with the hash of the line before and its own. A small file beside it keeps
how long the ledger was, so that cutting off its end is seen as well. A line without its end was
never acknowledged: a process died while it wrote it, and the next one takes its place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indexer.config import data_home
from indexer.manifest import sync_folder
from indexer.optout.errors import LedgerBrokenError, OptoutError
from indexer.optout.selector import Selector, selector_of

LEDGER_NAME, HEAD_NAME = "ledger.jsonl", "ledger.head"
FORGET, DONE = "forget", "done"
GENESIS = "0" * 64  # before the first line
_DOMAIN = b"starcite opt-out ledger 1\n"
_LOCK_TIMEOUT_S = 10.0  # an append takes milliseconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What was asked for, and what it came to in one index."""

    selector: Selector
    index: str  # the index's folder
    corpus_digest: str  # of the index before
    root: str  # the Merkle root over its live documents before, hexadecimal
    n_documents: int  # live before
    removed: tuple[str, ...]  # sha256 of each document that goes, sorted


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A line of the ledger."""

    number: int  # from 1
    time: str  # ISO 8601, UTC
    kind: str  # FORGET: it must be done; DONE: its receipt is written
    previous: str  # the hash of the line before
    hash: str
    body: Mapping[str, Any]

    @property
    def request(self) -> Request:
        """The request of a line of kind FORGET.

        Raises:
            ValueError: the line holds none.
        """
        try:
            record = dict(self.body)
            selector = selector_of(record.pop("selector"))
            return Request(selector=selector, removed=tuple(record.pop("removed")), **record)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no request: {error}") from error


def optout_path() -> Path:
    """The folder of the ledger and the receipts."""
    return data_home() / "optout"


def ledger_path() -> Path:
    """The ledger that every ingest consults."""
    return optout_path() / LEDGER_NAME


def read_ledger(path: Path) -> list[Entry]:
    """Every acknowledged line, in order; nothing, if nobody ever asked.

    Raises:
        LedgerBrokenError: a line was changed, removed, put in, or cut off.
        OptoutError: it cannot be read.
    """
    entries: list[Entry] = []
    for number, line in enumerate(_whole_lines(path), start=1):
        entries.append(_parse(line, number, entries[-1].hash if entries else GENESIS, path))
    _check_head(path, entries)
    return entries


def append_request(path: Path, request: Request) -> Entry:
    """Write down, durably, that something must go; only then may it be taken out.

    Raises:
        LedgerBrokenError: the ledger is not what was written.
        OptoutError: it cannot be written.
    """
    body = {**asdict(request), "selector": request.selector.as_record()}
    return _append(path, FORGET, {**body, "removed": list(request.removed)})


def append_done(path: Path, entry: Entry, *, receipt_sha256: str) -> Entry:
    """Write down that a request is carried out and its receipt written.

    Raises:
        LedgerBrokenError: the ledger is not what was written.
        OptoutError: it cannot be written.
    """
    return _append(path, DONE, {"request": entry.number, "receipt_sha256": receipt_sha256})


def pending(entries: list[Entry], index: Path) -> list[Entry]:
    """The requests of an index that were begun, and not carried through to a receipt.

    One of which the index held nothing has no receipt.
    """
    done = {entry.body.get("request") for entry in entries if entry.kind == DONE}
    begun = [entry for entry in entries if entry.kind == FORGET and entry.number not in done]
    asked = ((entry, entry.request) for entry in begun)
    return [entry for entry, what in asked if what.removed and what.index == str(index)]


def _append(path: Path, kind: str, body: Mapping[str, Any]) -> Entry:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_TIMEOUT_S):
            entries = read_ledger(path)
            previous = entries[-1].hash if entries else GENESIS
            number, time = len(entries) + 1, datetime.now(UTC).isoformat(timespec="milliseconds")
            unsealed = _unsealed(number, time, kind, previous, body)
            line = _serialise({**unsealed, "hash": _seal(unsealed)})
            _write_line(path, line)
            _write_head(path, number, _seal(unsealed))
    except Timeout as error:
        raise OptoutError(f"another process keeps {path} locked; try again") from error
    except OSError as error:
        raise OptoutError(f"cannot write {path}: {error.strerror or error}") from error
    return _parse(line, number, previous, path)


def _write_line(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.seek(sum(len(whole) for whole in _whole_lines(path)))
        file.truncate()  # the torn line of a process that died, if there is one
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _write_head(path: Path, number: int, sealed: str) -> None:
    head = path.with_name(HEAD_NAME)
    temporary = head.with_name(f"{head.name}.partial")
    with temporary.open("wb") as file:
        file.write(_serialise({"number": number, "hash": sealed}))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(head)
    sync_folder(head.parent)


def _check_head(path: Path, entries: list[Entry]) -> None:
    """The ledger may be longer than the head says, if a process died between the two; not less."""
    try:
        head = json.loads(path.with_name(HEAD_NAME).read_bytes())
        number, sealed = int(head["number"]), head["hash"]
    except FileNotFoundError:
        if len(entries) > 1:
            raise LedgerBrokenError(path, f"{HEAD_NAME} beside it is missing") from None
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LedgerBrokenError(path, f"{HEAD_NAME} beside it cannot be read: {error}") from error
    if number > len(entries):
        raise LedgerBrokenError(path, f"it ends after {len(entries)} of {number} entries")
    if number < 1 or entries[number - 1].hash != sealed:
        raise LedgerBrokenError(path, f"{HEAD_NAME} beside it names another entry {number}")


def _whole_lines(path: Path) -> list[bytes]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OptoutError(f"cannot read {path}: {error.strerror or error}") from error
    return [line for line in data.splitlines(keepends=True) if line.endswith(b"\n")]


def _parse(line: bytes, number: int, previous: str, path: Path) -> Entry:
    try:
        record = json.loads(line)
        entry = Entry(**record)
        unsealed = {key: value for key, value in record.items() if key != "hash"}
        if entry.kind == FORGET:
            _ = entry.request
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise LedgerBrokenError(path, f"line {number} is no entry ({error})") from error
    if _serialise(record) != line or _seal(unsealed) != entry.hash:
        raise LedgerBrokenError(path, f"line {number} was changed")
    if (entry.number, entry.previous) != (number, previous):
        raise LedgerBrokenError(path, f"line {number} does not follow the one before")
    return entry


def _unsealed(
    number: int, time: str, kind: str, previous: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    return {"number": number, "time": time, "kind": kind, "previous": previous, "body": dict(body)}


def _seal(unsealed: Mapping[str, Any]) -> str:
    return hashlib.sha256(_DOMAIN + _serialise(unsealed)).hexdigest()


def _serialise(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"
