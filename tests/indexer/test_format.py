"""What an index of format 2 holds, as literal values.

A query finds what an index holds only if both come from the same functions. Where one of these
values changes, every index in the world stops answering: raise `FORMAT` in `indexer.manifest` with
it, so that an old index is refused by number and not searched in vain.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from indexer.manifest import FORMAT
from indexer.store import membership
from indexer.store.lexical import CHUNK_LINES, words_of
from indexer.text.lex import lex
from indexer.text.rename import P_K, P_W, winnow_renamed
from indexer.text.winnow import K, W, winnow

TEXT = b'def f(first, second=2):  # add\n    """Sum of two."""\n    return first + second * 3\n'


def test_the_settings_of_format_2() -> None:
    """The numbers that decide what is stored."""
    settings = (FORMAT, K, W, P_K, P_W, membership.TILE_CHARS, membership.N_HASHES, CHUNK_LINES)

    assert settings == (2, 10, 8, 16, 8, 32, 13, 50)


def test_the_fingerprints_of_format_2() -> None:
    """Lexing, hashing and winnowing."""
    lexemes = lex(TEXT, "python")
    fingerprints = winnow(lexemes.hashes)

    assert len(lexemes) == 26
    assert lexemes.hashes[:3].tolist() == [
        0x1C517E116E30B671,
        0x89B190A59FFC61AF,
        0x814AD4C64CDB5328,
    ]
    assert fingerprints.values.tolist() == [473920451, 37809839]
    assert fingerprints.positions.tolist() == [5, 9]


def test_the_fingerprints_without_names_of_format_2() -> None:
    """Keywords, names by distance, numbers, and winnowing."""
    fingerprints = winnow_renamed(TEXT, lex(TEXT, "python"), "python")

    assert fingerprints.values.tolist() == [4208445740]
    assert fingerprints.positions.tolist() == [5]


def test_the_membership_filter_of_format_2(tmp_path: Path) -> None:
    """Stripping, tiling, hashing and setting bits."""
    writer = membership.MembershipWriter(tmp_path)
    writer.add(TEXT)
    writer.finish()
    digest = hashlib.sha256((tmp_path / membership.FILE_NAME).read_bytes()).hexdigest()

    assert digest == "943a301674c6b23cc59244fce56755d7292082e52de9f5b44130e35c583bece6"


def test_the_words_of_format_2() -> None:
    """Whole identifiers in lower case; runs of more than 64 word characters are cut."""
    assert words_of("MyClass.do_it(x2) # ÉTÉ\n" + "a" * 65) == [
        "myclass",
        "do_it",
        "x2",
        "été",
        "a" * 64,
        "a",
    ]
