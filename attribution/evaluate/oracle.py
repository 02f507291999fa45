"""The exhaustive oracle: every run of 15 lexemes of the index, sorted, with nothing left out.

It finds what a suffix array finds: each maximal run of a query and of any document that has at
least `MIN_RUN` lexemes. Far too large to ship; it says what is true, and which unseen code is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from attribution.evaluate.corpus import Corpus, Hashes, Place, thinned
from indexer.text.winnow import gram_hashes

MIN_RUN = 15  # lexemes; the protocol's bound for "shared" when negatives are screened


class SharedRun(NamedTuple):
    """A maximal run of equal lexemes, as indices of lexemes."""

    document_id: int
    query: int
    document: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """Every n-gram of the corpus in order of its hash."""

    corpus: Corpus
    grams: Hashes  # (M,) sorted
    places: NDArray[np.int32]  # (M,) where each stands in the corpus's row

    @classmethod
    def over(cls, corpus: Corpus) -> Oracle:
        """Sort all runs of `MIN_RUN` lexemes of a corpus."""
        grams = gram_hashes(corpus.hashes, k=MIN_RUN)
        order = np.argsort(grams, kind="stable").astype(np.int32)
        return cls(corpus, grams[order], order)

    def shared_runs(self, query: Hashes) -> list[SharedRun]:
        """Every maximal shared run of at least `MIN_RUN` lexemes, longest first."""
        wanted = gram_hashes(query, k=MIN_RUN)
        low = np.searchsorted(self.grams, wanted)
        counts = np.searchsorted(self.grams, wanted, side="right") - low
        asked = np.repeat(np.arange(len(wanted)), counts)
        within = np.arange(len(asked)) - np.repeat(np.cumsum(counts) - counts, counts)
        held = self.places[np.repeat(low, counts) + within].astype(np.int64)
        order = np.lexsort((asked, held - asked))
        asked, held = asked[order], held[order]
        follows = np.zeros(len(asked), dtype=bool)
        follows[1:] = (np.diff(asked) == 1) & (np.diff(held) == 1)
        begins = np.flatnonzero(~follows)
        lengths = np.diff(np.append(begins, len(asked))) + MIN_RUN - 1
        numbers = np.searchsorted(self.corpus.bounds, held[begins], side="right") - 1
        rows = zip(
            self.corpus.document_ids[numbers].tolist(),
            asked[begins].tolist(),
            (held[begins] - self.corpus.bounds[numbers] - 1).tolist(),
            lengths.tolist(),
            strict=True,
        )
        return sorted((SharedRun(*row) for row in rows), key=lambda run: -run.length)

    def holders(self, wanted: Hashes) -> list[Place]:
        """What `Corpus.holders` finds; from `MIN_RUN` lexemes on by look-up, not by a scan."""
        if len(wanted) < MIN_RUN:
            return self.corpus.holders(wanted)
        gram = gram_hashes(wanted[:MIN_RUN], k=MIN_RUN)[0]
        low, high = np.searchsorted(self.grams, gram), np.searchsorted(self.grams, gram, "right")
        at = np.sort(self.places[low:high].astype(np.int64))
        return self.corpus.places_at(thinned(self.corpus.hashes, at, wanted), len(wanted))

    def longest_by_document(self, query: Hashes) -> dict[int, int]:
        """The longest shared run of each document that has one, longest first."""
        longest: dict[int, int] = {}
        for run in self.shared_runs(query):
            longest.setdefault(run.document_id, run.length)
        return longest

    def widespread(self, min_owners: int) -> NDArray[np.int32]:
        """Where the runs stand in the corpus's row that so many owners hold; one place each."""
        numbers = np.searchsorted(self.corpus.bounds, self.places, side="right") - 1
        names = sorted({min(one) for one in self.corpus.owners})
        of_document = np.array([names.index(min(one)) for one in self.corpus.owners])
        owners = of_document[numbers].astype(np.int32)
        is_new = np.ones(len(self.grams), dtype=bool)
        is_new[1:] = self.grams[1:] != self.grams[:-1]
        begins = np.flatnonzero(is_new)
        many = np.diff(np.append(begins, len(self.grams))) >= min_owners
        found = [
            self.places[begin]
            for begin, n in zip(
                begins[many].tolist(),
                np.diff(np.append(begins, len(self.grams)))[many].tolist(),
                strict=True,
            )
            if len(np.unique(owners[begin : begin + n])) >= min_owners
        ]
        return np.array(found, dtype=np.int32)
