"""What was forgotten is silent in every way of asking: at once, compacted, and built anew."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attribution import Tracer, Verdict
from attribution.probe import TraceProbe
from indexer import Index
from indexer.add import add_segment
from indexer.build import build_index
from indexer.compact import compact_index
from indexer.errors import IndexBuildError
from indexer.optout.forget import Outcome, Setting, forget
from indexer.optout.ledger_filter import without_forgotten
from indexer.optout.receipt import verify_receipt
from indexer.optout.requery import IndexProbe
from indexer.optout.resolve import resolve
from indexer.optout.selector import parse_selector
from indexer.source_file import Kind, Origin, SourceFile

OWNER = "canaryowner"


def code(seed: int) -> str:
    """Python that no other seed gives: every line holds words of its own."""
    chosen = random.Random(seed)  # noqa: S311
    words = ["".join(chosen.choices("abcdefghijklmnop", k=9)) for _ in range(240)]
    rows = zip(words[::4], words[1::4], words[2::4], words[3::4], strict=True)
    return "".join(f"{a} = {b}({c}, {d})\n" for a, b, c, d in rows)


def make(seed: int, repository: str, path: str, kind: Kind = "file") -> SourceFile:
    origin = Origin(
        source="git",
        name=repository.partition("/")[2],
        version="1",
        path=path,
        spdx_id="MIT",
        license_evidence="LICENSE",
        repository=repository,
    )
    return SourceFile(text=code(seed), language="python", origin=origin, kind=kind)


def corpus() -> tuple[list[SourceFile], list[SourceFile]]:
    """(canaries, bystanders); others published one canary, too, and a near twin of another one."""
    mine = f"{OWNER}/nest"
    alone, shared = make(1, mine, "alone.py"), make(2, mine, "shared.py")
    near = make(3, "other/flock", "kept.py")
    near = replace(near, twins=(replace(alone.origin, path="near.py", relation="near"),))
    canaries = [
        alone,
        shared,
        replace(shared, origin=replace(alone.origin, repository="other/copy")),
        near,
        make(4, mine, "notes.ipynb", "notebook"),
        make(5, mine, "issues/7", "issue"),
        make(6, mine, "commits/abc", "commit"),
    ]
    return canaries, [make(100 + n, f"other/repo{n}", f"m{n}.py") for n in range(6)]


CANARIES, BYSTANDERS = corpus()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of canaries and bystanders in a data home of its own."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))
    built = tmp_path / "index" / "default"
    build_index([*BYSTANDERS[:3], *CANARIES, *BYSTANDERS[3:]], built)
    return built


def pieces(file: SourceFile) -> Iterator[str]:
    """The whole text and several parts of it."""
    lines = file.text.splitlines(keepends=True)
    yield file.text
    for first in range(0, len(lines), 15):
        yield "".join(lines[first : first + 15])


def heard(path: Path, file: SourceFile, tracer: Tracer) -> list[str]:
    """The pieces of a file that its text can still be found by, in any way."""
    with Index.open(path) as index:
        return [
            piece
            for piece in pieces(file)
            if tracer.trace(piece).verdict is not Verdict.NONE or index.search(piece, top_k=50)
        ]


def forget_owner(path: Path) -> Outcome:
    with Index.open(path) as index:
        shown = resolve(index, parse_selector(owners=[OWNER]))
    return forget(shown, Setting(index=path, openers=[IndexProbe, TraceProbe]))


def silent_share(path: Path, tracer: Tracer) -> float:
    """How many of the canaries no piece is heard of."""
    return sum(not heard(path, file, tracer) for file in CANARIES) / len(CANARIES)


def loud_share(path: Path, tracer: Tracer) -> float:
    """How many of the bystanders are found by every piece."""
    n_pieces = len(list(pieces(BYSTANDERS[0])))
    n_loud = sum(len(heard(path, file, tracer)) == n_pieces for file in BYSTANDERS)
    return n_loud / len(BYSTANDERS)


def test_canaries_are_silent_everywhere(path: Path) -> None:
    """Forgotten files, twins, notebooks, issues and commits are silent, and all others are not."""
    files = [*BYSTANDERS, *CANARIES]
    with Index.open(path) as index:
        open_all_the_while = Tracer(index)
        assert silent_share(path, open_all_the_while) == 0
        outcome = forget_owner(path)
        proven = verify_receipt(outcome.receipt.read_bytes())
        shares = {"at once": (silent_share(path, open_all_the_while), proven.n_removed)}

    compact_index(path)
    with Index.open(path) as index:
        shares["compacted"] = silent_share(path, Tracer(index)), index.manifest.n_documents
        assert loud_share(path, Tracer(index)) == 1
    build_index(without_forgotten(files), path)
    with Index.open(path) as index:
        shares["built anew"] = silent_share(path, Tracer(index)), index.manifest.n_documents
        assert loud_share(path, Tracer(index)) == 1
    with pytest.raises(IndexBuildError, match="no source files to add"):
        add_segment(without_forgotten(CANARIES), path)

    assert shares == {"at once": (1, 6), "compacted": (1, 6), "built anew": (1, 6)}


def test_removed_text_is_gone_from_the_disk_after_compaction(path: Path) -> None:
    """After compaction no file of the index holds a word of a canary, nor its digest."""
    forget_owner(path)
    compact_index(path)
    with Index.open(path) as index:
        texts = "".join(index.text(document_id) for document_id in index.live_document_ids())
    words = {word for file in CANARIES for word in file.text.split()[::3] if word.isalpha()}
    on_disk = b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())

    assert not [word for word in words if word in texts or word.encode() in on_disk]
    assert OWNER.encode() not in on_disk


def test_the_receipt_asked_the_tracer(path: Path) -> None:
    """The transcript holds a trace of each piece that found the document before, and not after."""
    outcome = forget_owner(path)
    proven = verify_receipt(outcome.receipt.read_bytes())

    assert proven.n_questions == 2 * 3 * proven.n_removed
    assert b'"probe": "trace"' in outcome.receipt.read_bytes()
    assert outcome.receipt.read_bytes().count(b'"was_found": true') == 2 * proven.n_removed
