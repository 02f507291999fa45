from __future__ import annotations

import pytest

from indexer.curate.languages import check_language, languages_of
from indexer.curate.pipeline import Drop
from indexer.text.languages import language_of


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "python"),
        ("B.H", "cpp"),
        ("b.h", "c"),
        ("Makefile", "makefile"),
        ("m.m", "matlab"),
    ],
)
def test_known_extensions_stay(make_record, path: str, language: str) -> None:
    """An extension of several languages is fine for each of them."""
    file = make_record("x", path, language=language)

    assert check_language(file) is file


@pytest.mark.parametrize("path", ["a.bin", "noextension", "a.py.orig", ".py", "a.svg"])
def test_unknown_extensions_go(make_record, path: str) -> None:
    """What is on no list is left out."""
    outcome = check_language(make_record("x", path))

    assert isinstance(outcome, Drop)
    assert outcome.reason == "unknown extension"


def test_a_clash_of_language_and_extension_goes(make_record) -> None:
    """A file that a reader calls Python but that is named like C is neither."""
    outcome = check_language(make_record("x", "a.c"))

    assert isinstance(outcome, Drop)
    assert outcome.reason == "extension of another language"


def test_an_issue_has_no_extension(make_record) -> None:
    """Only files are judged by their names."""
    issue = make_record("x", "issues/12", kind="issue", language="markdown")

    assert check_language(issue) is issue


@pytest.mark.parametrize(
    "path",
    ["a.py", "a.js", "a.tsx", "a.go", "a.rs", "a.cc", "a.cu", "a.el", "a.sh", "a.kts", "a.mk"],
)
def test_the_lexer_and_the_corpus_call_languages_the_same(path: str) -> None:
    """A file that the lexer knows is admitted under the lexer's name of its language."""
    assert language_of(path) in languages_of(path)
