"""Lexemes against a slow, obvious oracle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text import lex as lex_module
from indexer.text.languages import language_of, syntax_of
from indexer.text.lex import lex, start_hypotheses

ORACLE = re.compile(rb"[0-9A-Za-z_\x80-\xff]+|[^0-9A-Za-z_\x80-\xff \t\n\r\v\f]")
PIECES = [
    *rb"""name x1 _ # ' " ''' \ ( == // /* */ -- ` <!-- --> {- -} --[[ ]]""".split(),
    *(b'"""', b"\xc3\xa9", b"\xff", b" ", b"\n", b"\r\n", b"\t", b"\f", b"\0"),
]
CODE = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)
LANGUAGES = st.sampled_from(
    ["python", "ruby", "shell", "c", "java", "javascript", "rust", "php", "css", "sql", "lua"]
) | st.sampled_from(["haskell", "lisp", "html", "json", "no such language"])


def words(text: bytes, language: str = "python", **options: bytes | bool) -> list[bytes]:
    found = lex(text, language, **options)  # type: ignore[arg-type]
    return [text[a:b] for a, b in zip(found.starts, found.ends, strict=True)]


@given(st.one_of(st.binary(max_size=300), CODE))
def test_lexemes_are_those_of_the_oracle(text: bytes) -> None:
    """With comments kept, lexemes are runs of word bytes and single other bytes, in order."""
    assert words(text, keep_comments=True) == ORACLE.findall(text)


@given(st.lists(CODE, max_size=5))
def test_equal_hashes_mean_equal_lexemes(texts: list[bytes]) -> None:
    """Within and between texts, hashes are equal exactly where the lexemes' bytes are."""
    pairs = {
        (lexeme, int(value))
        for text in texts
        for lexeme, value in zip(words(text), lex(text, "python").hashes.tolist(), strict=True)
    }

    assert len(pairs) == len({lexeme for lexeme, _ in pairs}) == len({value for _, value in pairs})


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=300, unique=True))
def test_short_lexemes_never_collide(lexemes: list[bytes]) -> None:
    """Up to three bytes, the hardest case for a polynomial, different lexemes hash apart."""
    singles = [one for one in lexemes if ORACLE.fullmatch(one)]

    assert len({int(lex(one, "json").hashes[0]) for one in singles}) == len(singles)


@given(text=st.one_of(st.binary(max_size=200), CODE), language=LANGUAGES)
def test_any_bytes_can_be_lexed(text: bytes, language: str) -> None:
    """No input fails; every hypothesis yields lexemes in order, inside the text."""
    for inside in start_hypotheses(text, language):
        found = lex(text, language, inside=inside)
        offsets = [x for pair in zip(found.starts, found.ends, strict=True) for x in pair]

        assert offsets == sorted(offsets)
        assert all(0 <= x <= len(text) for x in offsets)
        assert all(
            ORACLE.fullmatch(text[a:b]) for a, b in zip(found.starts, found.ends, strict=True)
        )


@given(st.binary(max_size=400), st.integers(min_value=1, max_value=50))
def test_the_block_size_changes_nothing(text: bytes, block_bytes: int) -> None:
    """Long texts are hashed in blocks, with the hashes they would have in one."""
    whole = lex(text, "json").hashes.tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lex_module, "_BLOCK_BYTES", block_bytes)

        assert whole == lex(text, "json").hashes.tolist()


