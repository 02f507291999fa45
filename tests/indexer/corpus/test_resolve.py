from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.corpus.errors import FetchError, LockError
from indexer.corpus.lock import LockedPackage
from indexer.corpus.resolve import LeftOut, inspect_wheel, make_lock, read_names

Wheels = Callable[..., Path]
GPL = "GNU GENERAL PUBLIC LICENSE\nVersion 3"


def test_a_names_file_is_read_without_comments(tmp_path: Path) -> None:
    """One requirement a line; comments, blank lines and repetitions do not count."""
    path = tmp_path / "some.names"
    path.write_text("# all of it\n\nsix  # old\ndemo==1.0\nsix\n")

    assert read_names(path) == ["six", "demo==1.0"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "--index-url=x\n", "a b\n", "six>=1\n"])
def test_a_names_file_of_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    """A line that is no name never reaches pip."""
    path = tmp_path / "some.names"
    path.write_text(text)

    with pytest.raises(LockError, match=r"some\.names"):
        read_names(path)


def test_the_newest_pure_wheel_is_locked_and_doubtful_ones_are_left_out(
    make_wheel: Wheels,
) -> None:
    """Each name becomes one locked wheel or a reason; a wheel for Linux is the second choice."""
    make_wheel("demo", version="1.0")
    newest = make_wheel("demo", version="1.10")
    make_wheel("demo", version="1.10", tags="cp311-cp311-manylinux_2_17_x86_64")
    native = make_wheel("native", tags="cp311-cp311-manylinux_2_17_x86_64")
    make_wheel("doubtful", licenses={"LICENSE": GPL})
    told: list[object] = []

    lock, left_out = make_lock(
        ["demo", "native", "doubtful"], standard_library=True, progress=told.append
    )

    assert [newest.name, native.name] == [package.file for package in lock.packages]
    assert lock.standard_library
    reason = "licenses/LICENSE holds a licence that is not permissive: GPL"
    assert [LeftOut("doubtful", reason)] == left_out
    assert len(told) == 3


def test_a_benchmark_is_locked_whatever_its_licence(make_wheel: Wheels) -> None:
    """Nothing of it enters the corpus, so that the gate is not asked."""
    make_wheel("demo")
    problems = make_wheel("problems", licenses={"LICENSE": GPL})

    lock, left_out = make_lock(
        ["demo"], standard_library=False, benchmarks=["problems"], progress=lambda _: None
    )

    assert [(one.name, one.file) for one in lock.benchmarks] == [("problems", problems.name)]
    assert [one.name for one in lock.packages] == ["demo"]
    assert left_out == []


def test_a_name_that_no_index_has_is_an_error(wheel_house: Path) -> None:
    """A misspelt name is named, and no lock is made."""
    with pytest.raises(FetchError, match="no-such-package"):
        make_lock(["no-such-package"], standard_library=False, progress=lambda _: None)


def test_licences_of_vendored_packages_do_not_count(make_wheel: Wheels) -> None:
    """A vendored package's licence neither opens nor closes the gate: its code is not read."""
    wheel = make_wheel(
        "demo",
        licenses={
            "LICENSE": "Permission is hereby granted, free of charge, to any person obtaining a "
            "copy ... The above copyright notice and this permission notice shall be included in",
            "src/demo/_vendor/chardet/LICENSE": "GNU LESSER GENERAL PUBLIC LICENSE",
        },
    )

    outcome = inspect_wheel(wheel)

    assert isinstance(outcome, LockedPackage)
    assert outcome.license_evidence == "License-Expression: MIT; licenses/LICENSE: MIT"
