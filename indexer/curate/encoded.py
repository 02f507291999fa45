r"""Drops files that are mostly data in disguise: base64, hexadecimal or \uXXXX runs.

The two limits, the longest run and the share of all such text, are StarCoder2's (arXiv 2402.19173).
"""

from __future__ import annotations

import re

import numpy as np

from indexer.curate.config import CurateConfig
from indexer.curate.pipeline import Drop
from indexer.source_file import SourceFile

# A piece of base64 or hexadecimal digits that no identifier is as long as; shorter ones count
# where an encoder wraps its lines, at 60 to 76 characters.
_PIECE_CHARS = 48
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_IS_BASE64 = np.array([byte in _ALPHABET for byte in range(256)])
# Between two pieces of one run stand quotes, line ends, commas and signs that join strings.
_GAP = re.compile(rb"""(?:[\s"'`,=+\\]|\\[nr]|\bb(?=["'])){0,40}""")
_HEX_DIGITS = re.compile(rb"[0-9a-fA-F]+")
_BYTES = re.compile(rb"(?:(?:0x|\\x)[0-9a-fA-F]{1,2}[\s,;]{0,24}){16,}")
_ESCAPES = re.compile(rb"(?:\\u[0-9a-fA-F]{4}){8,}")
_FIRST_LETTER = ord("A")
_LETTERS_TO_RARE = 25  # long names in camel case have fewer digits than this
_MIN_DISTINCT_BASE64, _MIN_DISTINCT_HEX = 16, 8  # rulers ("/////", "aaaa") are no data


def check_encoded(file: SourceFile, *, config: CurateConfig) -> SourceFile | Drop:
    """The file, or a drop for a long run of encoded data or for too much of it."""
    data = file.text.encode(errors="surrogatepass")
    runs = find_encoded(data)
    if not runs:
        return file
    longest = max(end - start for start, end in runs)
    if longest > config.max_encoded_run_chars:
        return Drop("encoded data", f"a run of {longest} characters")
    share = sum(end - start for start, end in runs) / len(data)
    if share > config.max_encoded_share:
        return Drop("mostly encoded data", f"{share:.3f}")
    return file


def find_encoded(data: bytes) -> list[tuple[int, int]]:
    """The byte ranges of encoded data, in order and disjoint."""
    found = _base64_runs(data)
    if data.count(b"0x") + data.count(b"\\x") >= 16:  # a quick look before the slow one
        found += [match.span() for match in _BYTES.finditer(data)]
    if b"\\u" in data:
        found += [match.span() for match in _ESCAPES.finditer(data)]
    return _merge(sorted(found))


def _base64_runs(data: bytes) -> list[tuple[int, int]]:
    """Pieces of digits, joined over what stands between the lines of one literal."""
    runs: list[tuple[int, int]] = []
    for start, end in _pieces(data):
        if runs and _joins(data, runs[-1][1], start):
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _pieces(data: bytes) -> list[tuple[int, int]]:
    others = np.flatnonzero(~_IS_BASE64[np.frombuffer(data, np.uint8)])
    edges = np.concatenate(([-1], others, [len(data)]))
    long = np.flatnonzero(np.diff(edges) > _PIECE_CHARS)
    spans = [(int(edges[i]) + 1, int(edges[i + 1])) for i in long]
    return [(start, end) for start, end in spans if _is_digits(data[start:end])]


def _is_digits(piece: bytes) -> bool:
    n_distinct = len(set(piece))
    if _HEX_DIGITS.fullmatch(piece):
        return n_distinct >= _MIN_DISTINCT_HEX
    n_rare = sum(byte < _FIRST_LETTER for byte in piece)  # digits, plus and slash: 12 of 64
    mixed = piece.lower() != piece != piece.upper() and n_rare > len(piece) / _LETTERS_TO_RARE
    return mixed and n_distinct >= _MIN_DISTINCT_BASE64


def _joins(data: bytes, end: int, start: int) -> bool:
    return start - end <= 40 and _GAP.fullmatch(data, end, start) is not None


def _merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
