"""Issues become talks without bots, mail footers and names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.corpus.filters import SkipReason
from indexer.corpus.issues import issue_of, without_names
from indexer.corpus.parts import Part, split_parts
from indexer.corpus.rows import Left
from indexer.source_file import SourceFile

_LONG = "The build stops at the second step and says nothing about why it did so. " * 4


def _row(*events: tuple[str, str], title: str = "Build stops", **fields: object) -> dict[str, Any]:
    tables = [{"author": author, "text": text, "action": "created"} for author, text in events]
    return {"repo": "ann/tools", "number": 7, "title": title, "events": tables, **fields}


def _talk(row: dict[str, Any]) -> list[Part]:
    found = issue_of(row, stem="issues")
    assert isinstance(found, SourceFile), found
    return split_parts(found.text)


def _comments(row: dict[str, Any]) -> list[str]:
    return [part.text for part in _talk(row) if part.role == "comment"]


def test_events() -> None:
    """A talk has its title, then comments by numbered users, then its end."""
    row = _row(("ann", _LONG), ("bob", "Same here."), ("ann", "Fixed."))
    row["events"].append({"author": "ann", "text": None, "action": "closed"})
    found = issue_of(row, stem="issues")

    assert isinstance(found, SourceFile)
    assert (found.kind, found.origin.repository, found.origin.path) == (
        "issue",
        "ann/tools",
        "issues/7",
    )
    assert split_parts(found.text) == [
        Part("title", "Build stops"),
        Part("comment", f"username_0: {_LONG.strip()}"),
        Part("comment", "username_1: Same here."),
        Part("comment", "username_0: Fixed."),
        Part("closed", ""),
    ]


def test_answer_of_the_interface() -> None:
    """The JSON of GitHub's interface reads the same, the repository by the address."""
    row = {
        "title": "Build stops",
        "html_url": "https://github.com/ann/tools/issues/7",
        "number": 7,
        "user": {"login": "ann"},
        "body": _LONG,
        "state": "closed",
        "comments": [{"user": {"login": "bob"}, "body": "Same here."}],
    }
    found = issue_of(row, stem="issues")

    assert isinstance(found, SourceFile)
    assert found.origin.repository == "ann/tools"
    assert [p.role for p in split_parts(found.text)] == ["title", "comment", "comment", "closed"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@a has a bad cat", "@username_0 has a bad cat"),
        ("a test by @test, not attest", "a test by @username_1, not attest"),
        ("Thanks @TEST!", "Thanks @username_1!"),
        ("ann-2 wrote ann-2.py and Ann-2's", "username_2 wrote ann-2.py and username_2's"),
        ("x@ann-2 and a@b and /a/b and @a-b", "x@ann-2 and a@b and /a/b and @a-b"),
        ("JoeSmith and joesmith", "username_3 and joesmith"),
        ("(@a)", "(@username_0)"),
    ],
)
def test_names(text: str, expected: str) -> None:
    """A name is replaced where it stands as one; an author called `a` corrupts no word."""
    assert expected == without_names(text, ["a", "test", "ann-2", "JoeSmith"])


@given(
    words=st.lists(st.text("abtest ", max_size=6), max_size=20),
    authors=st.lists(st.text("abtes", max_size=5), max_size=4),
)
def test_plain_words_stay(words: list[str], authors: list[str]) -> None:
    """Text without an @ keeps its words, whatever ordinary words the authors are called."""
    text = " ".join(words)

    assert text == without_names(text, authors)


@pytest.mark.parametrize(
    "tail",
    [
        "On Mon, Jan 1, 2018 at 1:00 PM Bob <b@example.org> wrote:\nold text",
        "---\nReply to this email directly or view it on GitHub",
        "You are receiving this because you commented.",
        "Sent from my phone",
        "-----Original Message-----\nold text",
        "From: Bob\nSent: Monday\nold text",
        "_" * 20 + "\nold text",
        "> old text",
    ],
)
def test_mail_footers(tail: str) -> None:
    """What mail programs add is cut off."""
    (first, second) = _comments(_row(("ann", _LONG), ("bob", f"Same here.\n{tail}")))

    assert first.startswith("username_0: The build")
    assert second.removesuffix("\n---") == "username_1: Same here."


@pytest.mark.parametrize(("n_lines", "n_kept"), [(80, 80), (81, 81), (200, 81)])
def test_long_comments(n_lines: int, n_kept: int) -> None:
    """Of more than eighty lines, the first sixty and the last twenty stay."""
    lines = [f"line {n} of a long talk" for n in range(n_lines)]
    (comment,) = _comments(_row(("ann", "\n".join(lines))))
    found = comment.removeprefix("username_0: ").split("\n")

    assert len(found) == n_kept
    expected = lines if n_lines <= 80 else [*lines[:60], "[Truncated]", *lines[-20:]]
    assert found == expected


def test_bots_and_their_calls() -> None:
    """A bot's comment goes with the call that made it; other comments stay."""
    row = _row(
        ("ann", _LONG),
        ("bob", "/retest"),
        ("k8s-ci-robot", "Running."),
        ("bob", "Please look.\n@dependabot rebase"),
        ("dependabot[bot]", "Rebased."),
    )

    assert [comment[:11] for comment in _comments(row)] == ["username_0:", "username_1:"]


@pytest.mark.parametrize("author", ["talbot", "Abbott", "robota", "ci"])
def test_people_who_are_no_bots(author: str) -> None:
    """A name that merely holds the letters is no bot's."""
    assert len(_comments(_row(("ann", _LONG), (author, "Same here.")))) == 2


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([("ann", "x" * 199)], SkipReason.LITTLE_TALK),
        ([("ann", "x" * 200)], None),
        ([("ann", "x " * 3501)], SkipReason.LITTLE_TALK),
        ([("ann", "x " * 3501), ("bob", "y")], None),
        ([("ann", "x" * 30)] * 10, None),
        ([("ann", "x" * 30)] * 11, SkipReason.LITTLE_TALK),
        ([("stale[bot]", _LONG), ("ann", _LONG)], SkipReason.BOT),
    ],
)
def test_what_is_a_talk(events: list[tuple[str, str]], reason: SkipReason | None) -> None:
    """Two users talk, or one who says neither too little nor too much."""
    found = issue_of(_row(*events), stem="issues")

    assert reason == (found.reason if isinstance(found, Left) else None)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["author", "text", "user", "login", "body", "action"]), inner
        )
    ),
    max_leaves=12,
)


@given(
    row=st.dictionaries(
        st.sampled_from(["events", "title", "comments", "body", "user", "number", "html_url"]),
        _VALUES,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_values(row: dict[str, Any]) -> None:
    """Whatever types an issue holds, it is a talk or left out."""
    found = issue_of(row, stem="issues")

    assert isinstance(found, Left) or split_parts(found.text)[0].role == "title"
