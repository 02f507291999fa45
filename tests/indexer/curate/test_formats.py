"""Records become documents in the formats of the StarCoder family."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.corpus.parts import Part, join_parts
from indexer.curate.formats import format_document, star_bucket
from indexer.curate.sentinels import END_OF_TEXT, SENTINELS
from indexer.source_file import Kind, SourceFile

MakeRecord = Callable[..., SourceFile]

_ISSUE = [Part("title", "It stops"), Part("comment", "username_0: Why?")]
_ISSUE += [Part("comment", "username_1: Fixed."), Part("closed", "")]
_COMMIT = [Part("before", "x = 1\n"), Part("message", "Count up"), Part("after", "x = 2\n")]
_NOTEBOOK = [Part("markdown", "# A"), Part("markdown", "B "), Part("code", "1"), Part("code", "2")]
_NOTEBOOK += [Part("output", "2"), Part("markdown", "C"), Part("code", " 3\n")]


@pytest.mark.parametrize(
    ("kind", "parts", "expected"),
    [
        (
            "issue",
            _ISSUE,
            "<issue_start>Title: It stops\nusername_0: Why?<issue_comment>username_1: Fixed."
            "<issue_closed><|endoftext|>",
        ),
        (
            "commit",
            _COMMIT,
            "<commit_before>x = 1\n<commit_msg>Count up<commit_after>x = 2\n<|endoftext|>",
        ),
        (
            "notebook",
            _NOTEBOOK,
            "<jupyter_start><jupyter_text># A\nB<jupyter_code>1<jupyter_output><empty_output>"
            "<jupyter_code>2<jupyter_output>2<jupyter_text>C<jupyter_code>3"
            "<jupyter_output><empty_output><|endoftext|>",
        ),
    ],
)
def test_texts_of_parts(
    make_record: MakeRecord, kind: Kind, parts: list[Part], expected: str
) -> None:
    """Issues, commits and notebooks have their own sentinels."""
    assert expected == format_document(make_record(join_parts(parts), kind=kind))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"repository": "ann/tools", "stars": 12},
            "<reponame>ann/tools<filename>pkg/mod.py<gh_stars>10-100\nx = 1\n<|endoftext|>",
        ),
        ({}, "<reponame>pkg<filename>pkg/mod.py\nx = 1\n<|endoftext|>"),
        (
            {"kind": "notebook", "stars": 0},
            "<reponame>pkg<filename>pkg/mod.py<gh_stars>0\nx = 1\n<|endoftext|>",
        ),
    ],
)
def test_file_with_every_tag(
    make_record: MakeRecord, fields: dict[str, object], expected: str
) -> None:
    """A file names its repository, its path and its stars where they are known."""
    assert expected == format_document(make_record("x = 1\n", **fields), tag_rate=1)


def test_file_without_tags(make_record: MakeRecord) -> None:
    """Without a tag, a document begins with the text itself."""
    assert format_document(make_record("x = 1\n"), tag_rate=0) == "x = 1\n<|endoftext|>"


def test_rate_of_the_tags(make_record: MakeRecord) -> None:
    """Each tag stands in a fifth of the files, on its own."""
    files = [make_record(f"x = {n}\n", stars=3) for n in range(4000)]
    heads = [format_document(file).split("x = ")[0] for file in files]
    tags = ("<reponame>", "<filename>", "<gh_stars>")
    rates = [sum(tag in head for head in heads) / 4000 for tag in tags]
    both = sum(tags[0] in head and tags[1] in head for head in heads) / 4000

    assert rates == pytest.approx([0.2] * 3, abs=0.025)
    assert both == pytest.approx(0.04, abs=0.015)


def test_seed_decides(make_record: MakeRecord) -> None:
    """The same seed gives the same documents, another seed others."""
    files = [make_record(f"x = {n}\n", stars=3) for n in range(50)]
    runs = [[format_document(file, seed=seed) for file in files] for seed in (0, 0, 1)]

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize(
    ("stars", "bucket"),
    [
        (0, "0"),
        (1, "1-10"),
        (10, "1-10"),
        (11, "10-100"),
        (100, "10-100"),
        (101, "100-1000"),
        (1000, "100-1000"),
        (1001, "1000+"),
    ],
)
def test_buckets(stars: int, bucket: str) -> None:
    """Stars are told in five buckets."""
    assert bucket == star_bucket(stars)


_TEXT = st.lists(st.sampled_from([*SENTINELS, "<", "x", "\n", "fim_pad>", "\x1f"])).map("".join)


@given(texts=st.tuples(_TEXT, _TEXT, _TEXT), kind=st.sampled_from(["issue", "commit", "notebook"]))
@settings(deadline=None)
def test_foreign_sentinels(
    make_record: MakeRecord, texts: tuple[str, str, str], kind: Kind
) -> None:
    """Whatever a text says, a document has the sentinels of its format and no more."""
    roles = {
        "issue": ("title", "comment", "comment"),
        "commit": ("before", "message", "after"),
        "notebook": ("markdown", "code", "output"),
    }[kind]

    def sentinels_of(parts: list[Part]) -> list[str]:
        document = format_document(make_record(join_parts(parts), kind=kind))
        found = [(document.find(s, i), s) for s in SENTINELS for i in range(len(document))]
        return [s for _, s in sorted({(at, s) for at, s in found if at >= 0})]

    plain = sentinels_of([Part(role, "x") for role in roles])
    assert plain == sentinels_of([Part(*part) for part in zip(roles, texts, strict=True)])


@given(text=_TEXT, path=_TEXT)
def test_foreign_sentinels_in_a_file(make_record: MakeRecord, text: str, path: str) -> None:
    """A file's text and path add no sentinel."""
    document = format_document(make_record(text, path or "a.py", stars=1), tag_rate=1)
    expected = ["<reponame>", "<filename>", "<gh_stars>", END_OF_TEXT]

    assert sorted(expected) == sorted(s for s in SENTINELS for _ in range(document.count(s)))


def test_damaged_parts(make_record: MakeRecord) -> None:
    """A commit that no reader made is refused."""
    with pytest.raises(ValueError, match="a commit has a text before"):
        format_document(make_record(join_parts(_COMMIT[:2]), kind="commit"))
    with pytest.raises(ValueError, match="begins with"):
        format_document(make_record("x = 1\n", kind="issue"))
