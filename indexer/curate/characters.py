"""Counts kinds of characters by array operations; a loop over characters would be far slower."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_ASCII = 128


def _ascii_table(is_kind: Callable[[str], bool]) -> NDArray[np.bool_]:
    return np.array([is_kind(chr(code)) for code in range(_ASCII)])


_ALPHANUMERIC, _ALPHABETIC = _ascii_table(str.isalnum), _ascii_table(str.isalpha)


def count_alphanumeric(text: str) -> int:
    """How many characters are letters or digits, as `str.isalnum` says."""
    return _count(text, _ALPHANUMERIC, str.isalnum)


def count_alphabetic(text: str) -> int:
    """How many characters are letters, as `str.isalpha` says."""
    return _count(text, _ALPHABETIC, str.isalpha)


def _count(text: str, table: NDArray[np.bool_], is_kind: Callable[[str], bool]) -> int:
    if text.isascii():
        return int(np.count_nonzero(table[np.frombuffer(text.encode(), np.uint8)]))
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    is_ascii = codes < _ASCII
    n_ascii = np.count_nonzero(table[codes[is_ascii]])
    others, n_each = np.unique(codes[~is_ascii], return_counts=True)
    return int(n_ascii) + sum(
        int(n) for code, n in zip(others, n_each, strict=True) if is_kind(chr(code))
    )
