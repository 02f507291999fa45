"""Which live documents of an index a request means, through every place they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from indexer.index import Index
from indexer.optout.selector import Selector, match
from indexer.optout.swhid import sha1_git
from indexer.source_file import Origin
from indexer.store.documents import Document
from indexer.text.normalize import to_bytes

Progress = Callable[[int, int], None]  # documents done, documents in all


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A document that is meant, and why."""

    document: Document
    because: tuple[Origin, ...]  # those of its origins that are meant

    @property
    def is_twin(self) -> bool:
        """Whether only a near-duplicate of it is meant, for which it stands."""
        return all(origin.relation == "near" for origin in self.because)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """What a request comes to in one generation of an index."""

    selector: Selector
    corpus_digest: str
    found: tuple[Found, ...]  # in the order of their ids
    n_live: int  # documents that it was looked for among
    live: tuple[str, ...] = ()  # their sha256, if the index is embedded: what a receipt is made of

    @property
    def removed(self) -> tuple[str, ...]:
        """The sha256 of each document that is meant, sorted."""
        return tuple(sorted({one.document.sha256 for one in self.found}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """A resolution, counted for people."""

    n_documents: int
    n_places: int  # origins that are meant
    n_bytes: int
    n_twins: int  # documents that only stand for what is meant
    n_shared: int  # documents that others published, too
    by_language: dict[str, int]  # documents, most first
    by_license: dict[str, int]  # places
    by_source: dict[str, int]  # places
    by_owner: dict[str, int]  # places


def resolve(
    index: Index, selector: Selector, *, progress: Progress = lambda _done, _total: None
) -> Resolution:
    """Look at every live document once; texts are read only where a git name is asked for.

    Raises:
        IndexerError: a record or a text cannot be read.
    """
    ids = index.live_document_ids()
    found, live = [], []
    for n_done, document_id in enumerate(ids):
        progress(n_done, len(ids))
        document = index.document(document_id)
        live.append(document.sha256)
        because = match(
            selector,
            origins=document.origins,
            sha256=document.sha256,
            sha1_git=partial(_sha1_git_of, index, document_id),
        )
        if because is not None:
            found.append(Found(document=document, because=because))
    progress(len(ids), len(ids))
    return Resolution(
        selector=selector,
        corpus_digest=index.manifest.corpus_digest,
        found=tuple(found),
        n_live=len(live),
        live=tuple(live),
    )


def tally(found: Iterable[Found]) -> Tally:
    """Count what was found."""
    documents = list(found)
    places = [origin for one in documents for origin in one.because]
    return Tally(
        n_documents=len(documents),
        n_places=len(places),
        n_bytes=sum(one.document.n_bytes for one in documents),
        n_twins=sum(one.is_twin for one in documents),
        n_shared=sum(len(one.because) < len(one.document.origins) for one in documents),
        by_language=_most_first(one.document.language for one in documents),
        by_license=_most_first(origin.spdx_id for origin in places),
        by_source=_most_first(origin.source for origin in places),
        by_owner=_most_first(origin.owner for origin in places),
    )


def _sha1_git_of(index: Index, document_id: int) -> str:
    return sha1_git(to_bytes(index.text(document_id)))


def _most_first(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
