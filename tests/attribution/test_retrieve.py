"""Chains of fingerprint hits, and which documents they bring."""

from __future__ import annotations

import numpy as np

from attribution.config import TraceConfig
from attribution.retrieve import (
    Chains,
    chains_of,
    choose_documents,
    holders,
    n_longest,
    promising,
    sorted_hits,
)
from indexer.index import Postings

K, W = 10, 8
POSITIONS = np.array([0, 5, 12, 18, 25, 33])  # of the query's fingerprints, in lexemes
N_LEXEMES = 50


def chained(*hits: tuple[int, int, int]) -> list[tuple[int, int, int, int]]:
    """Chain (query index, document, offset) hits; back come (document, start, end, bound)."""
    query_index, document_id, offset = (np.array(column) for column in zip(*hits, strict=True))
    postings = Postings(query_index, document_id.astype(np.int32), offset)
    chains, _ = chains_of(sorted_hits(postings), POSITIONS, n_lexemes=N_LEXEMES, k=K, w=W)
    columns = (chains.document_id, chains.start, chains.end, chains.bound)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def test_consecutive_hits_at_growing_offsets_are_a_chain() -> None:
    """A run may reach less than a window beyond the chain, on either side."""
    assert chained((2, 7, 140), (3, 7, 170)) == [(7, 12, 28, 28 - 12 + 2 * (W - 1))]


def test_a_chain_over_all_of_the_query_is_bounded_by_it() -> None:
    """Where no fingerprint is left, the text ends the run."""
    assert chained(*[(n, 7, 100 + 50 * n) for n in range(6)]) == [(7, 0, 43, 50)]


def test_hits_that_are_no_run_stay_apart() -> None:
    """Another document, a missed fingerprint, a step back and a far jump each end a chain."""
    assert [one[:3] for one in chained((0, 1, 10), (1, 2, 20))] == [(1, 0, 10), (2, 5, 15)]
    assert len(chained((0, 1, 10), (2, 1, 20))) == 2
    assert len(chained((0, 1, 20), (1, 1, 10))) == 2
    assert len(chained((0, 1, 10), (1, 1, 100_000))) == 2


def test_a_document_that_repeats_the_run_has_two_chains() -> None:
    """Each hit goes on to the nearest one behind it."""
    chains = chained((0, 1, 10), (1, 1, 30), (0, 1, 500), (1, 1, 530))

    assert [one[:3] for one in chains] == [(1, 0, 15), (1, 0, 15)]


def test_chains_that_run_into_one_another_are_one() -> None:
    """A repeated fingerprint begins many chains with one end; they may not crowd out the others."""
    repeated = [(0, 1, 10 + n) for n in range(20)]

    chains = chained(*repeated, (1, 1, 40), (2, 1, 70))

    assert [one[:3] for one in chains] == [(1, 0, POSITIONS[2] + K)]


def test_a_sampled_fingerprint_proves_no_end() -> None:
    """Of a very frequent fingerprint not all hits are given: that one is missing bounds nothing."""
    frequent = [(2, 1000 + n, 0) for n in range(512)]

    chains = chained((0, 7, 100), (1, 7, 140), *frequent)

    assert chains[0] == (7, 0, 15, POSITIONS[2] + K + W - 1)


def some_chains(*rows: tuple[int, int, int]) -> Chains:
    document_id, start, end = (np.array(column) for column in zip(*rows, strict=True))
    return Chains(
        document_id=document_id,
        start=start,
        end=end,
        bound=end - start + 2 * (W - 1),
        last_hit=np.arange(len(rows)),
    )


def test_chains_too_short_to_be_claimed_are_left_out() -> None:
    """What stays is sorted: longest first, then lowest document."""
    chains = some_chains((5, 0, 40), (4, 0, 15), (3, 60, 100), (2, 0, 22))

    kept = promising(chains, shortest=30)

    assert kept.document_id.tolist() == [3, 5, 2]
    assert n_longest(kept) == 2
    assert holders(kept, 0, 29, w=W) == [5, 2]
    assert holders(kept, 0, 30, w=W) == [5]


def test_every_region_gets_its_documents() -> None:
    """Many holders of one region do not keep out the only holder of another; leads come first."""
    config = TraceConfig(max_per_region=2)
    chains = some_chains(*[(n, 0, 50) for n in range(6)], (9, 60, 90))

    plain = choose_documents(chains, n_lexemes=100, preferred=frozenset(), config=config)
    led = choose_documents(chains, n_lexemes=100, preferred=frozenset({4}), config=config)

    assert (plain, led) == ([0, 1, 9], [4, 0, 9])


def test_the_number_of_documents_is_limited() -> None:
    """However many regions there are."""
    chains = some_chains(*[(n, 10 * n, 10 * n + 10) for n in range(20)])
    config = TraceConfig(max_documents=5)

    assert len(choose_documents(chains, n_lexemes=200, preferred=frozenset(), config=config)) == 5
