"""What a service has acknowledged waits on the disk until the keeper takes it up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexer.cli import index as index_command
from indexer.optout.errors import OptoutError
from indexer.optout.intake import intake_path, queue, read_intake, settle, waiting
from indexer.optout.selector import parse_selector

FEW = parse_selector(owners=["octocat"])
MANY = parse_selector(repositories=["a/b"], paths=["src/*.py"])


def test_requests_wait_in_their_order_until_they_are_settled(tmp_path: Path) -> None:
    """What is read back is what was queued; a settled request stays, and waits no more."""
    path = tmp_path / "new" / "intake.jsonl"
    before = read_intake(path)
    first, second = queue(path, FEW), queue(path, MANY)
    settle(path, first.key)

    assert before == []
    assert [one.key for one in read_intake(path)] == [first.key, second.key]
    assert waiting(path) == [second]
    assert first.key != second.key


def test_a_torn_line_was_never_acknowledged(tmp_path: Path) -> None:
    """A process that died while it wrote leaves no request, and the next one stands whole."""
    path = tmp_path / "intake.jsonl"
    first = queue(path, FEW)
    with path.open("ab") as file:
        file.write(b'{"kind":"asked","key":"to')
    torn = waiting(path)
    second = queue(path, MANY)

    assert torn == [first]
    assert waiting(path) == [first, second]


_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from indexer.optout.errors import OptoutError
from indexer.optout.intake import queue, waiting
from indexer.optout.selector import parse_selector
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
acknowledged = [queue(path, parse_selector(owners=["first"])).key]
n_bytes = path.stat().st_size + 40  # room for a part of a line
resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    queue(path, parse_selector(owners=["second"]))
except OptoutError as error:
    print(str(error).replace(str(path), "FILE"))
soft = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, soft))
acknowledged.append(queue(path, parse_selector(owners=["third"])).key)
print([one.key for one in waiting(path)] == acknowledged)
"""


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    """A request that does not fit is refused; those before and after it are all there."""
    command = [sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path / "intake.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["cannot write FILE: File too large", "True"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(line=st.one_of(st.binary(max_size=60), st.text(max_size=30).map(lambda one: one.encode())))
@example(line=b'{"kind":"asked","key":"a","time":"b","selector":{"owners":[1]}}')
@example(line=b'{"kind":"settled","key":"nobody","time":"b"}')
@example(line=b'{"kind":"asked","key":[],"time":"b","selector":{"owners":["a"]}}')
@example(line=b"[" * 100_000)
@example(line=b"7")
def test_a_line_that_nobody_wrote_is_named(tmp_path: Path, line: bytes) -> None:
    """Damage is told with its line and never read as a request."""
    path = tmp_path / "intake.jsonl"
    path.unlink(missing_ok=True)
    queue(path, FEW)
    path.write_bytes(path.read_bytes() + line.replace(b"\n", b"").replace(b"\r", b"") + b"\n")

    with pytest.raises(OptoutError, match="line 2 is no request"):
        read_intake(path)


def test_the_keeper_takes_up_what_waits(built: Path) -> None:
    """`forget --queued` carries each request out in order; one that was declined stays."""
    gone = queue(intake_path(), parse_selector(owners=["package0"]))
    kept = queue(intake_path(), parse_selector(owners=["package1"]))
    run = CliRunner().invoke
    arguments = ["forget", "--index", str(built), "--queued"]
    shown = run(index_command, [*arguments, "--dry-run"])
    declined = run(index_command, arguments, input="y\nn\n")
    left = waiting(intake_path())
    done = run(index_command, [*arguments, "--yes", "--json"])
    nothing = run(index_command, arguments)

    assert (shown.exit_code, declined.exit_code, done.exit_code, nothing.exit_code) == (0, 1, 0, 0)
    assert [one.key for one in left] == [kept.key]
    assert json.loads(done.stdout)["selector"] == {"owners": ["package1"]}
    assert waiting(intake_path()) == []
    assert "no request waits" in nothing.stderr
    assert read_intake(intake_path())[0].key == gone.key


def test_queued_stands_alone(home: Path) -> None:
    """A request beside --queued would be carried out for another one, and is refused."""
    done = CliRunner().invoke(index_command, ["forget", "--queued", "--owner", "a", "--yes"])

    assert done.exit_code == 2
    assert "say nothing else" in done.stderr