def test_a_text_longer_than_a_block_is_hashed_alike() -> None:
    """The same words far into a text of a megabyte hash as at its beginning."""
    text = b"alpha beta(gamma) " * 60_000
    hashes = lex(text, "json").hashes

    assert (hashes.reshape(-1, 5) == hashes[:5]).all()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", b"a # b\nc", b"a c"),
        ("python", b"'#' # b\r\nc", b"' # ' c"),
        ("python", b'"\\"#" # b', b'" \\ " # "'),
        ("python", b'"""\n# in\n""" # out', b'" " " # in " " "'),
        ("python", b"'open # in\nc # out", b"' open # in c"),
        ("python", b"'a\\\n# in'\nc # out", b"' a \\ # in ' c"),
        ("ruby", b"a # b", b"a"),
        ("shell", b"a#b $# # c", b"a # b $ #"),
        ("c", b"a /* b\n // */ c // d", b"a c"),
        ("c", b"a / b * c /* **/ d", b"a / b * c d"),
        ("c", b"a /* never closed", b"a"),
        ("c", b"'\"' /* b */ c", b"' \" ' c"),
        ("javascript", b"`//${a}` // b", b"` / / $ { a } `"),
        ("java", b'"""\n// in\n""" // out', b'" " " / / in " " "'),
        ("rust", b"fn f<'a>(x: &'a u8) {} // '", b"fn f < ' a > ( x : & ' a u8 ) { }"),
        ("php", b"a # b\nc // d\ne /* f */", b"a c e"),
        ("sql", b"a -- b\n'--' c", b"a ' - - ' c"),
        ("lua", b"a --[[ b\n c ]] d -- e", b"a d"),
        ("haskell", b"a {- b -} c -- d", b"a c"),
        ("html", b"<a> <!-- b --> c", b"< a > c"),
        ("json", b"a # b // c", b"a # b / / c"),
    ],
)
def test_comments_are_dropped_and_strings_are_lexed(
    language: str, text: bytes, expected: bytes
) -> None:
    """Comments of each language family are no lexemes; their markers inside strings are."""
    assert b" ".join(words(text, language)) == expected


def test_kept_comments_are_lexed_like_code() -> None:
    """A comment's words are lexemes where comments are asked for."""
    assert words(b"a # b", keep_comments=True) == [b"a", b"#", b"b"]


def test_a_fragment_may_start_inside_a_docstring() -> None:
    """The hypothesis that fits lexes a fragment as its document was lexed."""
    document = (
        b'def f():\n    """First.\n\n    See #3 and it\'s \'ok\'.\n    """\n    return 1  # one\n'
    )
    fragment = document[document.index(b"See") :]

    assert start_hypotheses(fragment, "python") == (b"", b'"""', b"'''")
    assert words(fragment, inside=b'"""') == words(document)[-len(words(fragment, inside=b'"""')) :]
    assert words(fragment) != words(fragment, inside=b'"""')


def test_a_fragment_may_start_inside_a_comment() -> None:
    """What stands before the end of a block comment is dropped."""
    fragment = b"old words */ x = 1;"

    assert start_hypotheses(fragment, "c") == (b"", b"/*")
    assert words(fragment, "c", inside=b"/*") == [b"x", b"=", b"1", b";"]


def test_hypotheses_that_change_nothing_are_left_out() -> None:
    """Without a delimiter or a comment's marker there is only one way to lex a fragment."""
    assert start_hypotheses(b"x = 1\ny = 'a'\n", "python") == (b"",)
    assert start_hypotheses(b"x = 1;", "c") == (b"",)


def test_an_unknown_delimiter_is_refused_by_name() -> None:
    """A delimiter that the language does not have is an error that lists those it has."""
    with pytest.raises(
        ValueError, match=r"b'/\*' opens no string or comment in 'python'; known: b'#'"
    ):
        lex(b"x", "python", inside=b"/*")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.py", "python"),
        ("B.PYI", "python"),
        ("src\\x.TSX", "typescriptreact"),
        ("Makefile", "makefile"),
        ("x.h", "c"),
        ("README", None),
        (".gitignore", None),
        ("", None),
    ],
)
def test_a_path_tells_its_language(path: str, expected: str | None) -> None:
    """A language comes from the suffix or a well-known name, whatever its case."""
    assert language_of(path) == expected


def test_every_syntax_puts_the_longer_opening_first() -> None:
    """Otherwise the shorter one would win: `--` before `--[[` would cut a block comment short."""
    for language in ("python", "lua", "java", "haskell"):
        openings = [enclosure.opening for enclosure in syntax_of(language).enclosures]
        wrong = [
            (first, second)
            for i, first in enumerate(openings)
            for second in openings[i + 1 :]
            if second != first and second.startswith(first)
        ]

        assert wrong == []
