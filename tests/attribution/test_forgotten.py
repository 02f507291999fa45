"""What is taken out of an index is never shown again, whatever state the tracer is in."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from attribution import Tracer, Verdict
from indexer import Index
from indexer.add import add_segment
from indexer.compact import compact_index
from indexer.errors import DocumentForgottenError
from indexer.tombstones import forget_documents
from tests.attribution.conftest import source_file

Texts = dict[str, str]


@pytest.fixture
def path(tmp_path: Path, index_path: Path) -> Path:
    """An index of one's own, to forget from."""
    return Path(shutil.copytree(index_path, tmp_path / "index"))


def id_of(path: Path, origin_path: str) -> int:
    """The document that was found in a place."""
    with Index.open(path) as index:
        for document_id in index.live_document_ids():
            if any(one.path == origin_path for one in index.document(document_id).origins):
                return document_id
    raise LookupError(origin_path)


@pytest.mark.parametrize("then", ["nothing", "compact", "add"])
def test_an_open_tracer_never_shows_a_forgotten_document(
    path: Path, texts: Texts, then: str
) -> None:
    """Neither by fingerprints nor by search, nor from what it kept of earlier traces."""
    with Index.open(path) as index:
        tracer = Tracer(index)
        before = {name: tracer.trace(texts[name]) for name in ("cart", "cities", "notes")}
        gone = [id_of(path, "shop/cart.py"), id_of(path, "sea/tides.py")]
        forget_documents(path, gone)
        if then == "compact":
            compact_index(path)
        if then == "add":
            add_segment([source_file("x = 1\n", "x.py", name="x")], path)
        after = {name: tracer.trace(texts[name]) for name in ("cart", "cities", "notes")}

        assert {name: trace.verdict for name, trace in before.items()} == dict.fromkeys(
            before, Verdict.FOUND
        )
        assert after["cart"].verdict is Verdict.NONE
        assert after["notes"].verdict is Verdict.NONE
        assert after["cities"].matches == before["cities"].matches
        for document_id in gone:
            with pytest.raises(DocumentForgottenError):
                tracer.source(document_id)


def test_other_holders_are_still_shown_and_counted(path: Path, texts: Texts) -> None:
    """Of ten files with one idiom, nine are left when one goes."""
    with Index.open(path) as index:
        tracer = Tracer(index)
        before = tracer.trace(texts["idiom"]).matches[0]
        gone = id_of(path, "plants/apple.py")
        forget_documents(path, [gone])
        after = tracer.trace(texts["idiom"]).matches[0]

        assert (before.n_sources, after.n_sources) == (10, 9)
        assert gone in {source.document_id for source in before.sources}
        assert gone not in {source.document_id for source in after.sources}


def test_traces_while_documents_are_forgotten_always_answer(path: Path, texts: Texts) -> None:
    """Whatever is forgotten or rewritten meanwhile: an answer, and never of what is gone."""
    places = [f"plants/{noun}.py" for noun in ("apple", "birch", "cedar")]
    shown_as = {place: id_of(path, place) for place in places}  # compaction counts anew
    gone: list[int] = []
    unknown, shown = [], []
    ready, done = threading.Event(), threading.Event()
    with Index.open(path) as index:
        tracer = Tracer(index)

        def ask() -> None:
            while not done.is_set():
                known = set(gone)
                trace = tracer.trace(texts["idiom"])
                ready.set()
                unknown.extend([trace.reason] if trace.verdict is Verdict.UNKNOWN else [])
                shown.extend(
                    source.document_id
                    for match in trace.matches
                    for source in match.sources
                    if source.document_id in known
                )

        asking = threading.Thread(target=ask)
        asking.start()
        assert ready.wait(timeout=30)
        for place, document_id in shown_as.items():
            forget_documents(path, [id_of(path, place)])
            gone.append(document_id)
            compact_index(path)
        done.set()
        asking.join(timeout=30)

    assert (unknown, shown, asking.is_alive()) == ([], [], False)
