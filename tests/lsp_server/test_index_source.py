"""Which index is asked: a folder, or a service that is chosen on the machine and nowhere else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from indexer import IndexerError
from lsp_server.annotate import Annotator
from lsp_server.config import AttributionSettings
from lsp_server.documents import Document, DocumentStore
from lsp_server.index_source import index_source
from lsp_server.protocol import IndexStatus
from tests.attribution.service.test_serve_cli import TOKEN, running
from tests.lsp_server.conftest import INDEXED

PACKAGE = Path(__file__).parents[2] / "vscode-ext" / "package.json"
URI = "file:///a.py"


def test_no_workspace_can_choose_the_service() -> None:
    """A folder that somebody opens must not send the text of documents anywhere."""
    properties = json.loads(PACKAGE.read_text())["contributes"]["configuration"]["properties"]
    names = ("service", "serviceTokenFile", "fingerprintsOnly", "serviceTimeoutMs")

    assert {properties[f"starcite.attribution.{name}"]["scope"] for name in names} == {"machine"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_token_that_cannot_be_read_is_told_of(tmp_path: Path, content: bytes | None) -> None:
    """The message names the file and the setting."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    settings = AttributionSettings(service="http://127.0.0.1:1", service_token_file=str(file))
    with pytest.raises(IndexerError, match="serviceTokenFile") as refused:
        index_source(settings).open()

    assert str(file) in str(refused.value)


@pytest.mark.parametrize("is_private", [False, True], ids=["text", "fingerprints"])
async def test_a_service_is_asked_and_missed(
    ring_index: Path, tmp_path: Path, is_private: bool
) -> None:
    """Marks come from the service; when it has died a document is unknown, with the reason."""
    states: list[IndexStatus] = []
    documents = DocumentStore()
    annotator = Annotator(
        documents,
        publish=lambda _: None,
        on_state=lambda: states.append(annotator.status),
        warn=lambda _: None,
    )
    file = tmp_path / "token"
    file.write_text(TOKEN)
    document = Document(uri=URI, language_id="python", version=1, text=INDEXED)
    with running(ring_index, tmp_path, "--workers", "1", "--token-file", str(file)) as started:
        process, port = started
        annotator.configure(
            AttributionSettings(
                service=f"http://127.0.0.1:{port}",
                service_token_file=str(file),
                fingerprints_only=is_private,
                service_timeout_ms=60_000,
            )
        )
        found = await annotator.trace(document)
        source = await annotator.source(found["matches"][0]["sources"][0]["documentId"])
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        missed = await annotator.trace(document)
        with pytest.raises(IndexerError, match="index service"):
            await annotator.source(0)
    annotator.close()

    assert (found["verdict"], source["text"]) == ("found", INDEXED)
    assert (missed["verdict"], missed["matches"]) == ("unknown", [])
    assert [one["state"] for one in states] == ["ready", "error"]
    assert "cannot be asked" in states[1]["detail"]
