"""`starcite index forget` as a process: whatever happens to it, what was asked for is done once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.build import Part, build_segments
from indexer.curate.frozen import default_digest, read_frozen
from indexer.index import Index
from indexer.optout.ledger import DONE, FORGET, ledger_path, pending, read_ledger
from indexer.optout.ledger_filter import without_forgotten
from indexer.optout.receipt import verify_receipt
from indexer.source_file import SourceFile

OWNER = "canaryowner"
N_CANARIES = 6
Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(home: Path) -> Run:
    """Starts the command in a process of its own; `before` is Python that comes first."""

    def starcite(*arguments: object, before: str = "") -> subprocess.Popen[str]:
        script = f"import sys\n{before}\nimport starcite\nstarcite.main(prog_name='starcite')"
        return subprocess.Popen(
            [sys.executable, "-c", script, "index", *map(str, arguments)],
            env={"STARCITE_HOME": str(home), "PATH": ""},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return starcite


def finish(process: subprocess.Popen[str], typed: str = "") -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a process that is given some lines."""
    out, err = process.communicate(typed)
    return process.returncode, out, err


def live_owners(path: Path) -> set[str]:
    with Index.open(path) as index:
        documents = [index.document(one) for one in index.live_document_ids()]
    return {origin.owner.lower() for one in documents for origin in one.origins}


def dying(module: str, name: str, *, when: str) -> str:
    """Python that kills the process, as `kill -9` does, before or after a function's first call."""
    calls = {"before": "die()", "after": "result = real(*args, **kwargs); die()"}[when]
    return (
        f"import os, signal\nimport {module} as module\nreal = module.{name}\n"
        "def die():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"def dying(*args, **kwargs):\n    {calls}\n    return result\n"
        f"module.{name} = dying\n"
    )


