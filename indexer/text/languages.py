"""Which language a path holds, and what its comments and strings look like.

A syntax knows just enough to drop comments: where they begin and end, and the strings in which
a comment's marker does not count. A language without an entry has no comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, kw_only=True, slots=True)
class Enclosure:
    """A comment or a string: its opening delimiter and a pattern for all that follows it.

    The patterns are possessive, so that they take linear time on any input, and they accept the
    end of the text in place of the closing delimiter.
    """

    opening: bytes  # the literal delimiter, also the name of a start hypothesis
    pattern: bytes  # matches the opening
    rest: bytes  # matches everything after the opening, the closing delimiter included
    closing: bytes = b""
    is_comment: bool = False
    spans_lines: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Syntax:
    """The enclosures of a language family; a longer opening stands before its own beginning."""

    name: str
    enclosures: tuple[Enclosure, ...] = ()


def _escape(literal: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in literal)


def _line_comment(opening: bytes, *, only_at_word_start: bool = False) -> Enclosure:
    pattern = (rb"(?<!\S)" if only_at_word_start else b"") + _escape(opening)
    return Enclosure(opening=opening, pattern=pattern, rest=rb"[^\r\n]*+", is_comment=True)


# No group in a `rest` is possessive: before Python 3.11.5, as in Debian 12, such a group matched
# too little (gh-106052). Nothing is lost, since what follows a group always matches at once.
def _block_comment(opening: bytes, closing: bytes) -> Enclosure:
    first, others = _escape(closing[:1]), _escape(closing[1:])
    rest = rb"[^%b]*+(?:%b(?!%b)[^%b]*+)*(?:%b|\Z)" % (
        first,
        first,
        others,
        first,
        _escape(closing),
    )
    return Enclosure(
        opening=opening,
        pattern=_escape(opening),
        rest=rest,
        closing=closing,
        is_comment=True,
        spans_lines=True,
    )


def _line_string(quote: bytes) -> Enclosure:
    """A string that ends at its quote or, left open, at the end of the line."""
    q = _escape(quote)
    rest = rb"[^%b\\\r\n]*+(?:\\(?:\r\n|.)?[^%b\\\r\n]*+)*%b?+" % (q, q, q)
    return Enclosure(opening=quote, pattern=q, rest=rest, closing=quote)


def _block_string(delimiter: bytes) -> Enclosure:
    """A string over lines; of a longer delimiter, its first byte alone may stand inside."""
    q, others = _escape(delimiter[:1]), _escape(delimiter[1:])
    inner = rb"(?:\\.?+|%b(?!%b))" % (q, others) if others else rb"\\.?+"
    rest = rb"[^%b\\]*+(?:%b[^%b\\]*+)*(?:%b|\Z)" % (q, inner, q, q + others)
    return Enclosure(
        opening=delimiter, pattern=q + others, rest=rest, closing=delimiter, spans_lines=True
    )


_DOUBLE, _SINGLE = _line_string(b'"'), _line_string(b"'")
_TRIPLE_DOUBLE, _TRIPLE_SINGLE = _block_string(b'"""'), _block_string(b"'''")
_BACKTICK = _block_string(b"`")
_CHARACTER = Enclosure(  # an apostrophe that closes within one character; a lifetime does not
    opening=b"'", pattern=rb"'(?=(?:[^'\\\r\n]{1,4}|\\[^\r\n]{1,10})')", rest=rb"\\?+[^']*+'"
)
_HASH = _line_comment(b"#")
_WORD_HASH = _line_comment(b"#", only_at_word_start=True)
_SLASHES, _DASHES, _SEMICOLON = _line_comment(b"//"), _line_comment(b"--"), _line_comment(b";")
_SLASH_STAR = _block_comment(b"/*", b"*/")
_LONG_BRACKET = _block_comment(b"--[[", b"]]")
_BRACE_DASH = _block_comment(b"{-", b"-}")
_MARKUP = _block_comment(b"<!--", b"-->")

