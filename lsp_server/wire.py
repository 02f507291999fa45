"""pygls bent where it would hang, mislead or be slow; nothing here knows what Starcite does.

- A message of the wrong form is answered with an error; pygls drops it and the client waits.
- `triggerKind` 0 (clients before LSP 3.18) and a missing context of a completion are mended.
- Texts are kept in our own store only: pygls's splits lines at form feeds and costs O(n) an edit.
- Positions are UTF-16 whatever the client offers: every client has to speak it.
- Params of our own methods stay plain dicts; pygls would make named tuples of them.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    LanguageServerProtocol,
    lsp_method,
)

from lsp_server.protocol import METHODS

log = logging.getLogger(__name__)

Steps = Generator[Any, Any, Any]

INVOKED, AUTOMATIC = 1, 2
IGNORED = JsonRPCNotification(method="$/ignored", jsonrpc="2.0", params=None)


class Protocol(LanguageServerProtocol):
    """pygls's protocol with the changes that the module names."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The message as an object; one that has the wrong form is answered and ignored."""
        if "jsonrpc" not in data:
            return data
        method, message_id = data.get("method"), data.get("id")
        if method in METHODS:
            return _plain_message(data)
        if method == types.TEXT_DOCUMENT_INLINE_COMPLETION:
            _mend_context(data)
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            log.warning("message_refused method=%s", method)
            if method is not None and message_id is not None:
                self._send_response(message_id, None, error.to_response_error())
            return IGNORED

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Steps:
        """Initialize, with UTF-16 positions."""
        if params.capabilities.general is not None:
            params.capabilities.general.position_encodings = [types.PositionEncodingKind.Utf16]
        return (yield from super().lsp_initialize(params))

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Steps:
        """Hand the text to our own handler only."""
        yield self.fm.features[types.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Steps:
        """Hand the edits to our own handler only."""
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Steps:
        """Hand the news to our own handler only."""
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE], (params,), None


def _plain_message(data: dict[str, Any]) -> JsonRPCRequestMessage | JsonRPCNotification:
    method, params = data["method"], data.get("params")
    if "id" in data:
        return JsonRPCRequestMessage(id=data["id"], method=method, jsonrpc="2.0", params=params)
    return JsonRPCNotification(method=method, jsonrpc="2.0", params=params)


def _mend_context(data: dict[str, Any]) -> None:
    """Trigger kinds were 0 (invoked) and 1 (automatic) before LSP 3.18; 1 is read as today."""
    params = data.get("params")
    if not isinstance(params, dict):
        return
    context = params.get("context")
    if not isinstance(context, dict):
        context = params["context"] = {}
    kind = context.get("triggerKind")
    if kind == 0:
        context["triggerKind"] = INVOKED
    elif kind not in {INVOKED, AUTOMATIC}:
        context["triggerKind"] = AUTOMATIC


def take_stdout() -> BinaryIO:
    """The real standard output; whatever else prints in this process goes to standard error."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    os.set_inheritable(private, False)  # noqa: FBT003 - os fixes the signature
    return os.fdopen(private, "wb")


async def serve(protocol: Protocol, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Read and answer messages until `exit` (raises SystemExit) or the end of `stdin`."""
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starcite-stdin")
    protocol.set_writer(StdoutWriter(stdout))
    try:
        await run_async(
            stop_event=threading.Event(),
            reader=StdinAsyncReader(stdin, executor),
            protocol=protocol,
            error_handler=_report,
        )
    finally:
        executor.shutdown(wait=False)  # after Ctrl-C its thread still waits for input


def _report(error: Exception, _: type[JsonRpcException]) -> None:
    log.warning("message_unreadable error=%s", type(error).__name__)