MOMENTS = {
    "before the ledger's line": ("indexer.optout.forget", "append_request", "before"),
    "between the line and its head": ("indexer.optout.ledger", "_write_head", "before"),
    "after the ledger's line": ("indexer.optout.forget", "append_request", "after"),
    "before the new generation": ("indexer.optout.forget", "publish", "before"),
    "after the tombstones": ("indexer.optout.forget", "publish", "after"),
    "while the index is asked again": ("indexer.optout.forget", "ask_again", "before"),
    "before the receipt": ("indexer.optout.forget", "write_file", "before"),
    "after the receipt": ("indexer.optout.forget", "write_file", "after"),
    "after all of it": ("indexer.optout.forget", "append_done", "after"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_finished_by_the_next(
    built: Path, start: Run, corpus: list[SourceFile], moment: str
) -> None:
    """Killed at any moment, the next run leaves one request, carried out, with a good receipt."""
    module, name, when = MOMENTS[moment]
    asked = ("forget", "--owner", OWNER, "--yes", "--json")
    code, _, _ = finish(start(*asked, before=dying(module, name, when=when)))
    assert code == -signal.SIGKILL
    begun = [entry for entry in read_ledger(ledger_path()) if entry.kind == FORGET]
    if OWNER not in live_owners(built):  # never without a line in the ledger
        assert len(begun) == 1
    if begun:  # from then on nothing of it is indexed again, though the run is dead
        assert OWNER not in {file.origin.owner.lower() for file in without_forgotten(corpus)}

    code, out, err = finish(start(*asked))

    assert code == 0, err
    entries = read_ledger(ledger_path())
    assert [entry.kind for entry in entries] == [FORGET, DONE]
    assert pending(entries, built) == []
    assert OWNER not in live_owners(built)
    (receipt,) = (ledger_path().parent / "receipts").glob("*.json")
    proven = verify_receipt(receipt.read_bytes())
    assert (proven.n_removed, proven.n_asked) == (N_CANARIES, N_CANARIES)
    done = json.loads(out)["done"]
    assert [one["receipt"] for one in done] == (
        [] if moment == "after all of it" else [str(receipt)]
    )


def test_what_was_begun_is_finished_by_any_request(built: Path, start: Run) -> None:
    """A run that asks for something else finishes what an earlier one began, and says so."""
    module, name, when = MOMENTS["after the ledger's line"]
    finish(start("forget", "--owner", OWNER, "--yes", before=dying(module, name, when=when)))
    assert OWNER in live_owners(built)
    code, out, err = finish(start("forget", "--package", "package1", "--yes"))

    assert (code, "finished what was begun" in err) == (0, True)
    assert len(list((ledger_path().parent / "receipts").glob("*.json"))) == 2
    assert {OWNER, "package1"}.isdisjoint(live_owners(built))
    assert "6 documents forgotten" in out
    assert "1 documents forgotten" in out


def test_two_at_a_time_are_refused_by_name(built: Path, start: Run) -> None:
    """While one process forgets, another one is refused and told which lock is held."""
    before = (
        "import indexer.optout.forget as module\nreal = module.append_request\n"
        "def waiting(*args):\n"
        "    print('holding', flush=True)\n    sys.stdin.readline()\n    return real(*args)\n"
        "module.append_request = waiting\n"
    )
    first = start("forget", "--owner", OWNER, "--yes", before=before)
    assert first.stdout is not None
    assert first.stdout.readline() == "holding\n"
    code, out, err = finish(start("forget", "--package", "package1", "--yes"))

    assert (code, out) == (3, "")
    assert ".default.lock" in err
    assert len(err.splitlines()) == 1
    assert finish(first, "go on\n")[0] == 0
    assert "package1" in live_owners(built)


def test_it_asks_first(built: Path, start: Run) -> None:
    """Without --yes it shows what will go and does nothing unless told to."""
    for answer, expected in (("n\n", 1), ("", 1), ("y\n", 0)):
        code, out, err = finish(start("forget", "--owner", OWNER), answer)

        assert code == expected, err
        assert f"owner {OWNER}: 6 of 14 documents" in out
        assert "1 only stand for a near-duplicate" in out
        assert "2 were published in other places, too" in out
        assert (OWNER in live_owners(built)) is (expected == 1)
        assert ledger_path().exists() is (expected == 0)


def files_in(folder: Path) -> dict[Path, bytes]:
    """Every file but the locks that a reader of BM25 leaves."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in paths if path.suffix != ".lock"}


def test_a_dry_run_changes_nothing(built: Path, start: Run, home: Path) -> None:
    """A dry run prints what would go, and leaves every file as it was."""
    before = files_in(home)
    code, out, _ = finish(start("forget", "--repo", f"{OWNER}/nest", "--dry-run", "--json"))
    record = json.loads(out)

    assert code == 0
    assert record["counts"]["n_documents"] == N_CANARIES
    assert len(record["documents"]) == N_CANARIES
    assert record["done"] == []
    assert files_in(home) == before


def test_a_second_time_is_nothing_to_do(built: Path, start: Run) -> None:
    """What is out already is asked for once only: no second line, no second receipt."""
    assert finish(start("forget", "--owner", OWNER, "--yes"))[0] == 0
    code, out, _ = finish(start("forget", "--owner", OWNER.upper(), "--yes"))

    assert (code, len(read_ledger(ledger_path()))) == (0, 2)
    assert "nothing, in none of 8 documents" in out


def test_who_is_not_in_it_can_ask_as_well(built: Path, start: Run, tmp_path: Path) -> None:
    """A request that matches nothing is kept for later files, without a receipt of nothing."""
    copy = tmp_path / "receipt.json"
    code, out, _ = finish(start("forget", "--owner", "future", "--yes", "--receipt", copy))
    again, _, _ = finish(start("forget", "--package", "package1", "--yes", "--json"))
    entries = read_ledger(ledger_path())

    assert (code, again) == (0, 0)
    assert "there is no receipt; the ledger keeps out of later builds: owner future" in out
    assert not copy.exists()
    assert [(entry.kind, entry.number) for entry in entries] == [
        (FORGET, 1),
        (FORGET, 2),
        (DONE, 3),
    ]
    assert entries[0].request.removed == ()
    receipts = ledger_path().parent / "receipts"
    assert [path.name for path in receipts.glob("*.json")] == ["000002.json"]


def test_a_repository_that_is_none_is_refused(built: Path, start: Run) -> None:
    """A malformed repository ends with 2, and neither a ledger nor a receipt is written."""
    for asked in ("a/b/c/d", "https://github.com/a/b/tree/main", "a", "a//b", "a/b c"):
        code, out, err = finish(start("forget", "--repo", asked, "--yes"))

        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        assert f"--repo {asked!r}" in err or "is no name" in err
    assert not ledger_path().parent.exists()


def test_models_that_come_with_the_program_are_named(
    built: Path, start: Run, corpus: list[SourceFile]
) -> None:
    """Who forgets something of the corpus that shipped models were trained on is told of them."""
    frozen = read_frozen(default_digest()).corpus_digest
    build_segments([Part(files=corpus, corpus=frozen)], built)
    code, out, err = finish(start("forget", "--owner", OWNER, "--yes", "--json"))
    assert code == 0, err
    receipt = json.loads(Path(json.loads(out)["done"][0]["receipt"]).read_bytes())
    named = {one["name"]: one["relation"] for one in receipt["models"]["checked"]}

    assert named == {"starcite-tiny": "trained_on", "starencoder-tiny": "trained_on"}
    assert "starcite-tiny, starencoder-tiny" in receipt["models"]["statement"]


BEFORE_ASKING = (
    "import sys\nimport indexer.optout.forget as module\nreal = module.make_receipt\n"
    "def waiting(**named):\n"
    "    print('holding', flush=True)\n    sys.stdin.readline()\n    return real(**named)\n"
    "module.make_receipt = waiting\n"
)


def test_others_write_while_a_receipt_is_made(
    built: Path, start: Run, canaries: list[SourceFile]
) -> None:
    """While a receipt is made, the index is compacted, others are forgotten, and it still holds."""
    first = start("forget", "--owner", OWNER, "--yes", "--json", before=BEFORE_ASKING)
    assert first.stdout is not None
    assert first.stdout.readline() == "holding\n"
    second = finish(start("forget", "--package", "package1", "--yes"))
    compacted = finish(start("compact"))

    assert (second[0], compacted[0]) == (0, 0), (second, compacted)
    assert "finished what was begun" not in second[2]
    assert live_owners(built).isdisjoint({OWNER, "package1"})
    code, out, err = finish(first, "go on\n")
    assert code == 0, err
    proven = verify_receipt(Path(json.loads(out)["done"][0]["receipt"]).read_bytes())
    assert (proven.n_removed, proven.n_asked) == (len(canaries), len(canaries))
    assert pending(read_ledger(ledger_path()), built) == []


def test_everything_can_be_forgotten(built: Path, start: Run) -> None:
    """An index of which nothing is left proves absence by the empty tree, and still answers."""
    code, _, err = finish(start("forget", "--path", "**", "--yes"))
    (receipt,) = (ledger_path().parent / "receipts").glob("*.json")

    assert code == 0, err
    assert verify_receipt(receipt.read_bytes()).n_removed == 14
    assert live_owners(built) == set()


def test_errors_are_one_line(home: Path, start: Run) -> None:
    """A bad request ends with 2, a missing index with 3; each says so in one line."""
    for arguments, code, said in (
        (("forget", "--yes"), 2, "nothing is asked for"),
        (("forget", "--owner", "a/b", "--yes"), 2, "ask with --repo"),
        (("forget", "--owner", "a", "--yes"), 3, "starcite index build"),
        (("find", "--swhid", "swh:1:rev:00"), 2, "names no content"),
        (("find", "--owner", "a"), 3, "starcite index build"),
        (("verify-receipt", "none.json"), 3, "cannot read none.json"),
        (("verify-receipt", "none.json", "--key", "x"), 2, "hexadecimal"),
    ):
        actual, out, err = finish(start(*arguments))

        assert (actual, out, len(err.splitlines())) == (code, "", 1), err
        assert said in err


def test_a_broken_ledger_stops_it(built: Path, start: Run) -> None:
    """Over a broken ledger nothing is forgotten, found or built."""
    assert finish(start("forget", "--package", "package1", "--yes"))[0] == 0
    ledger_path().write_bytes(ledger_path().read_bytes().replace(b"package1", b"package2"))
    for command in (("forget", "--owner", OWNER, "--yes"), ("find", "--owner", OWNER)):
        code, _, err = finish(start(*command))

        assert code == 3
        assert "line 1 was changed" in err
    assert OWNER in live_owners(built)


def test_a_receipt_is_checked_elsewhere(built: Path, start: Run, tmp_path: Path) -> None:
    """A copy verifies without index or data home; a changed one ends with 3."""
    copy = tmp_path / "copy.json"
    finish(start("forget", "--owner", OWNER, "--yes", "--receipt", copy))
    _, key, _ = finish(start("receipt-key"))
    script = "import starcite\nstarcite.main(prog_name='starcite')"

    def verify(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script, "index", "verify-receipt", str(copy), *more],
            env={"STARCITE_HOME": str(tmp_path / "elsewhere"), "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )

    assert verify("--key", key.strip()).returncode == 0
    assert json.loads(verify("--json").stdout)["n_removed"] == N_CANARIES
    wrong = verify("--key", "0" * 64)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (3, 1)
    copy.write_bytes(copy.read_bytes().replace(OWNER.encode(), b"anotherownr"))
    tampered = verify()
    assert (tampered.returncode, tampered.stdout) == (3, "")
    assert "does not hold" in tampered.stderr
    assert not (tmp_path / "elsewhere").exists()
