"""What Python's own tokenizer sees in a file: names, comments, strings that span lines.

The changes of the protocol are made with it, so they share no code with the lexer under test.
"""

from __future__ import annotations

import builtins
import io
import keyword
import random
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_BUILTIN = frozenset(dir(builtins)) | {"self", "cls"}
_KEYWORD = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist)
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo")


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """An identifier; the line counts from 0, columns are code points."""

    text: str
    line: int
    column: int
    is_own: bool  # neither an attribute nor a builtin: what its author named


@dataclass(frozen=True, kw_only=True, slots=True)
class Anatomy:
    """The parts of a file that changes are made to."""

    names: tuple[Name, ...]
    comments: tuple[tuple[int, int], ...]  # line and column of each
    inside_string: frozenset[int]  # lines that begin inside a string


def anatomy_of(lines: list[str]) -> Anatomy | None:
    """The parts of a file, or None if Python's tokenizer cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in other people's strings
            tokens = list(_tokens(lines))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    names, comments = [], []
    inside: set[int] = set()
    previous = ""
    for token in tokens:
        line, column = token.start[0] - 1, token.start[1]
        if token.type == tokenize.COMMENT:
            comments.append((line, column))
        elif token.type == tokenize.STRING:
            inside.update(range(line + 1, token.end[0]))
        elif token.type == tokenize.NAME and token.string not in _KEYWORD:
            is_own = previous != "." and token.string not in _BUILTIN
            names.append(Name(text=token.string, line=line, column=column, is_own=is_own))
        previous = token.string
    return Anatomy(
        names=tuple(names),
        comments=tuple(comments),
        inside_string=frozenset(inside),
    )


def fresh_names(names: list[str], rng: random.Random) -> dict[str, str]:
    """A made-up name for each name, one to one, in the same style of letters."""
    taken = {*names, *_KEYWORD}
    renamed: dict[str, str] = {}
    for name in names:
        made = name
        while made in taken:
            made = "".join(rng.choices(_SYLLABLES, k=rng.randrange(2, 5)))
            made = made.upper() if name.isupper() else made
            made = made.capitalize() if name[:1].isupper() and not name.isupper() else made
        taken.add(made)
        renamed[name] = made
    return renamed


def _tokens(lines: list[str]) -> Iterator[tokenize.TokenInfo]:
    """Tokens of a text whose lines may end in any way: only the ends are made alike."""
    same_ends = [line.rstrip("\r\n") + "\n" for line in lines]
    return tokenize.generate_tokens(io.StringIO("".join(same_ends), newline="\n").readline)
