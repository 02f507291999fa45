"""One named step of a `make` target: a clock, a log file, and one line when it fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from workbench.paths import LOGS, ROOT

HEARTBEAT_S = 10.0
SAYS_WHY = re.compile(r"^(error|npm error|fatal)|Error\b|No space left|Could not", re.IGNORECASE)
# What pip and npm say when the registry cannot be reached.
SAYS_OFFLINE = re.compile(
    r"name resolution|Name or service not known|getaddrinfo|ENOTFOUND|EAI_AGAIN|ECONNREFUSED"
    r"|ETIMEDOUT|ENETUNREACH|Network is unreachable|Connection refused|NewConnectionError"
    r"|Failed to establish a new connection|Max retries exceeded|timed out"
)
# pip repeats itself when it gives up: these lines follow from the reason and are not it.
SAYS_NOTHING = re.compile(
    r"No matching distribution|A complete log of this run|subprocess-exited|This error originates"
)


class StepFailedError(Exception):
    """A step of the set-up could not be done; the message names it and what to do next."""


def clock() -> str:
    """Seconds since `make` was called, as the prefix of a progress line."""
    started = float(os.environ.get("STARCITE_CLOCK") or time.time())
    return f"{time.time() - started:6.0f} s"


def say(text: str) -> None:
    """Print one progress line."""
    print(f"{clock()}  {text}", flush=True)


def run_step(name: str, command: list[str], *, env: dict[str, str] | None = None) -> None:
    """Run a command in the checkout's root, keep its output in a log, show only its progress.

    Raises:
        StepFailedError: The command could not be started or ended with an exit code other than 0.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.log"
    say(f"{name} ...")
    started = time.monotonic()
    with log.open("wb") as out:
        try:
            process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        except OSError as error:
            raise StepFailedError(f"{name} failed: {error}. Next: run make setup.") from error
        code = _wait(process, name, started, log)
    if code != 0:
        raise StepFailedError(_explain(name, code, log))
    say(f"{name}: done in {time.monotonic() - started:.1f} s")


def _wait(process: subprocess.Popen[bytes], name: str, started: float, log: Path) -> int:
    while True:
        try:
            return process.wait(timeout=HEARTBEAT_S)
        except subprocess.TimeoutExpired:
            waited_s = time.monotonic() - started
            say(f"{name}: still at it after {waited_s:.0f} s{_now_at(log)}")
        except KeyboardInterrupt:
            process.wait()  # the terminal sent it the same signal; let it clean up after itself
            raise


def _now_at(log: Path) -> str:
    """The last line of the log, where a command tells how far it is."""
    lines = re.split(r"[\r\n]+", log.read_text(errors="replace").strip())
    return f" ({lines[-1][-70:].strip()})" if lines[-1] else ""


def _explain(name: str, code: int, log: Path) -> str:
    text = log.read_text(errors="replace").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if SAYS_WHY.search(line) and not SAYS_NOTHING.search(line)]
    shown = log.relative_to(ROOT)
    if SAYS_OFFLINE.search(text):
        return (
            f"{name} failed: the network or the package registry cannot be reached. "
            f"Next: check the connection (or proxy), then run the same command again; "
            f"what is already here is kept. Log: {shown}"
        )
    reason = (telling or lines or [f"exit code {code}"])[-1]
    return f"{name} failed: {reason[:300]} Next: read {shown}, then run the same command again."


def fail(error: Exception) -> int:
    """Print the one line that a failed target leaves behind; returns the exit code."""
    print(f"error: {error}", file=sys.stderr, flush=True)
    return 3
