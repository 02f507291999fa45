"""Why a match is what it is, as a tree for people: `starcite trace --explain`."""

from __future__ import annotations

from collections.abc import Iterator

from attribution.types import Evidence, Match, Reason

_MAX_RENAMES = 8


def explained(match: Match) -> Iterator[str]:
    """Lines of a tree: the tier with its comparisons, the evidence, the renaming or the pieces."""
    branches = [(f"tier {match.tier}, {match.commonness}", _reasons(match.reasons))]
    if match.evidence is not None:
        head = f"probability of a copy {match.probability:.3f}"
        branches.append((head, _evidence(match.evidence)))
    if match.renames:
        changed = [
            f"{one.source} → {one.query}" for one in match.renames if one.source != one.query
        ]
        n_same = len(match.renames) - len(changed)
        more = [f"… {len(changed) - _MAX_RENAMES} more"] if len(changed) > _MAX_RENAMES else []
        head = f"renaming: {len(changed)} names changed, {n_same} kept"
        branches.append((head, changed[:_MAX_RENAMES] + more))
    if match.pieces:
        lines = [
            f"lines {one.query.start_line + 1}-{one.query.end_line} = "
            f"{one.source.start_line + 1}-{one.source.end_line} of the source"
            for one in match.pieces
        ]
        branches.append((f"{len(lines)} equal pieces", lines))
    return _tree(branches)


def _reasons(reasons: tuple[Reason, ...]) -> list[str]:
    return [
        f"{'✓' if one.holds else '✗'} {one.rule} {one.value:g} "
        f"{'≥' if one.value >= one.at_least else '<'} {one.at_least:g}"
        for one in reasons
    ]


def _evidence(evidence: Evidence) -> list[str]:
    return [
        f"{evidence.n_lexemes:,} lexemes, {evidence.coverage:.0%} of the text",
        f"{evidence.bits:.0f} bits of surprisal in its words",
        f"{evidence.n_rare_words} rare words, {evidence.n_comment_words} words of comments shared",
    ]


def _tree(branches: list[tuple[str, list[str]]]) -> Iterator[str]:
    for number, (head, leaves) in enumerate(branches):
        is_last = number == len(branches) - 1
        yield f"{'└' if is_last else '├'}─ {head}"
        for place, leaf in enumerate(leaves):
            bend = "└" if place == len(leaves) - 1 else "├"
            yield f"{' ' if is_last else '│'}  {bend}─ {leaf}"
