"""Takes documents out of an index in Elasticsearch, by id, and makes sure that they are gone.

Which documents a request means is decided as for embedded indexes; only those are looked at that
have one of its names. A document that others published, too, is taken out as a whole, as there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from indexer.elastic.bulk import Operation, write
from indexer.elastic.errors import ElasticError, asking
from indexer.elastic.index import ElasticIndex
from indexer.elastic.layout import chunk_id, key_of
from indexer.elastic.server import Server
from indexer.optout.ledger_filter import LedgerFilter
from indexer.optout.resolve import Found, Progress, Resolution
from indexer.optout.selector import Selector, match, normal_package
from indexer.optout.swhid import sha1_git
from indexer.text.normalize import to_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgetReport:
    """What was taken out."""

    n_documents: int
    n_chunks: int


def find(index: ElasticIndex, selector: Selector) -> tuple[Found, ...]:
    """The documents that a request means.

    Raises:
        ElasticError: the cluster cannot be asked.
    """
    return resolve(index, selector).found


def resolve(
    index: ElasticIndex, selector: Selector, *, progress: Progress = lambda _done, _total: None
) -> Resolution:
    """The same with what was looked through, as of an embedded index; no receipt comes of it.

    Raises:
        ElasticError: the cluster cannot be asked.
    """
    found, n_live = [], index.manifest.n_live
    for n_done, document in enumerate(index.documents(_narrowed(selector))):
        progress(n_done, n_live)
        because = match(
            selector,
            origins=document.origins,
            sha256=document.sha256,
            sha1_git=partial(_sha1_git_of, index, document.document_id),
        )
        if because is not None:
            found.append(Found(document=document, because=because))
    return Resolution(
        selector=selector,
        corpus_digest=index.manifest.corpus_digest,
        found=tuple(found),
        n_live=n_live,
    )


def find_all(index: ElasticIndex, selectors: Iterable[Selector]) -> tuple[Found, ...]:
    """The documents that any of several requests means, each once."""
    found = {one.document.document_id: one for it in selectors for one in find(index, it)}
    return tuple(found[number] for number in sorted(found))


def requests_of_ledger() -> tuple[Selector, ...]:
    """What the ledger of the data home says was ever taken out.

    Raises:
        LedgerBrokenError: it is not what was written.
    """
    ledger = LedgerFilter.open()
    removed = tuple(sorted(ledger.removed))
    return (*ledger.selectors, *([Selector(sha256s=removed)] if removed else []))


def forget(server: Server, index: ElasticIndex, found: Sequence[Found]) -> ForgetReport:
    """Delete documents and look again; no search shows them when this returns.

    Raises:
        ElasticError: the cluster refuses, or a document is still found.
    """
    n_chunks = 0
    for written in write(server.client, index.name, _deletions(index, found), where=server.where):
        n_chunks = written.n_operations
    with asking(server.where):
        server.client.indices.refresh(index=index.name)
        numbers = [one.document.document_id for one in found]
        left = server.client.count(index=index.name, query={"terms": {"number": numbers}})["count"]
    if left:
        raise ElasticError(f"{server.where} still finds {left:,} chunks; run this again")
    return ForgetReport(n_documents=len(found), n_chunks=n_chunks)


def _deletions(index: ElasticIndex, found: Sequence[Found]) -> Iterator[Operation]:
    for one in found:
        key = key_of(one.document)
        # The first chunk last: it has the record by which an interrupted run is found again.
        for chunk in reversed(range(index.n_chunks_of(one.document.document_id))):
            yield {"delete": {"_id": chunk_id(key, chunk), "routing": key}}


def _narrowed(selector: Selector) -> dict[str, Any] | None:
    """What only documents have that can be meant; None: all have to be looked at."""
    names = {*selector.owners, *selector.repositories, *selector.packages}
    if names:
        return {"terms": {"names": sorted(names | {normal_package(one) for one in names})}}
    if selector.sha256s and not selector.sha1_gits:
        return {"terms": {"sha256": list(selector.sha256s)}}
    return None


def _sha1_git_of(index: ElasticIndex, document_id: int) -> str:
    return sha1_git(to_bytes(index.text(document_id)))
