"""A trace as SARIF 2.1.0, the form in which code hosts show findings beside a change.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.13 to 3.28.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from attribution.license_policy import Action, Decision
from attribution.provenance import origin_url, swhid_of_source
from attribution.render import TIER_IN_WORDS, Judge, no_policy, shifted
from attribution.target import Target
from attribution.types import Match, Tier, Trace, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Action.ALLOW: "none",
    Action.ANNOTATE: "note",
    Action.ASK: "warning",
    Action.BLOCK: "error",
}


def as_sarif(
    results: list[tuple[Target, Trace]], *, version: str, judge: Judge = no_policy
) -> dict[str, Any]:
    """One SARIF log with one run; a rule for each tier, lines and columns counted from 1."""
    tiers = [tier for tier in Tier if tier is not Tier.E5]
    unknown = [(target, trace) for target, trace in results if trace.verdict is Verdict.UNKNOWN]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "starcite",
                        "version": version,
                        "rules": [_rule(tier) for tier in tiers],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not unknown,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": f"{one.name}: {told.reason}"}}
                            for one, told in unknown
                        ],
                    }
                ],
                "results": [
                    _result(target, match, judge(target, match), tiers.index(match.tier))
                    for target, trace in results
                    for match in trace.matches
                    if match.tier in tiers
                ],
            }
        ],
    }


def _rule(tier: Tier) -> dict[str, Any]:
    words = TIER_IN_WORDS[tier]
    return {
        "id": f"starcite/{tier}",
        "shortDescription": {"text": f"Code of known origin: {words}"},
        "defaultConfiguration": {"level": "warning"},
    }


def _result(target: Target, match: Match, decision: Decision | None, rule: int) -> dict[str, Any]:
    level = "warning" if match.is_alarm else "note"
    if decision is not None:
        level = _LEVELS[decision.action]
    span = shifted(match.query, target)
    return {
        "ruleId": f"starcite/{match.tier}",
        "ruleIndex": rule,
        "level": level,
        "message": {"text": _message(match, decision)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(target.name)},
                    "region": {
                        "startLine": span.start_line + 1,
                        "endLine": span.end_line,
                        "charOffset": span.start,
                        "charLength": span.end - span.start,
                    },
                }
            }
        ],
        "partialFingerprints": {"starcite/1": _fingerprint(target, match)},
        "properties": {
            "tier": match.tier.value,
            "commonness": match.commonness.value,
            "probability": match.probability,
            "nLexemes": match.n_lexemes,
            "origins": [
                {
                    "purl": origin.purl,
                    "path": origin.path,
                    "url": origin_url(origin),
                    "spdxId": origin.spdx_id,
                    "licenseEvidence": origin.license_evidence,
                    "swhid": swhid_of_source(source, origin),
                }
                for source in match.sources
                for origin in source.origins
            ],
        },
    }


def _message(match: Match, decision: Decision | None) -> str:
    source = match.sources[0]
    told = f"{TIER_IN_WORDS[match.tier].capitalize()}: {match.n_lexemes:,} lexemes"
    if source.origins:
        origin = source.origins[0]
        first, last = source.span.start_line + 1, source.span.end_line
        told += f" of {origin.name} {origin.version}, {origin.path}:{first}-{last}"
        told += f", licence {origin.spdx_id}"
    if decision is not None:
        told += f"; policy: {decision.action.word} ({'; '.join(decision.reasons)})"
    return told + "."


def _fingerprint(target: Target, match: Match) -> str:
    """The same for the same finding when the file grows above it."""
    source = match.sources[0]
    parts = (target.name, source.document_sha256, str(source.span.start), str(match.n_lexemes))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _uri(name: str) -> str:
    path = PurePath(name)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix(), errors="surrogatepass")
