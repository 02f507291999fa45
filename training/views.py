"""Pairs of texts that shall find each other, made from the corpus itself.

    changed      some lines of code, renamed, laid out anew or edited   ↔  the lines round them
    documented   a docstring, a comment                                 ↔  its function, its lines
    neighbour    some lines                                             ↔  the lines after them

The second text is what an index holds, the first what is asked for. How `attribution.evaluate`
changes code shares nothing with this file, so that it does not examine what was rehearsed.
"""

from __future__ import annotations

import builtins
import keyword
import re
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from training.config import ObjectiveConfig
from training.docstrings import open_docstrings
from training.documents import Documents

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*|(?<=\.)[A-Za-z_]\w*")
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"self", "cls"}
_PREFIX = re.compile(r"[rRuUbB]{1,2}(?=[\"'])")  # of a literal, not the first letter of a word
_HASHES = re.compile(r"(?m)^[ \t]*#+:?")
_COMMENT = re.compile(r"\s*#[^'\"\n]*$")
_MIN_LINES = 4
_MAX_DOC_CHARS = 400

Lines = list[str]


class Views:
    """The pairs of one stream of tokens.

    Args:
        folder: of packed tokens; its docstrings are read where `training.docstrings` has put them.
        documents: of the stream.
        tokenizer: that it was packed with.
        config: the shares of the kinds.

    Raises:
        PackedError: docstrings are wanted, and there are none.
    """

    def __init__(
        self, folder: Path, documents: Documents, tokenizer: Tokenizer, config: ObjectiveConfig
    ) -> None:
        self._documents, self._tokenizer = documents, tokenizer
        shares = np.asarray([config.changed, config.documented, config.neighbour])
        self._shares = np.cumsum(shares / max(shares.sum(), 1e-9))
        self._docstrings = open_docstrings(folder) if config.documented else np.empty((0, 4), int)
        self._words = vocabulary_words(tokenizer)

    def pair(self, place: int, room: int, rng: np.random.Generator) -> tuple[str, str]:
        """Two texts of about `room` tokens at most, near a place in the stream."""
        kind = int(np.searchsorted(self._shares, rng.random(), side="right"))
        if kind == 1 and len(self._docstrings):
            return self._documented(rng)
        lines = self._lines(place, room, rng)
        if len(lines) < 2:
            return "".join(lines), "".join(lines)
        if kind == 2:
            half = len(lines) // 2
            return "".join(lines[:half]), "".join(lines[half:])
        return self._changed(lines, rng)

    def _lines(self, place: int, room: int, rng: np.random.Generator) -> Lines:
        """Whole lines of the document at a place."""
        start, end = self._documents.around(place)
        first = min(place, max(start, end - room))
        ids = self._documents.tokens(first, min(end, first + room))
        lines: Lines = self._tokenizer.decode(ids.tolist()).splitlines(keepends=True)
        whole = lines[first > start : -1 if first + room < end else None]
        return whole or lines

    def _changed(self, lines: Lines, rng: np.random.Generator) -> tuple[str, str]:
        asked = _window(lines, rng.uniform(0.3, 0.7), rng)
        held = _window(lines, rng.uniform(0.7, 1.0), rng)
        if rng.random() < 0.4:
            asked = _edited(asked, lines, rng)
        if rng.random() < 0.3:
            asked = _laid_out(asked, rng)
        text = "".join(asked)
        if rng.random() < 0.6:
            text = renamed(text, self._words, rng)
        return text, "".join(held)

    def _documented(self, rng: np.random.Generator) -> tuple[str, str]:
        row = self._docstrings[int(rng.integers(len(self._docstrings)))]
        start, doc_start, doc_end, end = (int(value) for value in row)
        said, head, body = (
            self._tokenizer.decode(self._documents.tokens(*span).tolist())
            for span in ((doc_start, doc_end), (start, doc_start), (doc_end, end))
        )
        return spoken(said), head + body


def renamed(text: str, words: list[str], rng: np.random.Generator) -> str:
    """A text in which some names are others, each everywhere the same.

    Half of the time attributes stay, half of the time only a part of the names changes.
    """
    keeps_attributes, share = rng.random() < 0.5, 1.0 if rng.random() < 0.5 else rng.uniform(0.3, 1)
    names: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        name = found.group()
        is_attribute = found.start() > 0 and text[found.start() - 1] == "."
        if name in _KEPT or (is_attribute and keeps_attributes and name not in names):
            return name
        if name not in names:
            names[name] = _fresh_name(words, rng) if rng.random() < share else name
        return names[name]

    return _NAME.sub(other, text)


def spoken(docstring: str) -> str:
    """The words of a docstring or comment: no quotes, no line ends, its first paragraph."""
    bare = _HASHES.sub("", _PREFIX.sub("", docstring.strip())).strip("\"'").strip()
    paragraph = bare.split("\n\n", 1)[0]
    return " ".join(paragraph.split())[:_MAX_DOC_CHARS]


def vocabulary_words(tokenizer: Tokenizer) -> list[str]:
    """Words that names can be made of: the letters-only tokens, in the order of their ids."""
    by_id = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    bare = (token.removeprefix("Ġ") for token, _ in by_id)
    words = [word.lower() for word in bare if word.isascii() and word.isalpha() and len(word) > 2]
    return list(dict.fromkeys(words)) or ["name"]


def _fresh_name(words: list[str], rng: np.random.Generator) -> str:
    one, two = (words[int(rng.integers(len(words)))] for _ in range(2))
    return (one, f"{one}_{two}", one + two.capitalize(), one[0], f"_{one}")[int(rng.integers(5))]


def _window(lines: Lines, share: float, rng: np.random.Generator) -> Lines:
    n = min(len(lines), max(_MIN_LINES, round(share * len(lines))))
    first = int(rng.integers(len(lines) - n + 1))
    return lines[first : first + n]


def _edited(lines: Lines, others: Lines, rng: np.random.Generator) -> Lines:
    """About one line of five is missing, another one or said twice."""
    made: Lines = []
    for line in lines:
        how = rng.random()
        if how > 0.1:
            made.append(line)
        if how < 0.05 or how > 0.9:
            made.append(others[int(rng.integers(len(others)))])
    return made or lines


def _laid_out(lines: Lines, rng: np.random.Generator) -> Lines:
    """Other indentation, no comments, other blank lines."""
    depths = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    cut = min(depths, default=0) if rng.random() < 0.5 else 0
    indent = " " * int(rng.integers(3)) * 4
    made = [indent + _COMMENT.sub("\n", line[cut:]) for line in lines if line.strip()]
    return [line for line in made if line.strip()] or lines
