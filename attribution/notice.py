"""A NOTICE block for the code that was found, and a comment for each file that holds some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attribution.license_terms import obligations_of
from attribution.outcomes import Looked, Outcome
from attribution.reporting import Context, printable, shifted
from attribution.target import Target
from attribution.types import Tier, Trace
from indexer import Origin
from indexer.text.languages import syntax_of

Key = tuple[str, str, str]  # package, path, SPDX expression: what a notice names


def as_notice(outcomes: Iterable[Outcome], _: Context) -> Iterator[str]:
    """The lines of a NOTICE file: each origin once, with licence, terms and where it is used."""
    used: dict[Key, dict[str, None]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Looked):
            for key, places in _used_in(outcome.target, outcome.trace).items():
                used.setdefault(key, {}).update(places)
    yield "This work holds code of known origin, found by comparing it with an index."
    for (package, path, spdx_id), places in sorted(used.items()):
        yield ""
        yield f"{package}, {path}"
        yield f"  Licence: {spdx_id or 'unknown'}"
        yield from (f"  - {term}" for term in obligations_of(spdx_id))
        yield from (f"  Used in {place}" for place in places)


def as_header(outcomes: Iterable[Outcome], _: Context) -> Iterator[str]:
    """For each file that holds code of known origin a comment to put at its top."""
    is_first = True
    for outcome in outcomes:
        if not isinstance(outcome, Looked):
            continue
        used = _used_in(outcome.target, outcome.trace)
        if used:
            yield from () if is_first else ("",)
            is_first = False
            yield f"{printable(outcome.target.name)}:"
            yield from _commented(list(_header(used)), outcome.target.language)


def _header(used: dict[Key, dict[str, None]]) -> Iterator[str]:
    for (package, path, spdx_id), _ in sorted(used.items()):
        yield f"Holds code of {package} ({path}), licence {spdx_id or 'unknown'}."
        yield from (f"  {term}" for term in obligations_of(spdx_id))


def _commented(lines: list[str], language: str) -> Iterator[str]:
    """The lines as a comment of the language; of one that has none, as they are."""
    comments = [one for one in syntax_of(language).enclosures if one.is_comment]
    per_line = [one for one in comments if not one.spans_lines]
    if per_line or not comments:
        mark = per_line[0].opening.decode() + " " if per_line else ""
        yield from ((mark + line).rstrip() for line in lines)
        return
    opening, closing = comments[0].opening.decode(), comments[0].closing.decode()
    yield opening
    yield from (line.replace(closing, " ") for line in lines)
    yield closing


def _used_in(target: Target, trace: Trace) -> dict[Key, dict[str, None]]:
    """Each origin of the matches, with the places of the target where its code stands."""
    used: dict[Key, dict[str, None]] = {}
    for match in trace.matches:
        if match.tier is Tier.E5:
            continue
        span = shifted(match.query, target)
        place = f"{printable(target.name)}:{span.start_line + 1}-{span.end_line}"
        for source in match.sources:
            for origin in source.origins:
                used.setdefault(_key(origin), {})[place] = None
    return used


def _key(origin: Origin) -> Key:
    package = printable(f"{origin.name} {origin.version}".strip())
    return package, printable(origin.path), printable(origin.spdx_id)
