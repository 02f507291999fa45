"""What a target of `starcite trace` means, and what is refused."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from attribution.errors import TargetError
from attribution.target import Target, read_target


@pytest.fixture
def path(tmp_path: Path) -> Path:
    r"""Five lines with four kinds of breaks; a form feed is none of them."""
    path = tmp_path / "x.py"
    path.write_bytes("one\r\ntwo\fé\nthree\rfour\n\nlast".encode())
    return path


@pytest.mark.parametrize(
    ("lines", "text", "start", "whole_lines"),
    [
        ("", "one\r\ntwo\fé\nthree\rfour\n\nlast", 0, (0, 6)),
        (":1", "one\r\n", 0, (0, 1)),
        (":2-3", "two\fé\nthree\r", 5, (1, 3)),
        (":5-6", "\nlast", 22, (4, 6)),
        (":6-6", "last", 23, (5, 6)),
    ],
)
def test_lines_count_from_one_and_are_inclusive(
    path: Path, lines: str, text: str, start: int, whole_lines: tuple[int, int]
) -> None:
    """A range is cut out exactly, and the target says where it was."""
    assert read_target(f"{path}{lines}") == Target(
        name=str(path),
        text=text,
        language="python",
        start=start,
        start_line=whole_lines[0],
        end_line=whole_lines[1],
        start_byte=len(path.read_bytes().decode()[:start].encode()),
        file_sha1=hashlib.sha1(path.read_bytes()).hexdigest(),  # noqa: S324
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (":9-3", "'9-3' is no range of lines"),
        (":0-3", "'0-3' is no range of lines"),
        (":1-", "'1-' is no range of lines"),
        (":a-b", "'a-b' is no range of lines"),
        (":-3", "'-3' is no range of lines"),
        (":", "'' is no range of lines"),
        (":²", "'²' is no range of lines"),
        (":7", "has 6 lines, but lines 7-7 were asked for"),
        (":3-99999999999999999999", "has 6 lines, but lines 3-99999999999999999999"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(path: Path, lines: str, message: str) -> None:
    """The message names the range."""
    with pytest.raises(TargetError, match=re.escape(message)):
        read_target(f"{path}{lines}")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty: there is nothing to trace"),
        (b"\xef\xbb\xbf", "is empty: there is nothing to trace"),
        (b"a = '\0'", "is a binary file"),
        (b"caf\xe9 = 1", "is not UTF-8 (byte 3)"),
    ],
)
def test_what_is_no_text_is_refused(path: Path, data: bytes, message: str) -> None:
    """Empty, binary and wrongly encoded files are told apart."""
    path.write_bytes(data)

    with pytest.raises(TargetError, match=re.escape(message)):
        read_target(str(path))


@pytest.mark.parametrize("name", ["no.py", "no.py:3-4", "no:such/file.py", "a\0b"])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    """A missing file is missing, with a range or without."""
    with pytest.raises(TargetError):
        read_target(str(tmp_path / name))


def test_a_name_that_looks_like_a_range_is_a_name(tmp_path: Path) -> None:
    """A file named with a colon can be traced, whole and in part."""
    path = tmp_path / "log:3-4"
    path.write_text("a\nb\n")

    assert read_target(str(path)).text == "a\nb\n"
    assert read_target(f"{path}:2").text == "b\n"


def test_a_byte_order_mark_is_no_text(path: Path) -> None:
    """Offsets count from the first character after it, as in an editor."""
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")

    assert read_target(str(path)).text == "a = 1\n"


@pytest.mark.parametrize(
    ("name", "language", "expected"),
    [("a.rs", None, "rust"), ("a.rs", "c", "c"), ("notes.unknown", None, "plaintext")],
)
def test_the_name_tells_the_language(
    tmp_path: Path, name: str, language: str | None, expected: str
) -> None:
    """Unless it is given."""
    (tmp_path / name).write_text("x\n")

    assert read_target(str(tmp_path / name), language=language).language == expected
