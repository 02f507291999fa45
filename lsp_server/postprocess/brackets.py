"""A stack of brackets and quotes, enough to know which closer belongs to which opener."""

from __future__ import annotations

PAIRS = {")": "(", "]": "[", "}": "{"}
QUOTES = "\"'`"


def open_quote(line: str) -> str:
    """The quote that is open at the end of a line, or "" if none is."""
    quote, position = "", 0
    while position < len(line):
        char = line[position]
        if char == "\\":
            position += 1
        elif quote:
            quote = "" if char == quote else quote
        elif char in QUOTES:
            quote = char
        elif char == "#":
            break
        position += 1
    return quote


def unmatched_closers(text: str, quote: str) -> list[int]:
    """Where `text` closes a bracket or a quote that it has not opened itself.

    `quote` is the quote that is open where the text begins.
    """
    found: list[int] = []
    stack: list[str] = []
    inherited, position = bool(quote), 0
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif quote:
            if char == quote:
                quote = ""
                found += [position] if inherited else []
                inherited = False
        elif char in QUOTES:
            quote = char
        elif char in PAIRS.values():
            stack.append(char)
        elif char in PAIRS:
            if stack and stack[-1] == PAIRS[char]:
                stack.pop()
            else:
                found.append(position)
        position += 1
    return found
