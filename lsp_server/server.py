"""Wiring: each LSP message becomes one call of the session, and its answer becomes LSP again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from importlib.metadata import version
from typing import Any, BinaryIO, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from indexer import IndexerError
from lsp_server import protocol
from lsp_server.config import SECTION
from lsp_server.documents import Document, Edit
from lsp_server.errors import ProtocolError
from lsp_server.session import Session
from lsp_server.wire import Protocol, serve

log = logging.getLogger(__name__)

NO_HOVER: types.Hover | None = None

P = TypeVar("P")
R = TypeVar("R")


class Server(LanguageServer):
    """One editor window's server; `run` serves it until the editor leaves."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("starcite", version("starcite"), protocol_cls=Protocol)
        self.session = Session(notify=self._notify, warn=self._warn)
        self._background: set[asyncio.Task[None]] = set()
        self._initial: object = None
        _register(self)

    async def run(self, stdin: BinaryIO, stdout: BinaryIO) -> None:
        """Serve until `exit` (raises SystemExit with its code) or the end of the input."""
        try:
            await serve(self.protocol, stdin, stdout)
        finally:
            await self.session.close()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log that a request failed; the error's text may hold source code and is left out."""
        level = logging.ERROR if isinstance(error, JsonRpcInternalError) else logging.INFO
        log.log(level, "request_refused error=%s", type(error).__name__)

    def initialize(self, params: types.InitializeParams) -> None:
        """Keep what the editor says of itself; nothing is opened before `initialized`."""
        options = params.initialization_options
        if isinstance(options, dict):
            self._initial = options.get("settings")
            self.session.command_links = options.get("commandLinks") is True

    def initialized(self) -> None:
        """Open the model and the index in the background."""
        if self._initial is None and self._can_pull():
            self._start(self._pull())
        else:
            self.session.configure(self._initial)

    def settings_changed(self, params: types.DidChangeConfigurationParams) -> None:
        """Take over the settings that were sent, or ask for them."""
        if params.settings:
            self.session.configure(params.settings)
        elif self._can_pull():
            self._start(self._pull())

    def _can_pull(self) -> bool:
        workspace = self.client_capabilities.workspace
        return bool(workspace and workspace.configuration)

    async def _pull(self) -> None:
        items = [types.ConfigurationItem(section=SECTION)]
        answer = await self.workspace_configuration_async(types.ConfigurationParams(items=items))
        self.session.configure(answer[0] if answer else None)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _notify(self, method: str, params: Any) -> None:
        self.protocol.notify(method, params)

    def _warn(self, message: str) -> None:
        kind = types.MessageType.Warning
        self.window_show_message(types.ShowMessageParams(type=kind, message=message))


Handler = Callable[[P], Awaitable[R]]


def _guarded(default: R) -> Callable[[Handler[P, R]], Handler[P, R]]:
    """A failed completion or hover is `default` and a line in the log, never a pop-up."""

    def decorate(handler: Handler[P, R]) -> Handler[P, R]:
        @wraps(handler)
        async def guarded(params: P) -> R:
            try:
                return await handler(params)
            except Exception as error:
                log.warning("handler_failed handler=%s error=%r", handler.__name__, type(error))
                log.debug("handler_failed", exc_info=True)  # may show source code
                return default

        return guarded

    return decorate


def _register(server: Server) -> None:
    _register_life(server)
    _register_documents(server)
    _register_requests(server)
    _register_own(server)


def _register_life(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.initialize(params)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.initialized()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def changed(params: types.DidChangeConfigurationParams) -> None:
        server.settings_changed(params)

    @server.feature(types.SHUTDOWN)
    async def shutdown(_: None) -> None:
        await server.session.close()


def _register_documents(server: Server) -> None:
    session = server.session

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        it = params.text_document
        session.open(
            Document(uri=it.uri, language_id=it.language_id, version=it.version, text=it.text)
        )

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        it = params.text_document
        session.change(it.uri, [_edit(change) for change in params.content_changes], it.version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        session.save(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(_: types.DidChangeWatchedFilesParams) -> None:
        session.policy_changed()  # the clients watch nothing else

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.close_document(params.text_document.uri)


def _register_requests(server: Server) -> None:
    session = server.session

    # Without options pygls does not advertise the capability, and no editor ever asks.
    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())
    @_guarded(types.InlineCompletionList(items=[]))
    async def complete(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        shown = params.context.selected_completion_info
        found = await session.complete(
            params.text_document.uri,
            _position(params.position),
            invoked=params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked,
            selected=(_range(shown.range), shown.text) if shown else None,
        )
        return types.InlineCompletionList(
            items=[
                types.InlineCompletionItem(insert_text=text, range=_lsp_range(where))
                for text, where in found
            ]
        )

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    @_guarded(NO_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        found = await session.hover(params.text_document.uri, _position(params.position))
        if found is None:
            return None
        text = types.MarkupContent(kind=types.MarkupKind.Markdown, value=found[0])
        return types.Hover(contents=text, range=_lsp_range(found[1]))


def _register_own(server: Server) -> None:
    session = server.session

    # `Any` and not `object`: pygls takes a first parameter that a server fits for the server.
    @server.feature(protocol.STATUS)
    async def status(_: Any) -> protocol.StatusParams:
        return session.status()

    @server.feature(protocol.CURSOR)
    async def cursor(params: Any) -> None:
        try:
            session.rest(protocol.read_cursor_params(params))
        except ProtocolError as error:
            log.warning("notification_refused error=%s", error)

    @server.feature(protocol.TRACE)
    async def trace(params: Any) -> protocol.TraceResult:
        try:
            return await session.trace(protocol.read_trace_params(params))
        except ProtocolError as error:
            raise JsonRpcInvalidParams(str(error)) from error

    @server.feature(protocol.SOURCE)
    async def source(params: Any) -> protocol.SourceResult:
        try:
            return await session.source(protocol.read_source_params(params))
        except ProtocolError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        except IndexerError as error:
            raise JsonRpcException(str(error), code=types.LSPErrorCodes.RequestFailed) from error


def _edit(change: types.TextDocumentContentChangeEvent) -> Edit | str:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return change.text
    start, end = change.range.start, change.range.end
    return Edit(
        start_line=start.line,
        start_character=start.character,
        end_line=end.line,
        end_character=end.character,
        text=change.text,
    )


def _position(position: types.Position) -> protocol.Position:
    return {"line": position.line, "character": position.character}


def _range(where: types.Range) -> protocol.Range:
    return {"start": _position(where.start), "end": _position(where.end)}


def _lsp_range(where: protocol.Range) -> types.Range:
    return types.Range(start=types.Position(**where["start"]), end=types.Position(**where["end"]))
