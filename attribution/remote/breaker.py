"""Spares a service that does not answer, and those who would wait for it each time.

Closed: questions are asked. After some failures in a row it is open: nothing is asked for a while,
which doubles with every probe that fails. Then one question may probe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from attribution.config import RemoteConfig
from attribution.remote.errors import RemoteError


class Breaker:
    """Counts failures; safe to share between threads."""

    def __init__(
        self, config: RemoteConfig, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._n_failures = 0
        self._rest_s = config.min_rest_s
        self._open_until = 0.0
        self._last = ""

    def check(self) -> None:
        """Let a question pass.

        Raises:
            RemoteError: the service rests; the message says what failed last.
        """
        with self._lock:
            if self._n_failures < self._config.max_failures:
                return
            left_s = self._open_until - self._clock()
            if left_s > 0:
                raise RemoteError(f"{self._last}; asked again in {max(1, round(left_s))} s")
            self._open_until = self._clock() + self._rest_s  # this one probes, others wait for it

    def succeeded(self) -> None:
        """The service has answered."""
        with self._lock:
            self._n_failures = 0
            self._rest_s = self._config.min_rest_s

    def failed(self, why: str) -> None:
        """It has not."""
        with self._lock:
            self._last = why
            self._n_failures += 1
            if self._n_failures > self._config.max_failures:  # a probe
                self._rest_s = min(2 * self._rest_s, self._config.max_rest_s)
            self._open_until = self._clock() + self._rest_s
