"""The ledger: what is written stays, and nobody changes it unseen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.optout.errors import LedgerBrokenError, OptoutError
from indexer.optout.ledger import (
    GENESIS,
    HEAD_NAME,
    Request,
    append_done,
    append_request,
    pending,
    read_ledger,
)
from indexer.optout.selector import parse_selector

REQUEST = Request(
    selector=parse_selector(owners=["ada"]),
    index="/srv/index",
    corpus_digest="c" * 64,
    root="d" * 64,
    n_documents=9,
    removed=("a" * 64, "b" * 64),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger of three lines: a request, its end, and another request."""
    path = tmp_path / "optout" / "ledger.jsonl"
    first = append_request(path, REQUEST)
    append_done(path, first, receipt_sha256="e" * 64)
    append_request(path, replace(REQUEST, selector=parse_selector(paths=["é/*"])))
    return path


def test_what_is_appended_is_read_back(ledger: Path) -> None:
    """Lines come back in order, each naming the one before, and requests as they were."""
    first, done, second = read_ledger(ledger)

    assert first.request == REQUEST
    assert second.request.selector.paths == ("é/*",)
    assert [entry.previous for entry in (first, done, second)] == [GENESIS, first.hash, done.hash]
    assert pending([first, done, second], Path("/srv/index")) == [second]
    nothing = replace(second, body={**second.body, "removed": []})
    assert pending([first, done, nothing], Path("/srv/index")) == []  # there is nothing to prove
    assert pending([first, done, second], Path("/srv/other")) == []


def test_nobody_asked(tmp_path: Path) -> None:
    """Where there is no ledger, nobody has asked for anything."""
    assert read_ledger(tmp_path / "ledger.jsonl") == []


def test_only_its_owner_reads_it(ledger: Path) -> None:
    """The ledger holds names of people: no other user can read it."""
    assert ledger.stat().st_mode & 0o077 == 0


def test_every_changed_byte_is_seen(ledger: Path) -> None:
    """Whatever byte of the ledger is changed, reading it is refused by its name."""
    data = ledger.read_bytes()
    for position in range(len(data)):
        ledger.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        with pytest.raises(LedgerBrokenError, match=re.escape(str(ledger))):
            read_ledger(ledger)


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ([0, 1], "ends after 2 of 3"),
        ([], "ends after 0 of 3"),
        ([1, 2], "line 1 does not follow"),
        ([0, 2], "line 2 does not follow"),
        ([0, 2, 1], "line 2 does not follow"),
        ([0, 0, 1, 2], "line 2 does not follow"),
    ],
)
def test_lines_cannot_go_or_move(ledger: Path, kept: list[int], message: str) -> None:
    """Lines that were cut off, taken out, swapped or doubled are named."""
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[n] for n in kept))

    with pytest.raises(LedgerBrokenError, match=message):
        read_ledger(ledger)


def test_the_head_is_missed(ledger: Path) -> None:
    """Without the file that says how long it was, a ledger of several lines is not believed."""
    ledger.with_name(HEAD_NAME).unlink()

    with pytest.raises(LedgerBrokenError, match="head beside it is missing"):
        read_ledger(ledger)


def test_a_torn_line_was_never_acknowledged(ledger: Path) -> None:
    """What a process left that died while it wrote is not read, and the next line replaces it."""
    whole = ledger.read_bytes()
    ledger.write_bytes(whole + b'{"body":{"request":3,"rec')

    assert len(read_ledger(ledger)) == 3
    append_done(ledger, read_ledger(ledger)[2], receipt_sha256="f" * 64)
    assert ledger.read_bytes().startswith(whole)
    assert len(read_ledger(ledger)) == 4


def test_a_line_without_its_head_counts(ledger: Path) -> None:
    """A process that died after its line, but before the head was renewed, has written the line."""
    head = ledger.with_name(HEAD_NAME)
    before = head.read_bytes()
    append_done(ledger, read_ledger(ledger)[2], receipt_sha256="f" * 64)
    head.write_bytes(before)

    assert len(read_ledger(ledger)) == 4


def test_a_broken_ledger_is_not_continued(ledger: Path) -> None:
    """Nothing is appended to a broken ledger, and it is left as it is."""
    data = ledger.read_bytes().replace(b"ada", b"eve")
    ledger.write_bytes(data)

    with pytest.raises(LedgerBrokenError, match="line 1 was changed"):
        append_request(ledger, REQUEST)
    assert ledger.read_bytes() == data


def test_appends_of_several_processes_all_count(tmp_path: Path) -> None:
    """Processes that append at the same time each get a line of their own in one chain."""
    path = tmp_path / "ledger.jsonl"
    script = (
        "import json, sys\nfrom pathlib import Path\n"
        "from indexer.optout.ledger import Request, append_request\n"
        "from indexer.optout.selector import parse_selector\n"
        "for n in range(5):\n"
        "    append_request(Path(sys.argv[1]), Request(selector=parse_selector(owners=['a']),"
        " index='i', corpus_digest='', root='', n_documents=0, removed=()))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], env=dict(os.environ))
        for _ in range(3)
    ]
    codes = [process.wait() for process in processes]

    assert codes == [0, 0, 0]
    assert [entry.number for entry in read_ledger(path)] == list(range(1, 16))


def test_it_cannot_be_written(tmp_path: Path) -> None:
    """Where the ledger's folder cannot be made, the error names the ledger."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "ledger.jsonl"

    with pytest.raises(OptoutError, match=re.escape(str(path))):
        append_request(path, REQUEST)


def test_a_request_with_strange_fields_is_refused(ledger: Path) -> None:
    """A line that was sealed anew, but holds no request, does not pass for one."""
    line = json.loads(ledger.read_bytes().splitlines()[0])
    line["body"]["selector"] = {"anybody": ["x"]}
    ledger.write_bytes(json.dumps(line).encode() + b"\n")

    with pytest.raises(LedgerBrokenError, match="line 1 is no entry"):
        read_ledger(ledger)
