"""The two stages of de-duplication, and what the kept record takes over."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.curate.exact import exact_dedup
from indexer.curate.near_dedup import near_dedup
from indexer.curate.pipeline import Drop, Stage
from indexer.curate.spool import Spool, SpoolWriter
from indexer.source_file import Origin, SourceFile

LINES = [f"name_{n} = call_{n}(value_{n}, other_{n}, {n})" for n in range(60)]


def make(text: str, path: str, **changes: object) -> SourceFile:
    origin = Origin(
        source="git",
        name="repo",
        version="",
        path=path,
        spdx_id="MIT",
        license_evidence="LICENSE: MIT",
        repository=f"owner-of-{path}/repo",
    )
    stars = changes.pop("stars", None)
    kind = changes.pop("kind", "file")
    return SourceFile(
        text=text,
        language="python",
        origin=replace(origin, **changes),  # type: ignore[arg-type]
        stars=stars,  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
    )


def edited(n_changed: int) -> str:
    return "\n".join(["edited = 1"] * n_changed + LINES[n_changed:])


def run(stage: Stage, files: list[SourceFile]) -> tuple[list[SourceFile], dict[str, Drop]]:
    dropped: dict[str, Drop] = {}

    def on_drop(file: SourceFile, drop: Drop) -> None:
        dropped[file.origin.path] = drop

    return list(stage.sweep(files, on_drop)), dropped


def test_equal_texts_become_one_with_all_their_origins(tmp_path: Path) -> None:
    """Whoever published the text is found on the record that stays."""
    files = [make("x = 1\n", "b/long.py"), make("y = 2\n", "y.py"), make("x = 1\n", "a.py")]

    kept, dropped = run(exact_dedup(tmp_path), files)

    assert [file.origin.path for file in kept] == ["y.py", "a.py"]
    assert [(twin.owner, twin.relation) for twin in kept[1].twins] == [("owner-of-b", "same")]
    assert dropped == {"b/long.py": Drop("exact duplicate", "pkg:generic/repo@ a.py")}
    assert list(tmp_path.iterdir()) == []


def test_near_duplicates_leave_their_origins_behind(tmp_path: Path) -> None:
    """A near twin's origins, and those of its own twins, are marked as near on what stays."""
    exact_twin = make(edited(3), "copy.py").origin
    twin = replace(make(edited(3), "near.py"), twins=(exact_twin,))
    other = make("\n".join(reversed(LINES)) + " unrelated words at the end", "other.py")

    kept, dropped = run(near_dedup(tmp_path), [make(edited(0), "a.py"), other, twin])

    assert [file.origin.path for file in kept] == ["a.py", "other.py"]
    assert [(one.path, one.relation) for one in kept[0].twins] == [
        ("copy.py", "near"),
        ("near.py", "near"),
    ]
    assert kept[1].twins == ()
    assert dropped["near.py"].reason == "near duplicate"
    assert dropped["near.py"].detail == "0.93 alike: pkg:generic/repo@ a.py"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"path": "long/path/to/z.py"}, {"path": "a.py", "spdx_id": ""}),
        (
            {"path": "z.py", "first_seen": "2015-01-02"},
            {"path": "a.py", "first_seen": "2016-01-01"},
        ),
        ({"path": "z.py", "first_seen": "2015-01-02"}, {"path": "a.py"}),
        ({"path": "z.py", "stars": 10}, {"path": "a.py", "stars": 9}),
        ({"path": "z.py"}, {"path": "aa.py"}),
        ({"path": "a.py"}, {"path": "b.py"}),
    ],
)
def test_the_best_of_a_cluster_stays(
    better: dict[str, object], worse: dict[str, object], tmp_path: Path
) -> None:
    """Licence, date, stars, length of the path, path: in this order, whatever comes first."""
    files = [make(edited(1), **worse), make(edited(0), **better)]  # type: ignore[arg-type]

    for order in (files, files[::-1]):
        kept, _ = run(near_dedup(tmp_path), order)
        assert [file.origin.path for file in kept] == [better["path"]]


def test_stages_give_the_same_records_in_any_order(tmp_path: Path) -> None:
    """Shuffled input gives the same records, each with the same twins."""
    files = [make(edited(n), f"{'d' * n}/m{n}.py") for n in range(30)]
    files += [make(edited(n % 7), f"copy/{n}.py") for n in range(20)]
    outcomes = []
    for seed in range(3):
        shuffled = files.copy()
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - reproducible test data
        unique, _ = run(exact_dedup(tmp_path), shuffled)
        kept, _ = run(near_dedup(tmp_path), unique)
        outcomes.append(sorted(map(repr, kept)))

    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert 1 < len(outcomes[0]) < 10


def test_every_origin_survives(tmp_path: Path) -> None:
    """What went in is found again, as an origin or among the twins, exactly once."""
    files = [make(edited(n % 23), f"p/{n}.py") for n in range(60)]

    unique, _ = run(exact_dedup(tmp_path), files)
    kept, _ = run(near_dedup(tmp_path), unique)

    found = [origin.path for file in kept for origin in (file.origin, *file.twins)]
    assert sorted(found) == sorted(file.origin.path for file in files)


def test_files_of_different_kinds_are_no_twins(tmp_path: Path) -> None:
    """An issue that is nothing but a file's text stays beside the file."""
    files = [make(edited(0), "a.py"), make(edited(0), "1", kind="issue")]

    assert run(exact_dedup(tmp_path), files)[0] == files
    assert run(near_dedup(tmp_path), files)[0] == files


@pytest.mark.parametrize("make_stage", [exact_dedup, near_dedup])
def test_nothing_in_gives_nothing_out(make_stage: type[Stage], tmp_path: Path) -> None:
    """An empty corpus is no error."""
    assert run(make_stage(tmp_path / "new"), []) == ([], {})  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("make_stage", [exact_dedup, near_dedup])
def test_what_was_spilled_is_removed_when_reading_stops(
    make_stage: type[Stage], tmp_path: Path
) -> None:
    """A consumer that stops early leaves nothing behind."""
    stage = make_stage(tmp_path)  # type: ignore[call-arg, arg-type]
    sweep = stage.sweep([make(edited(0), "a.py"), make("other", "b.py")], lambda *_: None)

    next(sweep)
    assert list(tmp_path.iterdir()) != []
    sweep.close()  # type: ignore[attr-defined]

    assert list(tmp_path.iterdir()) == []


def test_a_spool_gives_back_what_was_put_in(tmp_path: Path) -> None:
    """Records come back equal, in order or by number, over several parts; others are refused."""
    files = [make(f"text {n} \ud800\r\n", f"{n}.py", stars=n) for n in range(5)]
    parts = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for part, some in zip(parts, (files[:2], [], files[2:]), strict=True):
        with SpoolWriter(part) as writer:
            for file in some:
                writer.add(file)

    spool = Spool(parts)

    assert list(spool) == files
    assert [spool[number] for number in (4, 0, 2)] == [files[4], files[0], files[2]]
    assert [spool.numbers(part) for part in range(3)] == [range(2), range(2, 2), range(2, 5)]
    with pytest.raises(IndexError, match="no record 5"):
        spool[5]
