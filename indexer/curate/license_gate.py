"""The licence gate for one record: an allowed licence, and what that was read from."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from indexer.curate.config import CurateConfig
from indexer.curate.pipeline import Drop
from indexer.source_file import SourceFile

_TOKEN = re.compile(r"\s*(\(|\)|[A-Za-z0-9.+-]+)")
_NO_LICENSE = frozenset({"", "NOASSERTION", "NONE", "UNKNOWN"})


def check_license(file: SourceFile, *, config: CurateConfig) -> SourceFile | Drop:
    """The file, or a drop: no licence, no evidence of it, or one that is not on the list."""
    spdx_id, evidence = file.origin.spdx_id.strip(), file.origin.license_evidence.strip()
    if not has_license(file):
        return Drop("no licence")
    if not evidence:
        return Drop("no evidence of the licence", spdx_id)
    verdict = _judge(spdx_id, config.licenses)
    if verdict is None:
        return Drop("licence is no SPDX expression", spdx_id)
    return file if verdict else Drop("licence not allowed", spdx_id)


def has_license(file: SourceFile) -> bool:
    """Whether its source names a licence, whichever it is."""
    return file.origin.spdx_id.strip().upper() not in _NO_LICENSE


def is_expression(text: str) -> bool:
    """Whether a text can be read as an SPDX licence expression; ids are not looked up."""
    return text.strip().upper() not in _NO_LICENSE and _judge(text.strip(), ()) is not None


@lru_cache(maxsize=4096)
def _judge(expression: str, allowed: tuple[str, ...]) -> bool | None:
    """Whether an SPDX expression can be met by allowed licences; None if it cannot be read.

    AND needs both sides, OR needs one (SPDX 2.3, annex D); an exception (WITH) only ever adds
    permissions, so the licence before it decides.
    """
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r"\s", "", expression):
        return None
    try:
        verdict = _either(tokens, frozenset(allowed))
    except (IndexError, ValueError, RecursionError):
        return None
    return verdict if not tokens else None


def _either(tokens: list[str], allowed: Collection[str]) -> bool:
    verdict = _both(tokens, allowed)
    while tokens and tokens[0].upper() == "OR":
        tokens.pop(0)
        verdict = _both(tokens, allowed) or verdict
    return verdict


def _both(tokens: list[str], allowed: Collection[str]) -> bool:
    verdict = _single(tokens, allowed)
    while tokens and tokens[0].upper() == "AND":
        tokens.pop(0)
        verdict = _single(tokens, allowed) and verdict
    return verdict


def _single(tokens: list[str], allowed: Collection[str]) -> bool:
    part = tokens.pop(0)
    if part == "(":
        verdict = _either(tokens, allowed)
        if tokens.pop(0) != ")":
            raise ValueError("an open parenthesis")
        return verdict
    if part == ")" or part.upper() in ("AND", "OR", "WITH"):
        raise ValueError(f"{part} where a licence should stand")
    if tokens and tokens[0].upper() == "WITH":
        del tokens[0]
        tokens.pop(0)
    return part in allowed
