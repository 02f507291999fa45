r"""Byte offsets of a UTF-8 text as code points and lines; only \n, \r\n and \r break a line."""

from __future__ import annotations

import numpy as np

from attribution.types import Span


class Positions:
    """The line table of one text; makes spans of byte ranges."""

    def __init__(self, data: bytes) -> None:
        view = np.frombuffer(data, dtype=np.uint8)
        is_break = view == ord("\n")
        is_return = view == ord("\r")
        is_return[:-1] &= ~is_break[1:]  # the \r of \r\n ends no line of its own
        self._breaks = np.flatnonzero(is_break | is_return)
        # Continuation bytes (10xxxxxx) start no code point.
        self._continuations = None if data.isascii() else np.flatnonzero((view & 0xC0) == 0x80)

    def span(self, start: int, end: int) -> Span:
        """The span of the byte range [start, end), which must not be empty."""
        return Span(
            start=self._code_point(start),
            end=self._code_point(end),
            start_line=self._line(start),
            end_line=self._line(end - 1) + 1,
        )

    def _line(self, offset: int) -> int:
        return int(np.searchsorted(self._breaks, offset, side="left"))

    def _code_point(self, offset: int) -> int:
        if self._continuations is None:
            return offset
        return offset - int(np.searchsorted(self._continuations, offset, side="left"))
