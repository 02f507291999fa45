"""Requests to be left out that wait for the index's keeper: an append-only file, one line each.

A service acknowledges a request only after it is on the disk. Nothing is taken out by that:
`starcite index forget --queued` shows each to the keeper and carries it out. A line without its
end was never acknowledged, and the next one takes its place.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indexer.manifest import sync_folder
from indexer.optout.errors import OptoutError
from indexer.optout.ledger import optout_path
from indexer.optout.selector import Selector, selector_of

INTAKE_NAME = "intake.jsonl"
ASKED, SETTLED = "asked", "settled"
MAX_WAITING = 10_000  # more requests than a keeper reads; the next one is refused
_LOCK_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """A request as it was acknowledged."""

    key: str  # what whoever asked can ask for it by
    time: str  # ISO 8601, UTC
    selector: Selector
    settled: str  # when it was carried out or turned down; empty: it waits


def intake_path() -> Path:
    """The file of the requests."""
    return optout_path() / INTAKE_NAME


def queue(path: Path, selector: Selector) -> Intake:
    """Write a request down, durably; only then may it be acknowledged.

    Raises:
        OptoutError: it cannot be written, or too many wait already; nothing is queued.
    """
    key, time = secrets.token_hex(16), _now()
    record = {"kind": ASKED, "key": key, "time": time, "selector": selector.as_record()}
    _append(path, record, limit=MAX_WAITING)
    return Intake(key=key, time=time, selector=selector, settled="")


def settle(path: Path, key: str) -> None:
    """Write down that a request was carried out or turned down.

    Raises:
        OptoutError: it cannot be written.
    """
    _append(path, {"kind": SETTLED, "key": key, "time": _now()}, limit=None)


def read_intake(path: Path) -> list[Intake]:
    """Every acknowledged request, in order; nothing, if nobody ever asked.

    Raises:
        OptoutError: the file cannot be read, or a line of it is none that was written.
    """
    asked: dict[str, Intake] = {}
    for number, line in enumerate(_whole_lines(_read(path)), start=1):
        try:
            _take(asked, json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise OptoutError(
                f"{path} line {number} is no request ({type(error).__name__}); put back a copy of "
                "it or mend the line, for what stands after it is not read"
            ) from error
    return list(asked.values())


def waiting(path: Path) -> list[Intake]:
    """The requests that nobody has settled yet. Raises as `read_intake` does."""
    return [one for one in read_intake(path) if not one.settled]


def _take(asked: dict[str, Intake], record: Mapping[str, Any]) -> None:
    key, time = record["key"], record["time"]
    if not isinstance(key, str) or not isinstance(time, str):
        raise TypeError("a key or a time is no text")
    if record["kind"] == ASKED:
        selector = selector_of(record["selector"])
        asked[key] = Intake(key=key, time=time, selector=selector, settled="")
    elif record["kind"] == SETTLED:
        before = asked[key]
        asked[key] = Intake(key=key, time=before.time, selector=before.selector, settled=time)
    else:
        raise ValueError("a kind that is not known")


def _append(path: Path, record: Mapping[str, Any], *, limit: int | None) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_TIMEOUT_S):
            if limit is not None and len(waiting(path)) >= limit:
                raise OptoutError(f"{limit:,} requests wait already; ask again later")
            _write_line(path, json.dumps(record, separators=(",", ":")).encode() + b"\n")
    except Timeout as error:
        raise OptoutError(f"another process keeps {path} locked; try again") from error
    except OSError as error:
        raise OptoutError(f"cannot write {path}: {error.strerror or error}") from error


def _write_line(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        file.truncate(sum(map(len, _whole_lines(file.read()))))  # without a torn line at its end
        file.seek(0, os.SEEK_END)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise OptoutError(f"cannot read {path}: {error.strerror or error}") from error


def _whole_lines(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines(keepends=True) if line.endswith(b"\n")]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
