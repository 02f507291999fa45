"""Carries a request out: the ledger first, then the tombstones, then the receipt.

Whatever is killed in between, the ledger says what was begun: nothing of it is indexed again, and
the next command finishes it. The writer's lock of the index is held until no query shows what was
asked for; the index is asked again, and the receipt made, while others may write it. A lock of its
own tells a receipt that is being made from one that a killed process has left.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from indexer.errors import IndexChangedError
from indexer.index import Index
from indexer.manifest import read_manifest, sync_folder
from indexer.optout.errors import OptoutError
from indexer.optout.keys import key_path, open_key
from indexer.optout.ledger import (
    FORGET,
    Entry,
    Request,
    append_done,
    append_request,
    ledger_path,
    optout_path,
    pending,
    read_ledger,
)
from indexer.optout.merkle import MerkleTree
from indexer.optout.receipt import State, make_receipt
from indexer.optout.requery import (
    Answer,
    OpenProbe,
    Probes,
    ask_again,
    ask_before,
    choose_pieces,
    spans_of_each,
    stored_documents,
)
from indexer.optout.resolve import Resolution, resolve
from indexer.optout.selector import Selector, is_origin
from indexer.optout.swhid import swhid_of
from indexer.optout.trained import models_path, related_models
from indexer.store.documents import Document
from indexer.text.normalize import to_bytes
from indexer.tombstones import entomb, live_places
from indexer.writing import built_by, changing, corpus_digest, publish

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Progress = Callable[[str, int, int], None]  # what is done, how many of it, of how many
_N_ASKED_BEFORE = 10  # documents that are asked for while they are there; the rest must not wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A request that is carried out."""

    entry: Entry
    receipt: Path | None  # None: nothing was there, so there is nothing to prove
    tombstone_s: float  # from the ledger's line to documents that no query shows


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What carrying a request out needs besides the request."""

    index: Path
    openers: Sequence[OpenProbe]  # ways of asking the index again
    n_spans: int | None = None  # pieces of each document to ask for; None: by how many there are
    shipped_models: tuple[Path, ...] = ()  # folders of models that come with the program
    progress: Progress = lambda _what, _done, _total: None


def finish_pending(setting: Setting) -> list[Outcome]:
    """Finish what was begun and killed; nothing, nearly always.

    Raises:
        OptoutError: the ledger is broken, or a receipt cannot be made.
        IndexerError: the index cannot be read, or somebody else writes it.
    """
    key = open_key(key_path()) if (begun := _begun(setting)) else None
    outcomes = []
    for entry in begun:
        with ExitStack() as held:
            with changing(setting.index):
                if key is None or entry not in _begun(setting) or not _claim(entry, held):
                    continue  # another process finished it, or is at it
                removal = _remove(entry, setting, held)
            outcomes.append(_prove(removal, setting, key, {}))
    return outcomes


def was_asked(selector: Selector) -> bool:
    """Whether just this was asked for before, so that the ledger keeps it out already."""
    entries = read_ledger(ledger_path())
    return any(entry.kind == FORGET and entry.request.selector == selector for entry in entries)


def forget(shown: Resolution, setting: Setting) -> Outcome:
    """Take out what was shown, and nothing else; without a receipt if that is nothing.

    Raises:
        IndexChangedError: the index changed since, so that it would be something else.
        OptoutError: the ledger is broken, or a receipt cannot be made.
        IndexerError: the index cannot be read, or somebody else writes it.
    """
    key = open_key(key_path())
    path = setting.index
    with ExitStack() as held:
        with changing(path):
            with Index.open(path) as index:
                resolution = resolve(index, shown.selector)
            if resolution.removed != shown.removed:
                raise IndexChangedError(path)
            tree = MerkleTree(bytes.fromhex(sha256) for sha256 in resolution.live)
            seed = tree.root.hex()
            found_before = _ask_before(resolution, setting, seed)
            request = Request(
                selector=resolution.selector,
                index=str(path),
                corpus_digest=resolution.corpus_digest,
                root=seed,
                n_documents=len(tree),
                removed=resolution.removed,
            )
            entry = append_request(ledger_path(), request)
            if not request.removed:
                return Outcome(entry=entry, receipt=None, tombstone_s=0.0)
            _claim(entry, held)
            removal = _remove(entry, setting, held)
        return _prove(removal, setting, key, found_before)


def receipt_path(entry: Entry) -> Path:
    """Where the receipt of a request is kept."""
    return optout_path() / "receipts" / f"{entry.number:06d}.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Removal:
    """A request of which nothing is shown any more, with all that its receipt is made of."""

    entry: Entry
    tombstone_s: float
    tombstoned_at: str
    after: State
    tree_after: MerkleTree
    corpora: frozenset[str]
    probes: Probes  # these and the texts were opened before anybody could rewrite the index
    stored: Iterable[tuple[Document, str]]


def _begun(setting: Setting) -> list[Entry]:
    return pending(read_ledger(ledger_path()), setting.index)


def _claim(entry: Entry, held: ExitStack) -> bool:
    """Whether this process may make the receipt of a request, as long as `held` is open."""
    path = receipt_path(entry)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.enter_context(lock)
    except Timeout:
        return False
    except OSError as error:
        raise OptoutError(f"cannot write in {path.parent}: {error.strerror or error}") from error
    return True


def _remove(entry: Entry, setting: Setting, held: ExitStack) -> _Removal:
    """Tombstones; for who is the only writer. What the receipt needs stays open in `held`."""
    started = time.monotonic()
    request, path = entry.request, setting.index
    _tombstone(path, set(request.removed))
    tombstone_s = time.monotonic() - started
    tombstoned_at = _now()
    after, tree = _state_after(path)
    return _Removal(
        entry=entry,
        tombstone_s=tombstone_s,
        tombstoned_at=tombstoned_at,
        after=after,
        tree_after=tree,
        corpora=frozenset({request.corpus_digest, *_corpora(path, request.removed)}),
        probes=held.enter_context(Probes(path, setting.openers)),
        stored=stored_documents(path, request.removed),
    )


def _prove(
    removal: _Removal,
    setting: Setting,
    key: Ed25519PrivateKey,
    found_before: dict[tuple[str, int, str], bool],
) -> Outcome:
    """Ask again, and write the receipt; whoever else writes the index meanwhile."""
    records, answers = _ask_again(removal, setting, found_before)
    data = make_receipt(
        entry=removal.entry,
        tool=built_by(),
        after=removal.after,
        tree_after=removal.tree_after,
        tombstoned_at=removal.tombstoned_at,
        issued_at=_now(),
        removed=records,
        answers=answers,
        models=related_models(
            (models_path(), *setting.shipped_models), removal.corpora, _earlier_digests()
        ),
        key=key,
    )
    receipt = receipt_path(removal.entry)
    write_file(receipt, data)
    append_done(ledger_path(), removal.entry, receipt_sha256=hashlib.sha256(data).hexdigest())
    return Outcome(entry=removal.entry, receipt=receipt, tombstone_s=removal.tombstone_s)


def _tombstone(path: Path, removed: set[str]) -> None:
    """Forget the documents of these sha256 that are live; for who is the only writer already."""
    with Index.open(path) as index:
        ids = {one for one, sha256 in index.live_digests() if sha256 in removed}
        if not ids:
            return
        digest = corpus_digest(live_places(index, without=ids))
    current = read_manifest(path)
    publish(path, current, corpus_digest=digest, **entomb(path, current, ids))


def _ask_before(
    resolution: Resolution, setting: Setting, seed: str
) -> dict[tuple[str, int, str], bool]:
    """That a few of the documents are found while they are there shows that asking works."""
    sample = list(resolution.removed)[:_N_ASKED_BEFORE]
    if not sample:
        return {}
    with Probes(setting.index, setting.openers) as probes:
        stored = stored_documents(setting.index, sample)
        pieces = [
            piece
            for document, text in stored
            for piece in choose_pieces(document, text, seed=seed, n=1)
        ]
        return ask_before(probes, pieces)


def _ask_again(
    removal: _Removal, setting: Setting, found_before: dict[tuple[str, int, str], bool]
) -> tuple[list[dict[str, Any]], list[Answer]]:
    """What is known of each removed document, and that no way of asking finds it any more."""
    request = removal.entry.request
    records = {sha256: {"sha256": sha256} for sha256 in request.removed}
    answers: list[Answer] = []
    n_total = len(records)
    n_spans = setting.n_spans or spans_of_each(n_total)
    for n_done, (document, text) in enumerate(removal.stored):
        setting.progress("asking again", n_done, n_total)
        records[document.sha256] = _describe(document, text, request.selector)
        pieces = choose_pieces(document, text, seed=request.root, n=n_spans)
        answers.extend(ask_again(removal.probes, pieces, found_before=found_before))
    setting.progress("asking again", n_total, n_total)
    return list(records.values()), answers


def _describe(document: Document, text: str, selector: Selector) -> dict[str, Any]:
    """A removed document without its text, and the places for which it goes."""
    return {
        "sha256": document.sha256,
        "swhid": swhid_of(to_bytes(text)),
        "language": document.language,
        "n_bytes": document.n_bytes,
        "places": [
            {
                "owner": origin.owner,
                "repository": origin.repository,
                "purl": origin.purl,
                "path": origin.path,
                "relation": origin.relation,
            }
            for origin in document.origins
            if is_origin(selector, origin)
        ],
    }


def _state_after(path: Path) -> tuple[State, MerkleTree]:
    with Index.open(path) as index:
        tree = MerkleTree(bytes.fromhex(sha256) for _, sha256 in index.live_digests())
        digest = index.manifest.corpus_digest
    return State(corpus_digest=digest, root=tree.root.hex(), n_documents=len(tree)), tree


def _corpora(path: Path, removed: Iterable[str]) -> set[str]:
    """The curated corpora that documents of these sha256 were indexed from, forgotten or not."""
    wanted = np.array(sorted(removed), dtype="S64")
    with Index.open(path) as index:
        return {
            index.manifest.corpus_of(place)
            for place, (_, _, segment) in enumerate(index.segments())
            if np.isin(segment.documents.digests(), wanted).any()
        } - {""}


def _earlier_digests() -> set[str]:
    """Earlier states of corpora, as the requests so far saw them."""
    entries = read_ledger(ledger_path())
    return {entry.request.corpus_digest for entry in entries if entry.kind == FORGET}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file whole or not at all, durably; unless told otherwise, for its owner only.

    Raises:
        OptoutError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise OptoutError(f"cannot write {path}: {error.strerror or error}") from error