NONE = Syntax(name="none")
_SYNTAXES: dict[Syntax, tuple[str, ...]] = {
    Syntax(
        name="hash, triple quotes",
        enclosures=(_HASH, _TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE),
    ): ("python", "toml", "julia"),
    Syntax(name="hash", enclosures=(_HASH, _DOUBLE, _SINGLE)): (
        "ruby",
        "perl",
        "r",
        "elixir",
        "cmake",
    ),
    Syntax(name="hash at a word's start", enclosures=(_WORD_HASH, _DOUBLE, _SINGLE)): (
        "shell",
        "shellscript",
        "yaml",
        "makefile",
        "dockerfile",
    ),
    Syntax(name="slash", enclosures=(_SLASHES, _SLASH_STAR, _DOUBLE, _SINGLE)): (
        "c",
        "cpp",
        "objective-c",
        "cuda",
        "dart",
        "groovy",
        "protobuf",
    ),
    Syntax(
        name="slash, triple quotes",
        enclosures=(_SLASHES, _SLASH_STAR, _TRIPLE_DOUBLE, _DOUBLE, _SINGLE),
    ): ("java", "kotlin", "scala", "swift", "csharp"),
    Syntax(
        name="slash, backticks", enclosures=(_SLASHES, _SLASH_STAR, _BACKTICK, _DOUBLE, _SINGLE)
    ): ("javascript", "javascriptreact", "typescript", "typescriptreact", "go"),
    Syntax(name="slash, lifetimes", enclosures=(_SLASHES, _SLASH_STAR, _DOUBLE, _CHARACTER)): (
        "rust",
    ),
    Syntax(name="slash and hash", enclosures=(_SLASHES, _SLASH_STAR, _HASH, _DOUBLE, _SINGLE)): (
        "php",
    ),
    Syntax(name="slash star", enclosures=(_SLASH_STAR, _DOUBLE, _SINGLE)): ("css",),
    Syntax(name="dash", enclosures=(_DASHES, _SLASH_STAR, _DOUBLE, _SINGLE)): ("sql",),
    Syntax(name="dash, long brackets", enclosures=(_LONG_BRACKET, _DASHES, _DOUBLE, _SINGLE)): (
        "lua",
    ),
    Syntax(name="dash, braces", enclosures=(_BRACE_DASH, _DASHES, _DOUBLE)): ("haskell", "elm"),
    Syntax(name="semicolon", enclosures=(_SEMICOLON, _DOUBLE)): ("lisp", "clojure", "scheme"),
    Syntax(name="markup", enclosures=(_MARKUP,)): ("html", "xml"),
}
_SYNTAX_OF = {language: syntax for syntax, languages in _SYNTAXES.items() for language in languages}

_SUFFIXES = {
    "python": "py pyi pyw pyx pxd",
    "toml": "toml",
    "julia": "jl",
    "ruby": "rb",
    "perl": "pl pm",
    "r": "r",
    "elixir": "ex exs",
    "cmake": "cmake",
    "shell": "sh bash zsh",
    "yaml": "yaml yml",
    "makefile": "mk",
    "c": "c h",
    "cpp": "cc cpp cxx hh hpp hxx",
    "objective-c": "m mm",
    "cuda": "cu cuh",
    "dart": "dart",
    "groovy": "groovy gradle",
    "protobuf": "proto",
    "java": "java",
    "kotlin": "kt kts",
    "scala": "scala",
    "swift": "swift",
    "csharp": "cs",
    "javascript": "js mjs cjs",
    "javascriptreact": "jsx",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "go": "go",
    "rust": "rs",
    "php": "php",
    "css": "css scss less",
    "sql": "sql",
    "lua": "lua",
    "haskell": "hs",
    "elm": "elm",
    "lisp": "lisp el",
    "clojure": "clj cljs",
    "scheme": "scm",
    "html": "html htm",
    "xml": "xml svg",
    "markdown": "md",
    "json": "json",
}
_LANGUAGE_OF_SUFFIX = {
    f".{suffix}": language
    for language, suffixes in _SUFFIXES.items()
    for suffix in suffixes.split()
}
_LANGUAGE_OF_NAME = {
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "dockerfile": "dockerfile",
    "cmakelists.txt": "cmake",
}


def language_of(path: str) -> str | None:
    """The language of a file by its name, or None where the name does not tell."""
    name = PurePosixPath(path.replace("\\", "/").lower())
    return _LANGUAGE_OF_NAME.get(name.name) or _LANGUAGE_OF_SUFFIX.get(name.suffix)


def syntax_of(language: str) -> Syntax:
    """The syntax of a language; `NONE` (no comments, no strings) for one without an entry."""
    return _SYNTAX_OF.get(language, NONE)
