"""What the model gets to see: a window whose start stays fixed while the user types.

A window that moved with every keystroke would make the cached prefix of the prompt worthless. So
its start is a line boundary that depends on the cursor only through a multiple of `HOP_CHARS`.
"""

from __future__ import annotations

import re

MIN_CHARS = 1200  # the least that is shown above the cursor, if there is as much
HOP_CHARS = 1200  # how far the start moves at once
SUFFIX_CHARS = 600
# a line that starts in the first column and is neither blank nor a closing bracket
TOP_LEVEL_LINE = re.compile(r"^[^\s)\]}#]", re.MULTILINE)
DOCSTRING = re.compile(r":[ \t]*\n\s*(\"{3}|'{3})(?:(?!\1).)*\1\Z", re.DOTALL)
MAX_DOCSTRING_CHARS = 3000


def anchored_prefix(text: str, offset: int) -> str:
    """The text before the cursor, from an anchor that stays put while typing.

    Between `MIN_CHARS` and about `MIN_CHARS + HOP_CHARS` characters, or all there is; starts at a
    line, preferably one at the top level.
    """
    earliest = (offset - MIN_CHARS) // HOP_CHARS * HOP_CHARS
    if earliest <= 0:
        return text[:offset]
    latest = earliest + HOP_CHARS // 4  # only text that typing does not change is looked at
    top_level = TOP_LEVEL_LINE.search(text, earliest, latest)
    if top_level:
        return text[top_level.start() : offset]
    newline = text.find("\n", earliest, latest)
    return text[newline + 1 if newline >= 0 else earliest : offset]


def near_suffix(text: str, offset: int) -> str:
    """The text after the cursor, cut at a line boundary."""
    suffix = text[offset : offset + SUFFIX_CHARS]
    if offset + SUFFIX_CHARS >= len(text):
        return suffix
    return suffix[: suffix.rfind("\n") + 1] or suffix


def wants_block(text: str, offset: int) -> bool:
    """Whether a block may be proposed: on a blank line under its opener, or its docstring."""
    line_start = text.rfind("\n", 0, offset) + 1
    line_end = text.find("\n", offset)
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    above = text[:line_start].rstrip()
    if line.strip():
        return False
    opens = above.endswith((":", "{", "=>", "->", " do", " then"))
    return opens or bool(DOCSTRING.search(above[-MAX_DOCSTRING_CHARS:]))
