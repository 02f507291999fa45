"""A trace as text for people: lines count from 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import click

from attribution.explain import explained
from attribution.license_policy import Decision
from attribution.outcomes import Looked, Outcome
from attribution.provenance import conflicts_of, earliest
from attribution.reporting import TIER_IN_WORDS, Context, printable, shifted
from attribution.target import Target
from attribution.types import Claim, Commonness, Match, SourceSpan, Span, Trace, Verdict

_CLAIM_IN_WORDS = {
    Claim.INDEXED: "in the index",
    Claim.TRAINED_ON: "in the model's training data",
}
_DIGEST_CHARS = 12
_MAX_ORIGINS = 3  # of one document, in text; JSON has all


def as_text(outcomes: Iterable[Outcome], context: Context) -> Iterator[str]:
    """Lines for a terminal; styled, so print them with `click.echo`, which knows when not to.

    Of a file that was not named, and in which nothing is found, only the summary speaks.
    """
    quiet: list[Looked] = []
    for outcome in outcomes:
        if isinstance(outcome, Looked):
            if outcome.trace.verdict is Verdict.NONE and not outcome.is_named:
                quiet.append(replace(outcome, target=replace(outcome.target, text="")))
            else:
                yield from _lines_of(outcome, context)
    yield from _summary(quiet, context)


def _lines_of(outcome: Looked, context: Context) -> Iterator[str]:
    target, trace = outcome.target, outcome.trace
    name = printable(target.name)
    if trace.verdict is Verdict.NONE:
        yield f"{name}: {_nothing(outcome, context)}"
    for match in trace.matches:
        yield from _match_lines(name, target, trace, match)
        yield from _provenance_lines(match, context.judge(target, match))
        if context.explain:
            yield from (f"  {printable(line)}" for line in explained(match))
    yield from _lead_lines(trace)


def _nothing(outcome: Looked, context: Context) -> str:
    """What "no match" means here: the guarantee where it is proved, and else why it is not."""
    absence = outcome.absence
    none = click.style("no match", fg="green")
    if absence is None:
        return f"{none} in the lines that were changed"
    if absence.is_proved:
        return f"{none}: {_guarantee(context)}"
    if absence.is_shared:
        return (
            f"{none} that says anything: a run of ≥ {absence.min_lexemes} lexemes is shared with "
            f"{printable(absence.reason)}, but it says too little"
        )
    return f"{none} was found, but that is not proved: {printable(absence.reason)}"


def _guarantee(context: Context) -> str:
    return (
        f"no shared run of ≥ {context.min_lexemes} lexemes in {context.n_documents:,} documents "
        f"of corpus {context.corpus_digest[:_DIGEST_CHARS]}"
    )


def _summary(quiet: list[Looked], context: Context) -> Iterator[str]:
    proved = [one for one in quiet if one.absence is not None and one.absence.is_proved]
    if proved:
        none = click.style("no match", fg="green")
        yield f"{_counted(len(proved), 'file')}: {none}: {_guarantee(context)}"
    for outcome in quiet:
        if outcome.absence is None or not outcome.absence.is_proved:
            yield f"{printable(outcome.target.name)}: {_nothing(outcome, context)}"


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


def _lines(span: Span) -> str:
    first, last = span.start_line + 1, span.end_line
    return str(first) if first == last else f"{first}-{last}"


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
