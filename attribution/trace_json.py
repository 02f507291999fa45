"""A trace as JSON for programs: lines from 0, ranges half-open; the schema is in `schema/`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from attribution.license_policy import Decision
from attribution.outcomes import Looked, Outcome, Skipped
from attribution.provenance import conflicts_of, earliest, swhid_of_source
from attribution.reporting import Context, Judge, shifted
from attribution.target import Target
from attribution.types import Lead, Match
from indexer import Origin

SCHEMA = "starcite.trace/1"  # counts up when a key changes its meaning or goes away


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) that every document and every line of JSON Lines fits."""
    return files("attribution").joinpath("schema", "trace.schema.json").read_text("utf-8")


def as_json(outcomes: Iterable[Outcome], context: Context) -> Iterator[str]:
    """One document, written as the results come."""
    yield json.dumps(_head(context), indent=2).removesuffix("\n}") + ',\n  "results": ['
    skipped: list[dict[str, Any]] = []
    held_back = ""  # until it is known whether a comma follows
    for outcome in outcomes:
        if isinstance(outcome, Skipped):
            skipped.append(_skipped(outcome))
            continue
        if held_back:
            yield held_back + ","
        text = json.dumps(_result(outcome, context.judge), indent=2)
        held_back = textwrap.indent(text, "    ")
    if held_back:
        yield held_back
    told = textwrap.indent(json.dumps(skipped, indent=2), "  ").lstrip()
    yield f'  ],\n  "skipped": {told}\n}}'


def as_json_lines(outcomes: Iterable[Outcome], context: Context) -> Iterator[str]:
    """A document a line, each of one file: for many files, and for who reads as they come."""
    for outcome in outcomes:
        told: dict[str, Any] = {"results": [], "skipped": []}
        if isinstance(outcome, Skipped):
            told["skipped"].append(_skipped(outcome))
        else:
            told["results"].append(_result(outcome, context.judge))
        yield json.dumps(_head(context) | told)


def _head(context: Context) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "n_documents": context.n_documents,
        "min_lexemes": context.min_lexemes,
    }


def _skipped(outcome: Skipped) -> dict[str, Any]:
    return {"path": outcome.name, "reason": outcome.reason, "is_binary": outcome.is_binary}


def _result(outcome: Looked, judge: Judge) -> dict[str, Any]:
    target, trace, absence = outcome.target, outcome.trace, outcome.absence
    return {
        "path": target.name,
        "language": target.language,
        "start_line": target.start_line,
        "end_line": target.end_line,
        "verdict": trace.verdict.value,
        "reason": trace.reason,
        "claim": trace.claim.value,
        "corpus_digest": trace.corpus_digest,
        "elapsed_ms": round(trace.elapsed_ms, 3),
        "matches": [_match(target, match, judge(target, match)) for match in trace.matches],
        "leads": [_lead(lead) for lead in trace.leads],
        "missing_views": list(trace.missing_views),
        "absence": absence and asdict(absence),
    }


def _match(target: Target, match: Match, decision: Decision | None) -> dict[str, Any]:
    origins = [origin for source in match.sources for origin in source.origins]
    first = earliest(origins)
    return {
        "tier": match.tier.value,
        "query": asdict(shifted(match.query, target)),
        "n_lexemes": match.n_lexemes,
        "n_packages": match.n_packages,
        "n_sources": match.n_sources,
        "n_owners": match.n_owners,
        "commonness": match.commonness.value,
        "is_alarm": match.is_alarm,
        "probability": match.probability,
        "evidence": None if match.evidence is None else asdict(match.evidence),
        "reasons": [asdict(reason) for reason in match.reasons],
        "renames": [asdict(rename) for rename in match.renames],
        "pieces": [
            {"query": asdict(shifted(one.query, target)), "source": asdict(one.source)}
            for one in match.pieces
        ],
        "sources": [
            {
                "document_id": source.document_id,
                "document_sha256": source.document_sha256,
                "corpus_digest": source.corpus_digest,
                "span": asdict(source.span),
                "origins": [
                    {**_origin(origin), "swhid": swhid_of_source(source, origin)}
                    for origin in source.origins
                ],
            }
            for source in match.sources
        ],
        "earliest": None if first is None else _origin(first),
        "conflicts": [
            {"kind": one.kind, "detail": list(one.detail)} for one in conflicts_of(origins)
        ],
        "decision": decision
        and {"action": decision.action.word, "reasons": list(decision.reasons)},
    }


def _lead(lead: Lead) -> dict[str, Any]:
    return {
        "document_id": lead.document_id,
        "document_sha256": lead.document_sha256,
        "score": lead.score,
        "ranks": dict(lead.ranks),
        "origins": [_origin(origin) for origin in lead.origins],
    }


def _origin(origin: Origin) -> dict[str, str]:
    return {**asdict(origin), "purl": origin.purl}
