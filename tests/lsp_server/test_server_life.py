"""Start, settings, documents and the end, driven over stdio as an editor drives it."""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.lsp_server.conftest import Spawn
from tests.lsp_server.lsp_client import LspClient, LspError, completion_params, insertion

URI = "file:///a.py"
NEVER_AT_START = ("torch", "transformers", "faiss", "tantivy", "xllamacpp")
Script = Callable[..., dict[str, Any]]


def processor_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def warning(client: LspClient) -> list[str]:
    return [params["message"] for name, params in client.notifications if "Message" in name]


async def test_the_server_starts_in_under_a_second(spawn: Spawn) -> None:
    """From the start of the process to the answer to `initialize` and the end: processor time.

    The best of three, since a loaded machine says little about the server.
    """
    seconds = []
    for _ in range(3):
        before = processor_seconds()
        client = await spawn(initialize=False)
        await client.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        await client.shut_down()
        seconds.append(processor_seconds() - before)

    assert min(seconds) < 1.0


def test_starting_imports_neither_models_nor_the_index() -> None:
    """The server's modules load nothing that only a model or a search needs."""
    script = (
        "import sys, lsp_server.server; from lsp_server.server import Server; Server();"
        f"print([m for m in {NEVER_AT_START} if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert result.stdout.strip() == "[]", result.stderr


async def test_bad_settings_are_named_once_and_the_rest_holds(spawn: Spawn, script: Script) -> None:
    """A mistake in the settings is said in one message; everything else works."""
    settings = script({"f(": "x)"})
    settings["completion"] |= {"maxTokens": "many", "modle": "x"}
    client = await spawn(settings=settings)
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.notify("workspace/didChangeConfiguration", {"settings": {"starcite": settings}})
    client.open(URI, "f(")
    items = await client.complete(URI, 0, 2)

    assert [item["insertText"] for item in items] == ["x)"]
    assert warning(client) == [
        "starcite.completion.maxTokens is 'many', which is not a whole number; "
        "the default 32 is used\n"
        "starcite.completion.modle is not a setting of Starcite; "
        "did you mean starcite.completion.model?"
    ]


async def test_changed_settings_change_the_model(spawn: Spawn, script: Script) -> None:
    """Another model in the settings is opened while the editor runs."""
    client = await spawn(settings={"completion": {"model": "smollm2-135m"}})
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "missing")
    settings = script({"f(": "x)"})
    client.notify("workspace/didChangeConfiguration", {"settings": {"starcite": settings}})
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.open(URI, "f(")

    assert [item["insertText"] for item in await client.complete(URI, 0, 2)] == ["x)"]


async def test_settings_are_pulled_from_a_client_that_sends_none(
    spawn: Spawn, script: Script
) -> None:
    """A client that offers `workspace/configuration` is asked for the section `starcite`."""
    asked: list[Any] = []
    settings = script({"f(": "x)"})
    client = await spawn(initialize=False)
    client.answers["workspace/configuration"] = lambda params: asked.append(params) or [settings]
    await client.initialize(capabilities={"workspace": {"configuration": True}})
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")

    assert asked == [{"items": [{"section": "starcite"}]}]


async def test_edits_go_where_the_editor_means(spawn: Spawn, script: Script) -> None:
    """Form feeds, U+2028 and lone carriage returns shift no line; columns are UTF-16."""
    client = await spawn(settings=script({"second😀=call(": "right)"}))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.open(URI, "a\x0cb\u2028c\rsecond😀=\nthird\n")
    client.change(URI, 2, insertion(1, 9, "ca"), insertion(1, 11, "ll("))
    items = await client.complete(URI, 1, 14)

    assert [item["insertText"] for item in items] == ["right)"]


async def test_a_client_that_prefers_utf8_is_answered_in_utf16(spawn: Spawn) -> None:
    """Positions are UTF-16 for every client, and the server says so."""
    client = await spawn(capabilities={"general": {"positionEncodings": ["utf-8", "utf-16"]}})

    assert client.initialized["capabilities"]["positionEncoding"] == "utf-16"


async def test_a_closed_document_is_forgotten(spawn: Spawn, script: Script) -> None:
    """After didClose nothing runs for the document, and edits to it are ignored."""
    client = await spawn(settings=script({"a": "never"}, first_piece_delay_ms=600_000))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.open(URI, "a")
    _, answer = client.send("textDocument/inlineCompletion", completion_params(URI, 0, 1))
    client.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    client.change(URI, 2, insertion(0, 0, "x"))

    assert await asyncio.wait_for(answer, timeout=30) == {"items": []}
    assert await client.complete(URI, 0, 1) == []
    with pytest.raises(LspError, match="not open"):
        await client.request("starcite/trace", {"textDocument": {"uri": URI}})


async def test_shutdown_and_exit_end_the_process(spawn: Spawn) -> None:
    """Exit code 0 after `shutdown` and `exit`, 1 after `exit` alone, as the protocol says."""
    polite, rude = await spawn(), await spawn()
    rude.notify("exit", None)

    assert await polite.shut_down() == 0
    assert await rude.ended() == 1


async def test_the_server_ends_with_its_editor(spawn: Spawn, script: Script) -> None:
    """When the editor is gone the server goes too, work in flight or not, and says nothing."""
    client = await spawn(settings=script({"a": "never"}, first_piece_delay_ms=600_000))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.open(URI, "a")
    client.send("textDocument/inlineCompletion", completion_params(URI, 0, 1))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "working")
    await client.stop()

    assert await client.ended() == 0
    assert await client.errors() == ""


async def test_ctrl_c_ends_the_server(spawn: Spawn) -> None:
    """An interrupt ends the process at once, though its input is still open, and quietly."""
    client = await spawn()
    await client.request("starcite/status", {})
    client.process.send_signal(signal.SIGINT)

    assert await client.ended() == 130
    assert await client.errors() == ""


async def test_no_source_code_is_logged_by_default(spawn: Spawn, script: Script) -> None:
    """Neither text, completions nor paths reach the log, not even from a bad message."""
    client = await spawn(settings=script({"CANARY": "CANARY"}))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "ready")
    client.open("file:///CANARY.py", "CANARY = CANARY")
    await client.complete("file:///CANARY.py", 0, 15)
    client.notify("textDocument/didOpen", {"textDocument": {"text": "CANARY", "uri": 3}})
    client.change("file:///CANARY.py", 2, {"range": "CANARY", "text": "CANARY"})
    with pytest.raises(LspError):
        await client.request("textDocument/hover", {"textDocument": "CANARY"})
    await client.shut_down()

    assert "CANARY" not in await client.errors()


def test_without_stdio_the_command_says_how() -> None:
    """A person who types `starcite lsp` learns how an editor starts it."""
    result = subprocess.run(
        [sys.executable, "-m", "starcite", "lsp"], capture_output=True, text=True, check=False
    )

    assert result.returncode == 2
    assert "starcite lsp --stdio" in result.stderr
