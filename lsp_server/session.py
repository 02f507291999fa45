"""What one editor window holds: its documents, its settings, the model and the annotator.

Knows nothing of pygls: `server.py` turns messages into these calls. Everything here runs on the
event loop and never blocks it; what takes time runs in the worker process or in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lsp_server import hover, protocol
from lsp_server.annotate import Annotator
from lsp_server.complete import Completion, CompletionRequest
from lsp_server.config import Settings, read_settings
from lsp_server.diagnostics import (
    PUBLISH_DIAGNOSTICS,
    PublishDiagnosticsParams,
    diagnostics_of,
    no_diagnostics,
)
from lsp_server.documents import Document, DocumentStore, Edit
from lsp_server.errors import ProtocolError
from lsp_server.latest import Latest
from lsp_server.model_slot import ModelSlot

Selected = tuple[protocol.Range, str]


class Session:
    """Answers for one editor window; a held resource, closed on shutdown."""

    def __init__(self, *, notify: Callable[[str, Any], None], warn: Callable[[str], None]) -> None:
        self.documents = DocumentStore()
        self.settings = Settings()
        self.command_links = False
        self._notify = notify
        self._warn = warn
        self._annotator = Annotator(
            self.documents,
            publish=self._publish,
            on_state=self._send_status,
            warn=warn,
        )
        self._model = ModelSlot(on_state=self._model_changed, on_ready=self._warm)
        self._latest: dict[str, Latest] = {}
        self._warming: asyncio.Task[None] | None = None
        self._cursor = ("", 0)  # where it last rested: a URI and an offset
        self._sent_status: protocol.StatusParams | None = None
        self._problems: list[str] = []
        self._objected: set[str] = set()  # the documents of which there are diagnostics
        self._is_closed = False

    def configure(self, raw: object) -> None:
        """Take over the editor's settings; what is wrong with them is said once."""
        self.settings, problems = read_settings(raw)
        if problems and problems != self._problems:
            self._warn("\n".join(problems))
        self._problems = problems
        self._annotator.configure(self.settings.attribution)
        self._model.configure(self.settings.completion)

    def status(self) -> protocol.StatusParams:
        """What the status bar shows."""
        return {"model": self._model.status, "index": self._annotator.status}

    def open(self, document: Document) -> None:
        """The editor opened a document."""
        self.documents.open(document)
        self._cursor = (document.uri, len(document.text))  # until the editor says where it rests
        self._annotator.touch(document.uri, at_once=True)
        self._warm()

    def change(self, uri: str, edits: list[Edit | str], version: int) -> None:
        """The editor changed a document."""
        if self.documents.change(uri, edits, version) is not None:
            self._annotator.touch(uri)

    def save(self, uri: str) -> None:
        """The editor saved a document: whoever saves wants to see what was found."""
        if self.documents.get(uri) is not None:
            self._annotator.touch(uri, at_once=True)

    def policy_changed(self) -> None:
        """A file of the name of a policy was written or removed."""
        self._annotator.policy_changed()

    def close_document(self, uri: str) -> None:
        """The editor closed a document: nothing of it is kept."""
        self.documents.close(uri)
        self._annotator.forget(uri)
        self._show(no_diagnostics(uri))
        latest = self._latest.pop(uri, None)
        if latest is not None:
            latest.cancel()

    async def complete(
        self,
        uri: str,
        position: protocol.Position,
        *,
        invoked: bool,
        selected: Selected | None = None,
    ) -> list[tuple[str, protocol.Range]]:
        """Completions at a position as texts with the ranges that they replace, best first.

        Empty when a newer request came, when the document moved on, or when nothing fits.
        `selected` is the range and text of the entry that the editor's own list shows: each
        completion then extends that text in that range.
        """
        document = self.documents.get(uri)
        if document is None or not self.settings.completion.enabled:
            return []
        version = document.version
        request = CompletionRequest(
            uri=uri,
            language_id=document.language_id,
            text=document.text,
            offset=document.offset_at(position["line"], position["character"]),
            invoked=invoked,
            related=self.documents.related(uri),
        )
        if selected is not None:
            request = _as_if_selected(request, document, selected)
        latest = self._latest.setdefault(uri, Latest())
        found = await latest.run(self._model.complete(request))
        if not found or document.version != version or self.documents.get(uri) is not document:
            return []
        if selected is not None:
            return _extending(found, request.offset, selected)
        return [(one.text, document.range_of(one.start, one.end)) for one in found]

    async def hover(
        self, uri: str, position: protocol.Position
    ) -> tuple[str, protocol.Range] | None:
        """Markdown and range of the match at a position, of the newest version."""
        params = await self._annotator.matches(uri)
        for match in params["matches"] if params else []:
            if hover.contains(match["range"], position):
                text = hover.hover_markdown(match, command_links=self.command_links)
                return text, match["range"]
        return None

    async def trace(self, params: protocol.TraceParams) -> protocol.TraceResult:
        """Trace a range of an open document. Raises: ProtocolError if it is not open."""
        document = self.documents.get(params["textDocument"]["uri"])
        if document is None:
            raise ProtocolError("the document is not open in the editor; open it and trace again")
        if "range" not in params:
            return await self._annotator.trace(document)
        edges = [
            document.offset_at(edge["line"], edge["character"])
            for edge in (params["range"]["start"], params["range"]["end"])
        ]
        return await self._annotator.trace(document, min(edges), max(edges))

    async def source(self, params: protocol.SourceParams) -> protocol.SourceResult:
        """The stored text of an indexed document. Raises: IndexerError if there is none."""
        return await self._annotator.source(params["documentId"])

    async def close(self) -> None:
        """Stop everything that runs and let go of the model; harmless when done twice."""
        self._is_closed = True
        for latest in self._latest.values():
            latest.cancel()
        if self._warming is not None:
            self._warming.cancel()
        self._annotator.close()
        await self._model.close()

    def rest(self, params: protocol.CursorParams) -> None:
        """The cursor rests: let the model read what stands before it."""
        document = self.documents.get(params["textDocument"]["uri"])
        if document is not None:
            place = params["position"]
            self._cursor = document.uri, document.offset_at(place["line"], place["character"])
            self._warm()

    def _warm(self) -> None:
        """Let the model read the prompt where the cursor was last, else of the newest document."""
        newest = self.documents.newest()
        if newest is None or not self.settings.completion.enabled:
            return
        if self._warming is not None:
            self._warming.cancel()
        uri, offset = self._cursor
        document = self.documents.get(uri) or newest
        request = CompletionRequest(
            uri=document.uri,
            language_id=document.language_id,
            text=document.text,
            offset=min(offset, len(document.text)) if document.uri == uri else len(document.text),
            invoked=False,
        )
        self._warming = asyncio.get_running_loop().create_task(self._model.warm(request))

    def _model_changed(self) -> None:
        self._annotator.take_model(self._model.corpus_digest)
        self._send_status()

    def _send_status(self) -> None:
        status = self.status()
        if status != self._sent_status and not self._annotator.is_opening:  # soon known
            self._sent_status = status
            self._tell(protocol.STATUS, status)

    def _publish(self, params: protocol.MatchesParams) -> None:
        self._tell(protocol.MATCHES, params)
        self._show(diagnostics_of(params))

    def _show(self, diagnostics: PublishDiagnosticsParams) -> None:
        """Tell of what a policy objects to, and that it no longer does."""
        if diagnostics.diagnostics or diagnostics.uri in self._objected:
            self._tell(PUBLISH_DIAGNOSTICS, diagnostics)
        if diagnostics.diagnostics:
            self._objected.add(diagnostics.uri)
        else:
            self._objected.discard(diagnostics.uri)

    def _tell(self, method: str, params: Any) -> None:
        if not self._is_closed:  # there may be nobody left to read it
            self._notify(method, params)


def _as_if_selected(
    request: CompletionRequest, document: Document, selected: Selected
) -> CompletionRequest:
    """The request as it would be, had the entry of the editor's list been accepted."""
    where, text = selected
    start = document.offset_at(where["start"]["line"], where["start"]["character"])
    end = document.offset_at(where["end"]["line"], where["end"]["character"])
    accepted = request.text[:start] + text + request.text[end:]
    return replace(request, text=accepted, offset=start + len(text))


def _extending(
    found: list[Completion], offset: int, selected: Selected
) -> list[tuple[str, protocol.Range]]:
    where, text = selected
    return [(text + one.text, where) for one in found if one.start == one.end == offset]
