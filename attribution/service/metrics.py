"""What the service counts, for Prometheus: how many, how long, how full; never what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from attribution.service.lanes import Lane

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one service."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._answers = Counter(
            "starcite_answers", "Answers by route and status.", ["route", "status"],
            registry=self._registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "starcite_answer_seconds", "From the request's head to the answer's end.", ["route"],
            registry=self._registry, buckets=_SECONDS,
        )  # fmt: skip
        self._ready = Gauge("starcite_ready", "Whether there is an index.", registry=self._registry)
        for name, text, read in _OF_LANES:
            gauge = Gauge(f"starcite_{name}", text, ["lane"], registry=self._registry)
            for lane_name, lane in lanes.items():
                gauge.labels(lane_name).set_function(_bound(read, lane))

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count an answer; `route` is the template and never the path."""
        self._answers.labels(route or "other", str(status)).inc()
        self._seconds.labels(route or "other").observe(seconds)

    def text(self, *, is_ready: bool) -> bytes:
        """All of it in the text format of Prometheus."""
        self._ready.set(is_ready)
        return generate_latest(self._registry)


def _bound(read: Callable[[Lane], float], lane: Lane) -> Callable[[], float]:
    return lambda: read(lane)


_OF_LANES: tuple[tuple[str, str, Callable[[Lane], float]], ...] = (
    ("questions", "Questions that run or wait.", lambda lane: lane.gate.n_taken),
    ("places", "Questions that may run or wait.", lambda lane: lane.gate.n_places),
    ("refused", "Questions that found no place (429).", lambda lane: lane.gate.n_refused),
    ("workers_replaced", "Workers lost or too slow.", lambda lane: lane.n_replaced),
)
