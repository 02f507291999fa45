"""Runs one untrusted Python program; started as a script of its own by `sandbox.py`.

The program comes on standard input, the order as JSON in the first argument, the result goes as
JSON to standard output. This process only supervises: it forks the program, waits, and kills
whatever the program has left behind. Standard library only, since it runs as `python -I -S`.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_DETAIL_CHARS = 300
N_PROCESSES = 32  # that the program may have
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _CAP_DAC_READ_SEARCH = 1, 8, 24, 2
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
_MS_NOSUID, _MS_NODEV = 2, 4
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FORBIDDEN_EVENTS = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "ctypes.")
_CHANGING_EVENTS = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.symlink", "os.truncate", "os.utime",
)  # fmt: skip


def main() -> None:
    """Run the program of standard input and print what came of it."""
    order = json.loads(sys.argv[1])
    source = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if order["mounts"]:
        _make_read_only(order["work"], order["n_file_bytes"])
    started = time.monotonic()
    status, detail = _supervise(order, source)
    result = {"status": status, "detail": detail, "seconds": time.monotonic() - started}
    sys.stdout.write(json.dumps(result))


def _supervise(order: dict[str, Any], source: str) -> tuple[str, str]:
    reading, writing = os.pipe()
    worker = os.fork()
    if not worker:
        _work(order, source, writing)  # does not come back
    os.close(writing)
    handle = os.pidfd_open(worker)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    is_done = bool(poll.poll(order["timeout_s"] * 1000))
    _kill_all(order)
    os.set_blocking(reading, False)
    report = b""
    with contextlib.suppress(BlockingIOError):
        report = os.read(reading, 4 * MAX_DETAIL_CHARS)
    if not is_done:
        return "timed out", f"stopped after {order['timeout_s']} s"
    if report.startswith(order["nonce"].encode()):
        return "passed", ""
    return "failed", report.decode("utf-8", "replace")[:MAX_DETAIL_CHARS] or "it ended by itself"


def _kill_all(order: dict[str, Any]) -> None:
    """Kill and reap every process that the program has started, also those that left its group."""
    while True:
        if order["pids"]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # all of the namespace but this process
        elif order["uid"]:
            _kill_user(order["uid"])
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while True:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
        except ChildProcessError:
            return
        time.sleep(0.005)  # the kernel is still at it


def _kill_user(uid: int) -> None:
    """Kill every process of the program's user at once, so that a fork bomb cannot outrun it."""
    if not (killer := os.fork()):
        with contextlib.suppress(OSError):
            os.setuid(uid)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(killer, 0)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _work(order: dict[str, Any], source: str, report: int) -> None:
    """Give up what the program must not have, run it, and say how it went."""
    message = b""
    try:
        os.setsid()
        os.chdir(order["work"])
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.closerange(3, report)
        os.closerange(report + 1, 256)
        _limit(order)
        _drop_privileges(order)
        if not order["mounts"]:
            sys.addaudithook(_watch(order["work"]))
        namespace = {"__name__": "__main__"}
        exec(compile(source, "program.py", "exec"), namespace)  # noqa: S102 - its purpose
        message = order["nonce"].encode()
    except BaseException as error:  # noqa: BLE001 - whatever a program raises is its result
        message = f"{type(error).__name__}: {error}".encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        os.write(report, message[: 2 * MAX_DETAIL_CHARS] or b"nothing")
    os._exit(0)


def _limit(order: dict[str, Any]) -> None:
    limits = {
        resource.RLIMIT_AS: order["n_memory_bytes"],
        resource.RLIMIT_CPU: int(order["timeout_s"]) + 1,
        resource.RLIMIT_NPROC: order["n_others"] + N_PROCESSES,
        resource.RLIMIT_FSIZE: order["n_file_bytes"],
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value))


def _drop_privileges(order: dict[str, Any]) -> None:
    """Become another user where that is possible, and lose the capabilities for good.

    The one that may stay lets the program read the standard library where only root can.
    """
    kept = 1 << _CAP_DAC_READ_SEARCH if order["keeps_reading"] else 0
    if uid := order["uid"]:
        _prctl(_PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    else:
        for capability in range(64):
            _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails past the last one
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    data = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable
    _call("drop capabilities", _LIBC.capset(header, data))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # last: a change of user takes it back


def _make_read_only(work: str, n_bytes: int) -> None:
    """In a mount namespace: nothing can be written but a small file system in memory at `work`."""
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY, 0, 0, 0)  # struct mount_attr
    _call(
        "make / read-only",
        _LIBC.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, 32),
    )
    _call(
        "mount the work folder",
        _LIBC.mount(
            b"work", work.encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV,
            f"size={4 * n_bytes},mode=777".encode(),
        ),
    )  # fmt: skip


def _watch(work: str) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook for where there are no namespaces: stops Python code, not native code."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_FORBIDDEN_EVENTS):
            raise PermissionError(f"{event} is not for programs under evaluation")
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            _check_inside(work, arguments[0])
        if event.startswith(_CHANGING_EVENTS):
            for path in arguments[:2]:
                _check_inside(work, path)

    return hook


def _check_inside(work: str, path: object) -> None:
    if not isinstance(path, str | bytes):
        return
    real = os.path.realpath(os.fsdecode(path))
    if real != os.devnull and not f"{real}/".startswith(f"{os.path.realpath(work)}/"):
        raise PermissionError(f"{real} is outside the work folder")


def _prctl(option: int, value: int) -> None:
    _call(f"prctl {option}", _LIBC.prctl(option, value, 0, 0, 0))


def _call(what: str, result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"cannot {what}")


if __name__ == "__main__":
    main()
