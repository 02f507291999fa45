"""A source file as one line of JSON and back: the form in which curated records rest on disk."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

from indexer.source_file import Origin, SourceFile

_NESTED = ("origin", "twins")


def dump_record(file: SourceFile) -> bytes:
    """One line; equal files give equal bytes. Fields that hold their default are left out."""
    record = {name: value for name, value in _changed(file).items() if name not in _NESTED}
    record["origin"] = _changed(file.origin)
    if file.twins:
        record["twins"] = [_changed(twin) for twin in file.twins]
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def parse_record(line: bytes) -> SourceFile:
    """The file that `dump_record` wrote.

    Raises:
        ValueError: the line is no such record.
    """
    try:
        record = json.loads(line)
        origin = Origin(**record.pop("origin"))
        twins = tuple(Origin(**twin) for twin in record.pop("twins", ()))
        return SourceFile(origin=origin, twins=twins, **record)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"no record of a source file: {error}") from error


def _changed(value: Origin | SourceFile) -> dict[str, Any]:
    found = {field.name: (getattr(value, field.name), field.default) for field in fields(value)}
    return {
        name: it for name, (it, default) in found.items() if default is MISSING or it != default
    }
