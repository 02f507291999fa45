r"""The open documents: every line ending handled, edits in place, text joined only when asked.

A document is an array of lines that keep their ending. Lines end at `\n`, `\r\n` and `\r` and
nowhere else: a form feed or U+2028 is an ordinary character, as in the editor. An edit replaces
the few lines that it touches, so its cost hardly grows with the document.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from lsp_server.positions import code_points_of, utf16_of
from lsp_server.protocol import Range


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """A replacement of a range by a text; the columns are UTF-16, as the editor sends them."""

    start_line: int
    start_character: int
    end_line: int
    end_character: int
    text: str


def split_lines(text: str) -> list[str]:
    """The lines of `text` with their endings; the last one has none and may be empty."""
    lines = list(io.StringIO(text, newline=""))  # "": splits at \n, \r\n, \r and translates none
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def without_lone_surrogates(text: str) -> str:
    """`text` with each unpaired surrogate as U+FFFD: JSON can carry them, UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def _content(line: str) -> str:
    return line.rstrip("\r\n")


class Document:
    """One open document, held as the editor sees it at its newest version."""

    def __init__(self, *, uri: str, language_id: str, version: int, text: str) -> None:
        self.uri = uri
        self.language_id = language_id
        self.version = version
        self.lines = split_lines(without_lone_surrogates(text))
        self._text: str | None = None
        self._line_starts: list[int] | None = None

    @property
    def text(self) -> str:
        """The whole text; joined once after an edit, when somebody asks."""
        if self._text is None:
            self._text = "".join(self.lines)
        return self._text

    def apply(self, edits: list[Edit | str], version: int) -> None:
        """Apply `edits` in order, a plain string being the whole new text."""
        for edit in edits:
            if isinstance(edit, str):
                self.lines = split_lines(without_lone_surrogates(edit))
            else:
                self._replace(edit)
        self.version = version
        self._text = self._line_starts = None

    def offset_at(self, line: int, character: int) -> int:
        """The offset in code points of an LSP position; past the end means the end."""
        line, column = self._locate(line, character)
        return sum(map(len, self.lines[:line])) + column

    def position_at(self, offset: int) -> tuple[int, int]:
        """The LSP line and UTF-16 column of an offset in code points."""
        if self._line_starts is None:
            self._line_starts = list(accumulate(map(len, self.lines[:-1]), initial=0))
        line = bisect_right(self._line_starts, max(offset, 0)) - 1
        column = offset - self._line_starts[line]
        return line, utf16_of(_content(self.lines[line]), column)

    def range_of(self, start: int, end: int) -> Range:
        """The LSP range of `[start, end)` in code points."""
        (line, character), (end_line, end_character) = (
            self.position_at(start),
            self.position_at(end),
        )
        return {
            "start": {"line": line, "character": character},
            "end": {"line": end_line, "character": end_character},
        }

    def snapshot(self) -> Document:
        """The document as it is now; later edits do not reach it."""
        copy = Document(uri=self.uri, language_id=self.language_id, version=self.version, text="")
        copy.lines, copy._text = list(self.lines), self.text
        return copy

    def _locate(self, line: int, character: int) -> tuple[int, int]:
        if line < 0:
            return 0, 0
        if line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return line, code_points_of(_content(self.lines[line]), character)

    def _replace(self, edit: Edit) -> None:
        one = self._locate(edit.start_line, edit.start_character)
        other = self._locate(edit.end_line, edit.end_character)
        (first, start), (last, end) = min(one, other), max(one, other)
        middle = without_lone_surrogates(edit.text)
        changed = self.lines[first][:start] + middle + self.lines[last][end:]
        if first > 0 and changed.startswith("\n") and self.lines[first - 1].endswith("\r"):
            first -= 1  # the edit has joined \r and \n into one ending
            changed = self.lines[first] + changed
        fresh = split_lines(changed)
        if last < len(self.lines) - 1:
            fresh.pop()  # the region ended with its last line's ending: no line of its own
        self.lines[first : last + 1] = fresh


class DocumentStore:
    """The open documents by URI, in the order of their last use."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._documents.values()))

    def __len__(self) -> int:
        return len(self._documents)

    def open(self, document: Document) -> None:
        """Take over a document; one with the same URI is replaced."""
        self._documents[document.uri] = document

    def get(self, uri: str) -> Document | None:
        """The open document, or None if the editor never opened it or has closed it."""
        return self._documents.get(uri)

    def newest(self) -> Document | None:
        """The most recently used document, or None if none is open."""
        return next(reversed(self._documents.values()), None)

    def change(self, uri: str, edits: list[Edit | str], version: int) -> Document | None:
        """Apply edits to an open document and make it the most recently used one."""
        document = self._documents.pop(uri, None)
        if document is not None:
            self._documents[uri] = document
            document.apply(edits, version)
        return document

    def close(self, uri: str) -> None:
        """Forget a document; closing one that is not open changes nothing."""
        self._documents.pop(uri, None)

    def related(self, uri: str, limit: int = 8) -> tuple[str, ...]:
        """The texts of the other open documents, most recently used first."""
        others = [document for document in self if document.uri != uri]
        return tuple(document.text for document in others[: -limit - 1 : -1])
