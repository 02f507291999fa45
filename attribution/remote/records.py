"""Values from JSON that a service sent: every type is checked, nothing is believed."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from attribution.remote.errors import RemoteError
from attribution.types import Lead, Match, SourceSpan, Trace
from indexer import Origin
from indexer.optout.swhid import PREFIX

_Value = TypeVar("_Value")


class RecordError(RemoteError):
    """A field of an answer is missing or of another type."""


def trace_of(record: Mapping[str, Any]) -> Trace:
    """The trace in the one result of a `starcite.trace/1` document.

    Raises:
        RecordError: it is none.
    """
    results = record.get("results")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise RecordError("the answer of the index service holds no result")
    result = dict(results[0])
    matches = tuple(_match(one) for one in _objects(result.pop("matches", None), "matches"))
    leads = tuple(_lead(one) for one in _objects(result.pop("leads", None), "leads"))
    return dataclasses.replace(read(Trace, result), matches=matches, leads=leads)


def origins_of(record: Mapping[str, Any]) -> tuple[Origin, ...]:
    """The origins of a document. Raises: RecordError."""
    return tuple(read(Origin, one) for one in _objects(record.get("origins"), "origins"))


def read(kind: type[_Value], record: Mapping[str, Any]) -> _Value:
    """A frozen dataclass of the fields in a record; what the class does not know is left out.

    Raises:
        RecordError: a field without a default is missing, or a value has another type.
    """
    values = {}
    for name, hint, is_needed in _fields(cast("Any", kind)):
        if name in record:
            values[name] = _value(record[name], hint, name)
        elif is_needed:
            raise RecordError(f"the answer of the index service has no {name}")
    return kind(**values)


def _match(record: Mapping[str, Any]) -> Match:
    sources = _objects(record.get("sources"), "sources")
    if not sources:
        raise RecordError("a match in the answer of the index service has no source")
    whole = read(Match, {**record, "sources": []})
    return dataclasses.replace(whole, sources=tuple(_source(one) for one in sources))


def _source(record: Mapping[str, Any]) -> SourceSpan:
    origins = _objects(record.get("origins"), "origins")
    swhids = [one["swhid"] for one in origins if isinstance(one.get("swhid"), str)]
    name = swhids[0].partition(";")[0] if swhids else ""
    sha1_git = name.removeprefix(PREFIX) if name.startswith(PREFIX) else ""
    return read(SourceSpan, {**record, "sha1_git": sha1_git})


def _lead(record: Mapping[str, Any]) -> Lead:
    ranks = record.get("ranks")
    if not isinstance(ranks, dict):
        raise RecordError("ranks in the answer of the index service is no object")
    return read(Lead, {**record, "ranks": [[view, rank] for view, rank in ranks.items()]})


def _objects(value: object, name: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RecordError(f"{name} in the answer of the index service is no list of objects")
    return value


@cache
def _fields(kind: type[Any]) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(kind)
    return tuple(
        (one.name, hints[one.name], one.default is dataclasses.MISSING)
        for one in dataclasses.fields(kind)
    )


def _value(value: Any, hint: Any, name: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple and isinstance(value, list):
        if arguments[-1] is Ellipsis:
            return tuple(_value(one, arguments[0], name) for one in value)
        if len(value) == len(arguments):
            return tuple(_value(*pair, name) for pair in zip(value, arguments, strict=True))
    elif origin in (Union, types.UnionType):
        return None if value is None else _value(value, arguments[0], name)
    elif dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return read(cast("type[Any]", hint), value)
    elif _is_plain(value, hint, arguments):
        return hint(value) if isinstance(hint, type) else value
    raise RecordError(f"{name} in the answer of the index service is of another type")


def _is_plain(value: Any, hint: Any, arguments: tuple[Any, ...]) -> bool:
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in arguments
    if hint is float:
        return type(value) in {int, float} and math.isfinite(value)
    if hint is int:
        return type(value) is int and 0 <= value < 2**63
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return isinstance(value, str) and value in set(hint)
    return type(value) is hint
