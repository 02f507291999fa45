"""Globs on paths inside a package or repository: `*` stays in a folder, `**` crosses folders."""

from __future__ import annotations

import re
from functools import lru_cache

from indexer.optout.errors import SelectorError

_PIECE = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\]|.", re.DOTALL)


@lru_cache(maxsize=256)
def compile_glob(glob: str) -> re.Pattern[str]:
    """The pattern that matches whole paths, case-sensitively.

    Raises:
        SelectorError: a set of characters in it has its ends the wrong way round.
    """
    body = "".join(_translate(piece) for piece in _PIECE.findall(glob.removeprefix("/")))
    try:
        return re.compile(body, re.DOTALL)
    except re.error as error:
        raise SelectorError(f"--path {glob!r} is no glob: {error}") from error


def _translate(piece: str) -> str:
    if piece == "**/":
        return "(?:.*/)?"
    if piece == "**":
        return ".*"
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if piece.startswith("[") and len(piece) > 1:
        return _translate_set(piece[1:-1])
    return re.escape(piece)


def _translate_set(inside: str) -> str:
    negated = inside.startswith("!")
    members = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside.removeprefix("!"))
    members = re.sub(
        r"(?<=.)--", r"-\\-", members
    )  # a range that ends in a hyphen, not a difference
    return f"(?!/)[{'^' if negated else ''}{members}]"
