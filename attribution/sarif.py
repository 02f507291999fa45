"""A trace as SARIF 2.1.0, the form in which code hosts show findings beside a change.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.13 to 3.28.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from attribution.license_policy import Action, Decision
from attribution.outcomes import Outcome, Skipped
from attribution.provenance import origin_url, swhid_of_source
from attribution.reporting import TIER_IN_WORDS, Context, shifted
from attribution.target import Target
from attribution.types import Match, Tier, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Action.ALLOW: "none",
    Action.ANNOTATE: "note",
    Action.ASK: "warning",
    Action.BLOCK: "error",
}


def as_sarif(outcomes: Iterable[Outcome], context: Context) -> Iterator[str]:
    """One SARIF log with one run; a rule for each tier, lines and columns counted from 1."""
    tiers = [tier for tier in Tier if tier is not Tier.E5]
    results: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    is_whole = True  # everything that may be code was looked at
    for outcome in outcomes:
        if isinstance(outcome, Skipped):
            notes.append(_note("note" if outcome.is_binary else "error", outcome.reason))
            is_whole = is_whole and outcome.is_binary
            continue
        target, trace = outcome.target, outcome.trace
        if trace.verdict is Verdict.UNKNOWN:
            notes.append(_note("error", f"{target.name}: {trace.reason}"))
            is_whole = False
        results += [
            _result(target, match, context.judge(target, match), tiers.index(match.tier))
            for match in trace.matches
            if match.tier in tiers
        ]
    driver = {
        "name": "starcite",
        "version": context.version,
        "rules": [_rule(tier) for tier in tiers],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": is_whole, "toolExecutionNotifications": notes}],
        "results": results,
    }
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _note(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}


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
