"""What is in the ledger never comes back, through whichever door."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.curate.opt_out import opt_out
from indexer.curate.pipeline import Dropped, curate
from indexer.optout.errors import LedgerBrokenError
from indexer.optout.ledger import Request, append_request, ledger_path
from indexer.optout.ledger_filter import LedgerFilter, without_forgotten
from indexer.optout.selector import Selector, parse_selector
from indexer.optout.swhid import swhid_of
from indexer.source_file import SourceFile

OWNER = "canaryowner"


def ask(selector: Selector, removed: tuple[str, ...] = ()) -> None:
    """Somebody asks to be left out of an index."""
    request = Request(
        selector=selector, index="i", corpus_digest="", root="", n_documents=0, removed=removed
    )
    append_request(ledger_path(), request)


def test_nobody_asked(home: Path, corpus: list[SourceFile]) -> None:
    """Without a ledger every file passes."""
    assert list(without_forgotten(corpus)) == corpus


def test_an_owner_stays_out(
    home: Path, corpus: list[SourceFile], canaries: list[SourceFile]
) -> None:
    """Everything with an origin of the owner is dropped, twins included, and each drop is told."""
    ask(parse_selector(owners=[OWNER]))
    dropped: list[tuple[SourceFile, str]] = []
    kept = list(without_forgotten(corpus, on_drop=lambda *drop: dropped.append(drop)))

    assert [file for file, _ in dropped] == canaries
    assert {why for _, why in dropped} == {f"owner {OWNER}"}
    assert kept == [file for file in corpus if file not in canaries]


def test_a_text_stays_out_under_another_name(home: Path, canaries: list[SourceFile]) -> None:
    """A text that was removed is dropped by its hash, whoever publishes it now."""
    text = canaries[0].text
    ask(parse_selector(swhids=[swhid_of(text.encode())]))
    renamed = replace(canaries[1], text=text)
    changed = replace(canaries[1], text=text + "\n")

    assert list(without_forgotten([renamed, changed])) == [changed]


def test_curation_drops_it_with_a_reason(
    home: Path, corpus: list[SourceFile], canaries: list[SourceFile]
) -> None:
    """The stage of curation drops the same files, and names the request."""
    ask(parse_selector(repositories=[f"{OWNER}/nest"]))
    drops: list[Dropped] = []
    kept = list(curate(corpus, [opt_out(LedgerFilter.open())], drops.append))

    assert [drop.file for drop in drops] == canaries
    assert {(drop.step, drop.drop.reason) for drop in drops} == {("opt-out", "opted out")}
    assert len(kept) == len(corpus) - len(canaries)


def test_it_can_be_sent_to_other_processes(home: Path, canaries: list[SourceFile]) -> None:
    """A pickled filter decides the same."""
    ask(parse_selector(paths=["src/*"], owners=[OWNER]))
    again = pickle.loads(pickle.dumps(LedgerFilter.open()))  # noqa: S301

    assert [again.why_not(file) is None for file in canaries] == [False] * 2 + [True] * 4


def test_nothing_is_ingested_over_a_broken_ledger(home: Path, corpus: list[SourceFile]) -> None:
    """If the ledger is broken no file passes at all, and the error says so."""
    ask(parse_selector(owners=[OWNER]))
    ledger_path().write_bytes(ledger_path().read_bytes().replace(b"canary", b"sparrow"))

    with pytest.raises(LedgerBrokenError, match="nothing is indexed until then"):
        next(without_forgotten(corpus))


def test_the_ledger_is_read_when_the_first_file_is_asked_for(
    home: Path, canaries: list[SourceFile]
) -> None:
    """Who asked after a build was prepared, but before it began to read, is left out as well."""
    files = without_forgotten(canaries)
    ask(parse_selector(owners=[OWNER]))

    assert list(files) == []
