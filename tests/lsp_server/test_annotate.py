"""Tracing in the background: only the newest version counts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from indexer import Index
from indexer.tombstones import forget_documents
from lsp_server.annotate import Annotator
from lsp_server.config import AttributionSettings
from lsp_server.documents import Document, DocumentStore
from lsp_server.protocol import MatchesParams, TraceResult
from tests.lsp_server.conftest import INDEXED, build_ring_index

URI = "file:///a.py"
OURS, OTHER = "a" * 64, "b" * 64  # digests of corpora


class Held:
    """An annotator with a document, and what it has published."""

    def __init__(self, index: Path) -> None:
        self.documents = DocumentStore()
        self.published: asyncio.Queue[MatchesParams] = asyncio.Queue()
        self.annotator = Annotator(
            self.documents,
            publish=self.published.put_nowait,
            on_state=lambda: None,
            warn=lambda _: None,
        )
        self.documents.open(Document(uri=URI, language_id="python", version=1, text=INDEXED))
        self.annotator.configure(AttributionSettings(index=str(index), debounce_ms=0))

    async def trace(self) -> TraceResult:
        document = self.documents.get(URI)
        assert document is not None
        return await self.annotator.trace(document)


@pytest.fixture
async def held(ring_index: Path) -> AsyncIterator[Held]:
    held = Held(ring_index)
    yield held
    held.annotator.close()


async def test_matches_of_a_text_that_is_gone_are_dropped(held: Held) -> None:
    """An edit while the trace runs makes its outcome worthless."""
    asked = asyncio.create_task(held.annotator.matches(URI))
    await asyncio.sleep(0)
    held.documents.change(URI, ["x = 1\n"], 2)

    assert await asked is None
    newest = await held.annotator.matches(URI)
    assert newest is not None
    assert (newest["version"], newest["verdict"]) == (2, "none")


async def test_matches_of_a_closed_document_are_dropped(held: Held) -> None:
    """Closing while the trace runs leaves nothing behind."""
    asked = asyncio.create_task(held.annotator.matches(URI))
    await asyncio.sleep(0)
    held.documents.close(URI)
    held.annotator.forget(URI)

    assert await asked is None
    assert await held.annotator.matches(URI) is None


async def test_many_edits_in_a_row_are_published_once(held: Held) -> None:
    """Only the version that typing comes to rest at is traced and published."""
    first = await asyncio.wait_for(held.published.get(), timeout=30)
    for version in range(2, 30):
        held.documents.change(URI, [f"x = {version}\n" + INDEXED], version)
        held.annotator.touch(URI)
    last = await asyncio.wait_for(held.published.get(), timeout=30)

    assert (first["version"], last["version"], held.published.qsize()) == (1, 29, 0)
    assert last["matches"][0]["range"]["start"]["line"] == 1


async def test_the_same_version_is_traced_once(held: Held) -> None:
    """A hover and a save after a trace take what is known."""
    first = await held.annotator.matches(URI)

    assert first is not None
    assert await held.annotator.matches(URI) is first


async def test_what_was_found_before_a_change_is_not_kept(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that was under way when the index, the model or a policy changed is taken anew."""
    look, looks = held.annotator.trace, []

    async def trace(document: Document) -> TraceResult:
        found = await look(document)
        looks.append(found)
        if len(looks) == 1:
            held.annotator.policy_changed()
        return found

    monkeypatch.setattr(held.annotator, "trace", trace)
    params = await held.annotator.matches(URI)

    assert params is not None
    assert len(looks) >= 2
    assert params["matches"] is not looks[0]["matches"]


async def test_what_is_forgotten_is_not_shown_from_memory(ring_index: Path, tmp_path: Path) -> None:
    """A hover right after finds nothing, with no edit and no restart; the marks are taken back."""
    index = Path(shutil.copytree(ring_index, tmp_path / "index"))
    held = Held(index)
    try:
        before = await held.annotator.matches(URI)
        with Index.open(index) as opened:
            document_id = next(i for i in opened.live_document_ids() if opened.text(i) == INDEXED)
        forget_documents(index, [document_id])
        after = await held.annotator.matches(URI)
        published = await asyncio.wait_for(held.published.get(), timeout=30)
        while published["verdict"] == "found":  # of the first look
            published = await asyncio.wait_for(held.published.get(), timeout=30)

        assert before is not None
        assert after is not None
        assert (before["verdict"], after["verdict"], after["matches"]) == ("found", "none", [])
        assert (published["verdict"], published["matches"]) == ("none", [])
    finally:
        held.annotator.close()


@pytest.fixture(scope="module")
def corpus_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same index, of a curated corpus with a digest."""
    path = tmp_path_factory.mktemp("index") / "default"
    build_ring_index(path, corpus=OURS)
    return path


@pytest.mark.parametrize(
    ("model_corpus", "claim"), [(OURS, "trained_on"), (OTHER, "indexed"), ("", "indexed")]
)
async def test_trained_on_is_said_of_the_models_own_corpus_alone(
    corpus_index: Path, model_corpus: str, claim: str
) -> None:
    """Only a model that has read the very corpus in which the match lies was trained on it."""
    held = Held(corpus_index)
    held.annotator.take_model(model_corpus)
    try:
        result = await held.trace()

        assert [match["claim"] for match in result["matches"]] == [claim]
        assert result["claim"] == claim
    finally:
        held.annotator.close()


async def test_nothing_is_said_of_an_index_of_no_corpus(ring_index: Path) -> None:
    """An index that was built of other files knows no digest, and no model fits it."""
    held = Held(ring_index)
    held.annotator.take_model(OURS)
    try:
        result = await held.trace()

        assert [match["claim"] for match in result["matches"]] == ["indexed"]
    finally:
        held.annotator.close()


async def test_the_users_own_text_gets_no_claim(corpus_index: Path) -> None:
    """What the copy lane repeats, or the user writes, is in no index: there is no match of it."""
    held = Held(corpus_index)
    held.annotator.take_model(OURS)
    own = "def area(width, height):\n    total = width * height\n    return total + width\n"
    held.documents.change(URI, [own * 3], 2)
    try:
        result = await held.trace()

        assert (result["verdict"], result["claim"], result["matches"]) == ("none", "indexed", [])
    finally:
        held.annotator.close()


async def test_another_model_changes_the_claim_of_what_is_open(corpus_index: Path) -> None:
    """The marks of an open document are published anew when the model is exchanged."""
    held = Held(corpus_index)
    try:
        first = await asyncio.wait_for(held.published.get(), timeout=30)
        held.annotator.take_model(OURS)
        second = await asyncio.wait_for(held.published.get(), timeout=30)
        known = await held.annotator.matches(URI)

        assert [one["matches"][0]["claim"] for one in (first, second)] == ["indexed", "trained_on"]
        assert known is second
    finally:
        held.annotator.close()
