"""What the rules may look at: the text on both sides of the cursor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class RuleContext:
    """The surroundings of a completion; `multiline` says whether a block may be proposed."""

    prefix: str
    suffix: str
    multiline: bool = False

    @cached_property
    def line_before(self) -> str:
        """What stands before the cursor on its line."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @cached_property
    def line_after(self) -> str:
        """What stands after the cursor on its line, without the line's end."""
        return self.suffix.split("\n", 1)[0].rstrip("\r")

    @cached_property
    def following_lines(self) -> list[str]:
        """The lines below the cursor's, blank ones left out."""
        below = self.suffix.split("\n")[1:60]
        return [line.rstrip() for line in below if line.strip()]

    @cached_property
    def indent(self) -> int:
        """How far the cursor's line is indented, in columns (a tab counts as four)."""
        return indent_of(self.line_before)


def indent_of(line: str) -> int:
    """The width of a line's indentation; a tab counts as four columns."""
    stripped = line.lstrip(" \t")
    return len(line[: len(line) - len(stripped)].replace("\t", "    "))
