"""A NOTICE block for the code that was found, and a comment for the file that holds it."""

from __future__ import annotations

from collections.abc import Iterator

from attribution.license_terms import obligations_of
from attribution.render import printable, shifted
from attribution.target import Target
from attribution.types import Tier, Trace
from indexer import Origin


def as_notice(results: list[tuple[Target, Trace]]) -> Iterator[str]:
    """The lines of a NOTICE file: each origin once, with licence, terms and where it is used."""
    used: dict[tuple[str, str, str], dict[str, None]] = {}
    for target, trace in results:
        for match in trace.matches:
            if match.tier is Tier.E5:
                continue
            span = shifted(match.query, target)
            place = f"{printable(target.name)}:{span.start_line + 1}-{span.end_line}"
            for source in match.sources:
                for origin in source.origins:
                    used.setdefault(_key(origin), {})[place] = None
    yield "This work holds code of known origin, found by comparing it with an index."
    for (package, path, spdx_id), places in sorted(used.items()):
        yield ""
        yield f"{package}, {path}"
        yield f"  Licence: {spdx_id or 'unknown'}"
        yield from (f"  - {term}" for term in obligations_of(spdx_id))
        yield from (f"  Used in {place}" for place in places)
        yield f"  Comment for the file: Holds code of {package} ({path}), {spdx_id or 'unknown'}"


def _key(origin: Origin) -> tuple[str, str, str]:
    package = printable(f"{origin.name} {origin.version}".strip())
    return package, printable(origin.path), printable(origin.spdx_id)
