"""Tier E4: chains of equal runs against an oracle that tries every subset."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution import Tier, Tracer
from attribution.align import Run
from attribution.chain import MAX_GAP, best_chain

runs = st.lists(
    st.builds(Run, st.integers(0, 90), st.integers(0, 90), st.integers(1, 20)),
    min_size=1,
    max_size=6,
    unique=True,
)


def score(chain: tuple[Run, ...]) -> float | None:
    """Equal lexemes less overlaps and a tenth of what the gaps hold; None if it is no chain."""
    total = float(chain[0].length)
    for one, other in pairwise(chain):
        here = other.query - one.query - one.length
        there = other.document - one.document - one.length
        overlap = max(0, -here, -there)
        if max(here, there) > MAX_GAP or overlap >= min(one.length, other.length):
            return None
        total += other.length - overlap - 0.1 * (max(here, 0) + max(there, 0))
    return total


@given(runs=runs)
def test_the_best_chain_is_the_best_of_all_subsets(runs: list[Run]) -> None:
    """No other choice of runs, in order, scores higher."""
    ordered = sorted(runs)
    scores = [
        found
        for size in range(1, len(runs) + 1)
        for subset in combinations(ordered, size)
        if (found := score(subset)) is not None
    ]
    chain = best_chain(runs)

    assert chain is not None
    pieces = chain.pieces
    gaps = sum(
        max(other.query - one.query - one.length, 0)
        + max(other.document - one.document - one.length, 0)
        for one, other in pairwise(pieces)
    )
    # Overlaps are cut off, which may open a gap on the other side: that costs nothing more.
    assert chain.n_equal - 0.1 * gaps <= max(scores) + 1e-9
    assert chain.n_equal >= max(scores) - 1e-9


@given(runs=runs)
def test_pieces_do_not_overlap(runs: list[Run]) -> None:
    """In neither text."""
    chain = best_chain(runs)

    assert chain is not None
    for one, other in zip(chain.pieces, chain.pieces[1:], strict=False):
        assert one.query + one.length <= other.query
        assert one.document + one.length <= other.document


def test_no_runs_no_chain() -> None:
    """There is nothing to chain."""
    assert best_chain([]) is None


def test_code_with_lines_put_in_is_traced_in_pieces(tracer: Tracer, texts: dict[str, str]) -> None:
    """A method with a strange line after every other one is E4; each piece is equal text."""
    lines = texts["cart"].splitlines(keepends=True)[30:35]
    strange = "        audit(now)\n"
    query = strange.join(lines)

    matches = tracer.trace(query).matches

    assert [match.tier for match in matches] == [Tier.E4]
    source = tracer.source(matches[0].sources[0].document_id)[1]
    assert len(matches[0].pieces) > 2
    for piece in matches[0].pieces:
        ours = query[piece.query.start : piece.query.end]
        theirs = source[piece.source.start : piece.source.end]
        assert "".join(ours.split()) == "".join(theirs.split())


@pytest.mark.parametrize("text", ["x\n" * 3000, "a b c d e f g h\n" * 700, "((((((" * 900])
def test_text_that_repeats_itself_is_no_alignment(tracer: Tracer, text: str) -> None:
    """Thousands of equal runs end in no claim."""
    assert tracer.trace(text).alarms == ()
