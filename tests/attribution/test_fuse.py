"""Reciprocal rank fusion and its gate."""

from __future__ import annotations

from attribution import Tracer
from attribution.fuse import fused


def test_documents_that_several_views_bring_come_first() -> None:
    """Scores add up over the views; equal ones go by the lower document."""
    found = fused({"E": [7, 5], "P": [5, 9], "BM25": [5, 4]}, e_coverage=0.0)

    assert [one.document_id for one in found] == [5, 7, 4, 9]
    assert found[0].ranks == (("E", 2), ("P", 1), ("BM25", 1))
    assert found[0].score == 1 / 62 + 1 / 61 + 1 / 61


def test_a_literal_copy_outweighs_structure() -> None:
    """From half of the fingerprints on, view E counts twice and view P a third."""
    rankings = {"E": [1], "P": [2], "BM25": [3]}

    assert [one.document_id for one in fused(rankings, e_coverage=0.5)] == [1, 3, 2]
    assert [one.document_id for one in fused(rankings, e_coverage=0.49)] == [1, 2, 3]


def test_what_vectors_alone_bring_comes_last() -> None:
    """In its own order, after everything that another view has brought, which it does not move."""
    rankings = {"E": [], "BM25": [*range(200)], "dense": [199, 900, 300]}

    found = [one.document_id for one in fused(rankings, e_coverage=0.0)]
    assert found == [*range(200), 900, 300]


def test_leads_are_listed_on_request_and_are_no_matches(
    tracer: Tracer, texts: dict[str, str]
) -> None:
    """Text that shares only words with a file leads there; without a request nothing is said."""
    query = "# the owner of a cart has a discount on prices of articles\nquantize(gross, reduced)\n"

    assert tracer.trace(query).leads == ()
    trace = tracer.trace(query, with_leads=True)
    assert trace.matches == ()
    assert trace.leads[0].origins[0].path == "vendor/cart.py"
    assert trace.leads[0].ranks == (("BM25", 1),)
    assert trace.missing_views == ("dense",)
    whole = tracer.trace(texts["cart"], with_leads=True)
    claimed = {source.document_id for match in whole.matches for source in match.sources}
    assert not claimed & {lead.document_id for lead in whole.leads}
