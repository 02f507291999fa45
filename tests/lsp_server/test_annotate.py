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
from lsp_server.protocol import MatchesParams
from tests.lsp_server.conftest import INDEXED

URI = "file:///a.py"


class Held:
    """An annotator with a document, and what it has published."""

    def __init__(self, index: Path) -> None:
        self.documents = DocumentStore()
        self.published: asyncio.Queue[MatchesParams] = asyncio.Queue()
        self.annotator = Annotator(
            self.documents, publish=self.published.put_nowait, on_state=lambda: None
        )
        self.documents.open(Document(uri=URI, language_id="python", version=1, text=INDEXED))
        self.annotator.configure(AttributionSettings(index=str(index), debounce_ms=0))


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
