"""UTF-16 code units ↔ code points: the only module that knows that the editor counts differently.

An LSP `character` counts UTF-16 code units; everything inside counts code points. A column past
the end of a line means its end (LSP 3.18, `Position`); one that falls inside a surrogate pair
means the start of that character, so that no edit ever tears a character apart.
"""

from __future__ import annotations

BMP_END = 0xFFFF  # characters above it take two UTF-16 code units


def utf16_length(text: str) -> int:
    """The number of UTF-16 code units that `text` takes."""
    if text.isascii():
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)


def code_points_of(line: str, character: int) -> int:
    """The column in code points of the UTF-16 column `character`, at most the line's length."""
    if character <= 0:
        return 0
    if line.isascii():
        return min(character, len(line))
    units = 0
    for column, letter in enumerate(line):
        units += 1 + (ord(letter) > BMP_END)
        if units > character:
            return column
    return len(line)


def utf16_of(line: str, column: int) -> int:
    """The UTF-16 column of the column `column` in code points, at most the line's length."""
    return utf16_length(line[: max(column, 0)])
