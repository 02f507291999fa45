"""A trace as text for people (lines count from 1) and as JSON for programs (from 0, half-open)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from attribution.explain import explained
from attribution.license_policy import Decision
from attribution.provenance import conflicts_of, earliest, swhid_of_source
from attribution.target import Target
from attribution.types import (
    Claim,
    Commonness,
    Lead,
    Match,
    SourceSpan,
    Span,
    Tier,
    Trace,
    Verdict,
)
from indexer import Origin

SCHEMA = "starcite.trace/1"  # counts up when a key changes its meaning or goes away
TIER_IN_WORDS = {
    Tier.E0: "the whole file",
    Tier.E1: "verbatim",
    Tier.E2: "equal but for whitespace and comments",
    Tier.E3: "equal but for renamed identifiers",
    Tier.E4: "aligned with edits",
    Tier.E5: "a lead, nothing is claimed",
}
_CLAIM_IN_WORDS = {
    Claim.INDEXED: "in the index",
    Claim.TRAINED_ON: "in the model's training data",
}
_DIGEST_CHARS = 12
_MAX_ORIGINS = 3  # of one document, in text; JSON has all


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What was looked through: it says how far a NONE reaches."""

    n_documents: int
    min_lexemes: int


# What a policy says of a match in a target; None where there is no policy.
Judge = Callable[[Target, Match], Decision | None]


def no_policy(_target: Target, _match: Match) -> Decision | None:
    """The judge where nobody has written a policy."""
    return None


def as_json(
    results: list[tuple[Target, Trace]], scope: Scope, judge: Judge = no_policy
) -> dict[str, Any]:
    """The results as JSON values; `schema` names the version of this layout."""
    return {
        "schema": SCHEMA,
        "n_documents": scope.n_documents,
        "min_lexemes": scope.min_lexemes,
        "results": [_result(target, trace, judge) for target, trace in results],
    }


def as_text(
    target: Target,
    trace: Trace,
    scope: Scope,
    judge: Judge = no_policy,
    *,
    explain: bool = False,
) -> Iterator[str]:
    """Lines for a terminal; styled, so print them with `click.echo`, which knows when not to."""
    name = printable(target.name)
    if trace.verdict is Verdict.NONE:
        yield (
            f"{name}: {click.style('no match', fg='green')}: no shared run of "
            f"≥ {scope.min_lexemes} lexemes in {scope.n_documents:,} documents of corpus "
            f"{trace.corpus_digest[:_DIGEST_CHARS]}"
        )
    for match in trace.matches:
        yield from _match_lines(name, target, trace, match)
        yield from _provenance_lines(match, judge(target, match))
        if explain:
            yield from (f"  {printable(line)}" for line in explained(match))
    yield from _lead_lines(trace)


def _match_lines(name: str, target: Target, trace: Trace, match: Match) -> Iterator[str]:
    place = click.style(f"{name}:{_lines(shifted(match.query, target))}", bold=True)
    tier = click.style(f"{match.tier} {TIER_IN_WORDS[match.tier]}", fg="yellow")
    yield f"{place}  {tier}, {match.n_lexemes:,} lexemes, {_CLAIM_IN_WORDS[trace.claim]}"
    for source in match.sources:
        yield from _source_lines(source)
    n_unlisted = match.n_sources - len(match.sources)
    unlisted = f", {n_unlisted:,} of them not listed" if n_unlisted else ""
    yield (
        f"  held by {_counted(match.n_packages, 'package')}"
        f" in {_counted(match.n_sources, 'document')}{unlisted}{_common(match)}"
    )


def _provenance_lines(match: Match, decision: Decision | None) -> Iterator[str]:
    origins = [origin for source in match.sources for origin in source.origins]
    first = earliest(origins)
    if first is not None:
        yield f"  earliest known: {printable(first.name)}, {printable(first.first_seen)}"
    for conflict in conflicts_of(origins):
        detail = printable(", ".join(conflict.detail))
        yield click.style(f"  conflict: {conflict.kind} disagree: {detail}", fg="red")
    if decision is not None:
        why = printable("; ".join(decision.reasons))
        yield f"  policy: {click.style(decision.action.word, bold=True)} ({why})"


def _common(match: Match) -> str:
    return "" if match.commonness is Commonness.RARE else f"; common: {match.commonness}"


def _lead_lines(trace: Trace) -> Iterator[str]:
    """The leads and how each was found; which views no index has yet is said with them."""
    for lead in trace.leads:
        origin = lead.origins[0] if lead.origins else None
        place = f"{origin.name} {origin.version}  {origin.path}" if origin else lead.document_sha256
        ranks = ", ".join(f"{view} {rank}" for view, rank in lead.ranks)
        yield f"  {click.style('E5 lead', dim=True)}  {printable(place)}  (rank in {ranks})"
    if trace.leads:
        missing = ", ".join(trace.missing_views)
        yield f"  leads are no claims; views that this index does not have: {missing}"


def _source_lines(source: SourceSpan) -> Iterator[str]:
    for origin in source.origins[:_MAX_ORIGINS]:
        package = click.style(f"{printable(origin.name)} {printable(origin.version)}", fg="cyan")
        yield f"  {package}  {printable(origin.path)}:{_lines(source.span)}"
        yield f"    {printable(origin.spdx_id)} ({printable(origin.license_evidence)})"
    n_more = len(source.origins) - _MAX_ORIGINS
    if n_more > 0:
        yield f"    the same file in {_counted(n_more, 'more place')}"


def _result(target: Target, trace: Trace, judge: Judge) -> dict[str, Any]:
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


def shifted(span: Span, target: Target) -> Span:
    """A span of the traced text as a span of the file that it was cut from."""
    return Span(
        start=span.start + target.start,
        end=span.end + target.start,
        start_line=span.start_line + target.start_line,
        end_line=span.end_line + target.start_line,
    )


def _lines(span: Span) -> str:
    first, last = span.start_line + 1, span.end_line
    return str(first) if first == last else f"{first}-{last}"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def printable(text: str) -> str:
    """The text without control characters: a file's name must not drive the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
