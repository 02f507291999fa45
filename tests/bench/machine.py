"""What a figure was measured on; every benchmark writes it beside its results."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cpu_name() -> str:
    """The processor as the kernel names it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


@contextmanager
def memory_peaks() -> Iterator[dict[str, int]]:
    """The most memory that this process holds meanwhile, in MB, sampled every 20 ms.

    `peak_own_mb` is its own, `peak_mapped_mb` that of pages of files, which the system may drop.
    """
    names = {"RssAnon": "peak_own_mb", "RssFile": "peak_mapped_mb", "VmRSS": "peak_rss_mb"}
    peaks: dict[str, int] = dict.fromkeys(names.values(), 0)
    done = threading.Event()

    def sample() -> None:
        while not done.wait(0.02):
            for field, name in names.items():
                peaks[name] = max(peaks[name], round(memory_mb(field)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def memory_mb(field: str) -> float:
    """A line of Linux's account of this process, in MB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split(f"{field}:")[1].split()[0]) / 1024
