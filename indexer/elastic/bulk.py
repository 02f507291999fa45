"""Writes many chunks: batches, and patience with a cluster that is busy or restarting.

What is refused because there is too much of it (429), or because a node is gone, is sent again
after a while, and again, the pauses growing. An id says what a chunk is, so a second time does no
harm. What counts as written is what the cluster has acknowledged, item by item.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from indexer.elastic.errors import ElasticError, asking

Operation = dict[str, Any]  # {"index" | "delete": {…}}, with the source under "_source"
_T = TypeVar("_T")
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # then that many seconds again and again
_LATER = {429, 502, 503, 504}  # too much at once, or a node is gone


@dataclass(kw_only=True, slots=True)
class Written:
    """What a cluster has acknowledged so far."""

    n_operations: int = 0
    n_repeated: int = 0  # sent again: the cluster was busy, or a node was gone
    reasons: dict[str, int] = field(default_factory=dict)  # for sending again


def write(
    client: Elasticsearch,
    index: str,
    operations: Iterable[Operation],
    *,
    where: str,
    patience_s: float = 120.0,
    n_at_once: int = 500,
) -> Iterator[Written]:
    """Write in batches; after each one, what has been acknowledged in all.

    Raises:
        ElasticError: an operation was refused, or nothing went through for `patience_s` seconds.
    """
    written = Written()
    waiting = iter(operations)
    while batch := list(islice(waiting, n_at_once)):
        n_batch = len(batch)
        given_up_at = time.monotonic() + patience_s
        for attempt in range(1_000_000):
            left, why = _sent(client, index, batch, where)
            if len(left) < len(batch):
                given_up_at = time.monotonic() + patience_s
            batch = left
            if not batch:
                break
            if time.monotonic() >= given_up_at:
                raise ElasticError(
                    f"{where} has taken nothing for {patience_s:.0f} s ({why}); what it had "
                    "acknowledged is kept. Make room or start its nodes, then run this again"
                )
            written.n_repeated += len(batch)
            written.reasons[why] = written.reasons.get(why, 0) + 1
            time.sleep(min(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)], patience_s))
        written.n_operations += n_batch
        yield written


def patiently(question: Callable[[], _T], *, where: str, patience_s: float) -> _T:
    """The answer to a question that may be asked twice, once the cluster gives one.

    Raises:
        ElasticError: the cluster refuses, or is still busy or gone after `patience_s` seconds.
    """
    given_up_at = time.monotonic() + patience_s
    for attempt in range(1_000_000):
        with asking(where):
            try:
                return question()
            except ApiError as error:
                if error.status_code not in _LATER or time.monotonic() >= given_up_at:
                    raise
            except TransportError:
                if time.monotonic() >= given_up_at:
                    raise
        time.sleep(min(_PAUSES_S[min(attempt, len(_PAUSES_S) - 1)], patience_s))
    raise ElasticError(f"{where} gives no answer")


def _sent(
    client: Elasticsearch, index: str, batch: list[Operation], where: str
) -> tuple[list[Operation], str]:
    """What has to be sent again, and why."""
    lines: list[Mapping[str, Any]] = []
    for operation in batch:
        (kind,) = operation.keys() - {"_source"}
        lines.append({kind: operation[kind]})
        if kind != "delete":
            lines.append(operation["_source"])
    try:
        answer = client.bulk(index=index, operations=lines)
    except ApiError as error:
        if error.status_code not in _LATER:
            with asking(where):
                raise
        return batch, f"status {error.status_code}"
    except TransportError as error:
        return batch, type(error).__name__
    if not answer["errors"]:
        return [], ""
    left, why = [], ""
    for operation, item in zip(batch, answer["items"], strict=True):
        (told,) = item.values()
        if told["status"] in _LATER:
            left.append(operation)
            why = str(told["error"]["type"])
        elif "error" in told:
            raise ElasticError(
                f"{where} refuses a chunk with {told['status']}: {told['error']['type']}"
            )
    return left, why
