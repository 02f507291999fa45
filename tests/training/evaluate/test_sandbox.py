"""Programs that mean harm, and what becomes of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from training.evaluate.sandbox import PLAIN, Isolation, Limits, isolation, run_program

LIMITS = Limits(timeout_s=0.6, n_memory_bytes=512 << 20, n_file_bytes=1 << 20)
KINDS = [
    pytest.param(isolation(), id="strongest"),
    pytest.param(Isolation(namespaces=False, own_user=os.geteuid() == 0), id="no-namespaces"),
]
EVIL = {
    "blocks on input": "import os, sys\nr, w = os.pipe()\nsys.stdin.read()\nos.read(r, 1)",
    "closes its outputs": "import os\nos.closerange(0, 64)\nwhile True: pass",
    "fork bomb": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    ),
    "forks once and leaves": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n        while True: time.sleep(1)\nos._exit(0)"
    ),
    "sleeps forever": "import time\nwhile True: time.sleep(1000)",
    "writes without end": "import sys\nwhile True: sys.stdout.write('x' * 65536)",
    "eats memory": "held = []\nwhile True: held.append(bytearray(1 << 24))",
    "ignores signals": (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass"
    ),
    "fills its folder": (
        "n = 0\nwhile True:\n    n += 1\n    open(f'{n}', 'wb').write(b'x' * 100_000)\n"
    ),
    "one big file": "f = open('big', 'wb')\nwhile True: f.write(b'x' * 65536)",
}


def processes_in(folder: Path) -> list[str]:
    """Processes whose command line or working folder names a work folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode("utf-8", "replace")
            place = (process / "cwd").readlink()
        except OSError:
            continue  # it has ended
        if str(folder) in f"{command} {place}":
            found.append(command)
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where work folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for parent in (tmp_path, *tmp_path.parents[:-1]):
        if parent.stat().st_uid == os.getuid():
            parent.chmod(parent.stat().st_mode | 0o111)  # the program's own user passes through
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", EVIL.values(), ids=EVIL.keys())
def test_an_evil_program_ends_in_time_and_leaves_nothing(
    source: str, kind: Isolation, folder: Path
) -> None:
    """It ends within its time-out and a second, with no process and no file left."""
    outcome = run_program(source, LIMITS, under=kind)

    assert outcome.status in {"failed", "timed out"}, outcome
    assert outcome.seconds < LIMITS.timeout_s + 1  # with the clean-up, without the start
    assert processes_in(folder) == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", ["open({!r}, 'w')", "import os; os.mkdir({!r})"])
def test_nothing_is_written_outside_the_work_folder(
    change: str, kind: Isolation, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file elsewhere is refused, though its folder is open to everyone."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    elsewhere.chmod(0o777)

    outcome = run_program(change.format(str(elsewhere / "made")), LIMITS, under=kind)

    assert outcome.status == "failed"
    assert outcome.detail.split(":")[0] in {"OSError", "PermissionError", "FileNotFoundError"}
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_may_write_in_its_own_folder(kind: Isolation, folder: Path) -> None:
    """What is written there can be read again, and is gone afterwards."""
    source = "open('a', 'w').write('x')\nassert open('a').read() == 'x'"

    assert run_program(source, LIMITS, under=kind).status == "passed"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_program_reaches_the_network(kind: Isolation) -> None:
    """Not even a socket of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        source = f"import socket\nsocket.create_connection(('127.0.0.1', {port}))"

        outcome = run_program(source, LIMITS, under=kind)

        assert outcome.status == "failed"
        assert outcome.detail.split(":")[0] in {"OSError", "PermissionError"}
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["raise SystemExit(0)", "import os; os._exit(0)", "def", "1/0"])
def test_only_a_program_that_comes_to_its_end_passes(source: str, kind: Isolation) -> None:
    """Leaving early is no success, whatever the exit code."""
    assert run_program(source, LIMITS, under=kind).status == "failed"


def test_an_exception_is_told_in_one_short_line() -> None:
    """What a program raises is named, however long and odd it is."""
    outcome = run_program("raise ValueError('\\ud800' + 'é' * 100_000)", LIMITS)

    assert outcome.status == "failed"
    assert outcome.detail.startswith("ValueError: ")
    assert len(outcome.detail) <= 300


def test_a_sandbox_that_fails_itself_is_no_verdict_on_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the interpreter cannot be started in it, the outcome is "broken" with the reason."""
    monkeypatch.setattr(sys, "executable", "/bin/false")

    assert run_program("pass", LIMITS, under=PLAIN).status == "broken"


def test_an_ordinary_user_is_isolated_too() -> None:
    """An ordinary user has namespaces of its own where the kernel gives them."""
    if os.geteuid() != 0:
        pytest.skip("only root can become an ordinary user")
    script = (
        "from training.evaluate.sandbox import isolation, run_program, Limits\n"
        "bomb = 'import os\\nwhile True: os.fork()'\n"
        "print(isolation().own_user, run_program(bomb, Limits(timeout_s=1)).status)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            user=65534,
            group=65534,
            cwd="/",
            env={"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except PermissionError:
        pytest.skip("this Python lies in a folder that only root can enter")
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip("the checkout lies in a folder that only root can enter")

    assert done.stdout.split()[0] == "False", done.stderr
    assert done.stdout.split()[1] in {"failed", "timed"}
