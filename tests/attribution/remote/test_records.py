"""What a service sends is read strictly: garbage is an error and never a wrong value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution import Tracer
from attribution.outcomes import Looked
from attribution.remote.errors import RemoteError
from attribution.remote.records import RecordError, origins_of, trace_of
from attribution.reporting import Context
from attribution.target import Target
from attribution.trace_json import as_json_lines
from attribution.types import Trace
from tests.attribution.conftest import CART

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def record_of(trace: Trace) -> dict[str, Any]:
    target = Target(
        name="", text=CART, language="python", start=0, start_line=0, end_line=1, start_byte=0,
        file_sha1="", file_sha256="",
    )  # fmt: skip
    context = Context(n_documents=1, min_lexemes=30, corpus_digest="", version="")
    (line,) = as_json_lines([Looked(target=target, trace=trace)], context)
    record: dict[str, Any] = json.loads(line)
    return record


def of_a_curated_corpus(trace: Trace) -> Trace:
    """The same, found in documents that a model may have been trained on."""
    matches = [
        replace(
            match, sources=tuple(replace(one, corpus_digest="c0" * 32) for one in match.sources)
        )
        for match in trace.matches
    ]
    return replace(trace, matches=tuple(matches))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of a record stands."""
    children: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in children:
        yield (*path, key)
        yield from places(inner, (*path, key))


def with_value(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(record))
    inside = copy
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return copy


def test_a_trace_survives_the_way_there_and_back(tracer: Tracer) -> None:
    """Every field of a trace with matches and leads is read as it was written."""
    trace = of_a_curated_corpus(tracer.trace(CART[:900], with_leads=True))
    back = trace_of(record_of(trace))

    assert back.matches == trace.matches
    assert back.leads == trace.leads
    assert back.elapsed_ms == pytest.approx(trace.elapsed_ms, abs=0.001)


@given(data=st.data())
def test_a_changed_field_is_an_error_or_fits(tracer: Tracer, data: st.DataObject) -> None:
    """Any value put anywhere into an answer is refused as such, or is of the right type."""
    record = record_of(tracer.trace(CART[:900], with_leads=True))
    where = data.draw(st.sampled_from(list(places(record))))
    broken = with_value(record, where, data.draw(_JSON))
    try:
        found = trace_of(broken)
    except RecordError as error:
        assert "index service" in str(error)  # noqa: PT017
    else:
        assert all(one.query.start >= 0 and one.sources for one in found.matches)


@given(value=_JSON)
def test_garbage_is_an_error(value: Any) -> None:
    """Whatever JSON comes in place of an answer is told of as the service's fault."""
    for read in (trace_of, origins_of):
        record = value if isinstance(value, dict) else {"results": value, "origins": value}
        if record.get("origins") == [] and read is origins_of:
            continue
        with pytest.raises(RemoteError):
            read(record)
