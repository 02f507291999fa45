"""The licence gate: a package enters the corpus if metadata and licence files agree, else not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from license_expression import AND, OR, ExpressionError, LicenseSymbol, get_spdx_licensing

from indexer.corpus.license_texts import CLASSIFIERS, FREE_TEXT, detect_licenses

PERMISSIVE = frozenset(
    ["MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0", "Unlicense", "0BSD"]
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A licence that may enter the corpus, and what it was read from."""

    spdx_id: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a package is left out."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """What metadata says: an expression, or ids of which the licence text decides one."""

    expression: str
    source: str
    alternatives: frozenset[str] = frozenset()


def judge_license(metadata: Message, texts: Mapping[str, str]) -> Accepted | Refused:
    """Decide on a package by its METADATA and by the texts of its licence files, by path."""
    claim = _claim(metadata)
    if claim is None:
        stated = " ".join((metadata["License"] or "").split())[:60]
        return Refused(f"its metadata names no known licence ({stated!r})")
    found = {path: detect_licenses(text) for path, text in sorted(texts.items())}
    foreign = {i: path for path, ids in found.items() for i in ids if i not in PERMISSIVE}
    if foreign:
        spdx_id, path = sorted(foreign.items())[0]
        return Refused(f"{path} holds a licence that is not permissive: {spdx_id}")
    in_texts = frozenset().union(*found.values())
    expression = _settle(claim, in_texts)
    if expression is None:
        said = ", ".join(sorted(in_texts)) or "no known licence"
        return Refused(f"{claim.source} says {claim.expression}, the licence files say {said}")
    problem = _problem(expression, in_texts)
    if problem:
        return Refused(problem)
    read = [f"{path}: {' + '.join(sorted(ids))}" for path, ids in found.items() if ids]
    return Accepted(expression, "; ".join([f"{claim.source}: {claim.expression}", *read]))


def _claim(metadata: Message) -> _Claim | None:
    if expression := metadata["License-Expression"]:
        return _Claim(str(expression).strip(), "License-Expression")
    stated = str(metadata["License"] or "").strip()
    if stated:
        ids = FREE_TEXT.get(stated.lower().rstrip("."))
        if ids is None and len(stated) > 60:
            ids = detect_licenses(stated)
        if ids:
            return _several(ids, "License")
        if stated in PERMISSIVE:
            return _Claim(stated, "License")
    classifiers = [str(c) for c in metadata.get_all("Classifier", []) if c.startswith("License ::")]
    known = [CLASSIFIERS[c] for c in classifiers if c in CLASSIFIERS]
    return _several(known[0], "Classifier") if len(known) == 1 else None


def _several(ids: frozenset[str], source: str) -> _Claim:
    if len(ids) == 1:
        return _Claim(next(iter(ids)), source)
    return _Claim(" or ".join(sorted(ids)), source, ids)


def _settle(claim: _Claim, in_texts: frozenset[str]) -> str | None:
    """The expression to judge: a bare "BSD" is settled by the one clause count in the texts."""
    if not claim.alternatives:
        return claim.expression
    agreed = claim.alternatives & in_texts
    return next(iter(agreed)) if len(agreed) == 1 else None


def _problem(expression: str, in_texts: frozenset[str]) -> str | None:
    """Why an SPDX expression fails the gate, or None: AND needs every part, OR needs one."""
    try:
        tree = get_spdx_licensing().parse(expression, validate=True)
    except ExpressionError:
        return f"{expression!r} is no SPDX expression"
    if not _holds(tree, PERMISSIVE):
        return f"{expression} is not permissive"
    if not _holds(tree, in_texts & PERMISSIVE):
        said = ", ".join(sorted(in_texts)) or "no known licence"
        return f"its metadata says {expression}, its licence files say {said}"
    return None


def _holds(tree: object, ids: frozenset[str]) -> bool:
    if isinstance(tree, AND):
        return all(_holds(part, ids) for part in tree.args)
    if isinstance(tree, OR):
        return any(_holds(part, ids) for part in tree.args)
    return isinstance(tree, LicenseSymbol) and tree.key in ids
