"""Who published a source, who first, and where its origins disagree; pure functions.

A SWHID names the stored text as git names a file of these bytes, so that it is computed without
asking anybody (SWHID specification 1.2, sections 5 and 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from attribution.types import SourceSpan
from indexer import Origin
from indexer.optout.swhid import PREFIX

_REVISION = re.compile(r"[0-9a-f]{40}")
_STATEMENT = re.compile(r"[^;:]+:\s*([^;]+)")  # "metadata: MIT; LICENSE: MIT"
_NOT_SAFE = "/:@~!$&'()*+,="  # kept as they are; ";" and "%" are what a qualifier must encode


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Something of which the origins, or one origin's evidence, say different things."""

    kind: str  # "licences": origins differ; "evidence": what one origin's licence was read from
    detail: tuple[str, ...]  # the different things, sorted


def swhid_of_source(source: SourceSpan, origin: Origin) -> str:
    """The SWHID of the matched lines with what is known of the origin, or "" without a hash.

    `anchor` and `path` stand only where the commit is known: a path says nothing without it.
    """
    if not source.sha1_git:
        return ""
    parts = [PREFIX + source.sha1_git]
    url = origin_url(origin)
    if url:
        parts.append(f"origin={quote(url, safe=_NOT_SAFE)}")
    if _REVISION.fullmatch(origin.revision):
        parts.append(f"anchor=swh:1:rev:{origin.revision}")
        parts.append(f"path={quote('/' + origin.path.lstrip('/'), safe=_NOT_SAFE)}")
    first, last = source.span.start_line + 1, source.span.end_line
    parts.append(f"lines={first}" if first == last else f"lines={first}-{last}")
    return ";".join(parts)


def origin_url(origin: Origin) -> str:
    """Where the origin was published, or "" where the data does not name a host."""
    if "://" in origin.repository:
        return origin.repository
    if origin.source == "pypi":
        return f"https://pypi.org/project/{quote(origin.name)}/"
    return ""


def earliest(origins: Iterable[Origin]) -> Origin | None:
    """The origin of the earliest first publication that is known; None if none is dated."""
    dated = [origin for origin in origins if origin.first_seen]
    return min(dated, key=lambda one: (one.first_seen, one.name, one.path), default=None)


def conflicts_of(origins: Iterable[Origin]) -> tuple[Conflict, ...]:
    """Where the origins' licences differ, or an origin's evidence contradicts itself."""
    listed = list(origins)
    licences = sorted({origin.spdx_id for origin in listed})
    found = [Conflict(kind="licences", detail=tuple(licences))] if len(licences) > 1 else []
    for evidence in sorted({origin.license_evidence for origin in listed}):
        stated = sorted({said.strip() for said in _STATEMENT.findall(evidence)})
        if len(stated) > 1:
            found.append(Conflict(kind="evidence", detail=tuple(stated)))
    return tuple(found)
