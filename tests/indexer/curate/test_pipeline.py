from __future__ import annotations

from collections.abc import Iterable, Iterator

from indexer.curate import Drop, Dropped, Stage, Step, curate
from indexer.curate.pipeline import DropCounts, OnDropInStage
from indexer.source_file import SourceFile


def _shout(file: SourceFile) -> SourceFile:
    return SourceFile(text=file.text.upper(), language=file.language, origin=file.origin)


def _no_short(file: SourceFile) -> SourceFile | Drop:
    return file if len(file.text) > 2 else Drop("short", str(len(file.text)))


def _in_reverse(files: Iterable[SourceFile], on_drop: OnDropInStage) -> Iterator[SourceFile]:
    *others, last = files
    on_drop(last, Drop("last"))
    yield from reversed(others)


def test_steps_run_in_order_and_each_drop_says_where_and_why(make_record) -> None:
    """A changed file goes on to the next step; a dropped one goes nowhere and is told about."""
    dropped: list[Dropped] = []
    files = [make_record("abc"), make_record("x")]

    kept = list(curate(files, [Step("shout", _shout), Step("size", _no_short)], dropped.append))

    assert [file.text for file in kept] == ["ABC"]
    assert [(d.step, d.drop, d.file.text) for d in dropped] == [("size", Drop("short", "1"), "X")]


def test_a_stage_sees_what_the_steps_before_it_leave(make_record) -> None:
    """Steps after a stage see what the stage gives back, in its order."""
    counts = DropCounts()
    files = [make_record(text) for text in ("one", "a", "three", "four")]
    steps = [Step("size", _no_short), Stage("turn", _in_reverse), Step("shout", _shout)]

    kept = [file.text for file in curate(files, steps, counts)]

    assert kept == ["THREE", "ONE"]
    assert dict(counts.n_files) == {("size", "short"): 1, ("turn", "last"): 1}
    assert dict(counts.n_bytes) == {("size", "short"): 1, ("turn", "last"): 4}


def test_counts_go_on_from_rows() -> None:
    """Rows of counts, added up, give the counts they came from."""
    counts = DropCounts()
    counts.n_files["a", "b"], counts.n_bytes["a", "b"] = 2, 7

    twice = DropCounts.of(counts.rows() * 2)

    assert [(row.step, row.reason, row.n_files, row.n_bytes) for row in twice.rows()] == [
        ("a", "b", 4, 14)
    ]
