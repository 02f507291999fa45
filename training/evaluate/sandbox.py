"""A sandbox for generated programs: limits always, isolation where the system has it.

    limits       address space, CPU time, processes, file size, open files; a session of its own;
                 at the end every process that is left is killed, also one that left the group
    namespaces   no network, processes that cannot outlive the first one, nothing writable but a
                 small work folder in memory (`unshare`, as root or in a user namespace)
    own user     the program runs as a user that owns nothing (as root only); it can still read
                 every file where Python itself lies in a folder that only root can enter

`isolation` says which of these were there; a result must repeat it. Where there are no namespaces,
an audit hook stops Python code (not native code) that opens sockets or writes elsewhere.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from training.evaluate import jail
from training.evaluate.errors import EvaluateError

Status = Literal["passed", "failed", "timed out", "broken"]
_ANSWER_S = 60.0  # for a jail to start and to answer; it keeps the time-out itself
_FIRST_UID = 2_000_000_000  # nobody's, and out of the range that systems hand out
_numbers = itertools.count()  # programs that run at a time need users of their own
_NAMESPACES = ("--net", "--ipc", "--pid", "--mount", "--fork", "--kill-child=SIGKILL")


@dataclass(frozen=True, kw_only=True, slots=True)
class Isolation:
    """What keeps a program from the rest of the system."""

    namespaces: bool
    own_user: bool

    def describe(self) -> dict[str, str]:
        """By what each is kept away, for results."""
        hook = "audit hook (no boundary for native code)"
        return {
            "network": "network namespace" if self.namespaces else hook,
            "files": "read-only mounts" if self.namespaces else hook,
            "processes": "pid namespace" if self.namespaces else "subreaper",
            "user": "its own" if self.own_user else "the caller's, without capabilities",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one program may use."""

    timeout_s: float = 3.0  # as HumanEval's own harness
    n_memory_bytes: int = 1 << 30
    n_file_bytes: int = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a program; `detail` is its exception in one line."""

    status: Status
    detail: str = ""
    seconds: float = 0.0


PLAIN = Isolation(namespaces=False, own_user=False)


@cache
def isolation() -> Isolation:
    """The strongest that works here, found by running an empty program under it.

    Raises:
        EvaluateError: not even the weakest works.
    """
    own_user = os.geteuid() == 0
    tried = Outcome(status="broken")
    for namespaces in (True, False) if shutil.which("unshare") else (False,):
        candidate = Isolation(namespaces=namespaces, own_user=own_user)
        tried = run_program("pass", under=candidate)
        if tried.status == "passed":
            return candidate
    raise EvaluateError(f"programs cannot be run here: {tried.detail}; use Linux 5.12 or later")


def run_program(
    source: str, limits: Limits | None = None, *, under: Isolation | None = None
) -> Outcome:
    """Run a Python program to its end, or kill it with all that it has started.

    "passed" means that it came to its end without an exception. "broken" is no verdict on the
    program: the sandbox itself has failed, and `detail` says why.
    """
    chosen = under or isolation()
    with tempfile.TemporaryDirectory(prefix="starcite-eval-", ignore_cleanup_errors=True) as work:
        Path(work).chmod(0o777)  # the program's user has no other folder
        return _run(source, limits or Limits(), chosen, work)


def _run(source: str, limits: Limits, chosen: Isolation, work: str) -> Outcome:
    uid = _FIRST_UID + os.getpid() * 64 + next(_numbers) % 64 if chosen.own_user else 0
    order = {
        **asdict(limits),
        "work": work,
        "nonce": secrets.token_hex(16),
        "pids": chosen.namespaces,
        "mounts": chosen.namespaces,
        "uid": uid,
        "keeps_reading": chosen.own_user and not _others_can_read(Path(os.__file__)),
        "n_others": 0 if uid else _n_processes(os.getuid()),
    }
    process = subprocess.Popen(
        [*_unshare(chosen), sys.executable, "-I", "-S", jail.__file__, json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )
    try:
        data = source.encode("utf-8", "surrogatepass")
        answer, complaint = process.communicate(data, timeout=limits.timeout_s + _ANSWER_S)
        return Outcome(**json.loads(answer))
    except subprocess.TimeoutExpired:
        return Outcome(status="broken", detail="the sandbox did not answer", seconds=0.0)
    except (ValueError, TypeError):
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        return Outcome(status="broken", detail=lines[-1] if lines else "it was killed")
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with suppress(OSError):
                stream.close()
    process.wait()


def _unshare(chosen: Isolation) -> list[str]:
    if not chosen.namespaces:
        return []
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, *_NAMESPACES]


def _n_processes(uid: int) -> int:
    """How many threads a user has, since the limit of processes counts them all."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == uid:
                total += sum(1 for _ in (folder / "task").iterdir())
    return total


def _others_can_read(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)
