"""Completion, driven over stdio as an editor drives it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.lsp_server.conftest import Spawn
from tests.lsp_server.lsp_client import LspError, completion_params, encode, insertion

URI = "file:///folder%20x/a.py"
INLINE = "textDocument/inlineCompletion"
Script = Callable[..., dict[str, Any]]


def ready(status: Any) -> bool:
    return bool(status["model"]["state"] == "ready")


def texts(items: list[Any]) -> list[str]:
    return [item["insertText"] for item in items]


async def test_the_capability_is_advertised(spawn: Spawn) -> None:
    """An editor asks for inline completions only where the server says that it has them."""
    client = await spawn()
    capabilities = client.initialized["capabilities"]

    assert client.initialized["serverInfo"]["name"] == "starcite"
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["hoverProvider"]
    assert capabilities["textDocumentSync"]["change"] == 2


async def test_a_model_completes_at_the_cursor(spawn: Spawn, script: Script) -> None:
    """What the model writes comes back as an insertion at the cursor, counted in UTF-16."""
    client = await spawn(settings=script({"😀(": "x, y)"}))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "s = 1\nf😀(")
    items = await client.complete(URI, 1, 4)

    at = {"line": 1, "character": 4}
    assert items == [{"insertText": "x, y)", "range": {"start": at, "end": at}}]


@pytest.mark.parametrize("kind", [0, 1, 2, 7, None])
async def test_every_trigger_kind_is_answered(spawn: Spawn, script: Script, kind: object) -> None:
    """Clients of older protocols send 0, and none may be left waiting."""
    client = await spawn(settings=script({"f(": "x)"}))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "f(")

    assert texts(await client.complete(URI, 0, 2, triggerKind=kind)) == ["x)"]


async def test_a_malformed_request_is_answered_with_an_error(spawn: Spawn) -> None:
    """A request that cannot be read gets an error and not silence, and the next one is served."""
    client = await spawn()
    with pytest.raises(LspError) as caught:
        await client.request(INLINE, {"textDocument": {"uri": URI}, "position": {"line": "x"}})

    assert caught.value.code == -32602
    assert await client.complete(URI, 0, 0) == []


async def test_garbage_between_messages_does_no_harm(spawn: Spawn) -> None:
    """A body that is no JSON, or none that the protocol knows, is skipped."""
    client = await spawn()
    for body in (b"{]", b"[]", b"7", b'"x"', b"{}", b'{"jsonrpc": "2.0"}', b"\xff\xfe"):
        client.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    client.notify("unknown/notification", {"deep": [{"jsonrpc": 3}]})
    for params in ({}, [], {"textDocument": {"uri": 7}}, {"position": {"line": -1}}):
        client.notify("starcite/cursor", params)

    assert await client.complete(URI, 0, 0) == []


async def test_a_hundred_cancelled_requests_are_all_answered(spawn: Spawn, script: Script) -> None:
    """Each request that is cancelled in flight is answered so, and the server goes on unharmed."""
    slow = script({"a": "never"}, first_piece_delay_ms=600_000)
    client = await spawn(settings=slow)
    await client.wait_for("starcite/status", ready)
    client.open(URI, "a")
    futures = []
    for _ in range(100):
        message_id, future = client.send(INLINE, completion_params(URI, 0, 1))
        client.cancel(message_id)
        futures.append(future)
    answers = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), timeout=30)

    assert [getattr(answer, "code", answer) for answer in answers] == [-32800] * 100
    assert (await client.request("starcite/status", {}))["model"]["state"] == "ready"
    assert await client.shut_down() == 0


async def test_a_hundred_requests_in_flight_are_all_answered(spawn: Spawn, script: Script) -> None:
    """Of a hundred requests at once each is answered: cancelled, or empty when overtaken."""
    slow = script({"a": "never"}, first_piece_delay_ms=600_000)
    client = await spawn(settings=slow)
    await client.wait_for("starcite/status", ready)
    uris = [f"file:///{n}.py" for n in range(50)]
    for uri in uris:
        client.open(uri, "a")
    asked = [client.send(INLINE, completion_params(uri, 0, 1)) for uri in uris for _ in range(2)]
    for message_id, _ in asked:
        client.cancel(message_id)
    answers = await asyncio.wait_for(
        asyncio.gather(*(future for _, future in asked), return_exceptions=True), timeout=30
    )
    outcomes = [getattr(answer, "code", answer) for answer in answers]

    assert outcomes[-1] == -32800  # nothing was newer
    assert all(outcome in (-32800, {"items": []}) for outcome in outcomes)
    assert await client.shut_down() == 0


async def test_cancelling_answers_at_once(spawn: Spawn, script: Script) -> None:
    """A cancelled request does not wait for the model."""
    client = await spawn(settings=script({"a": "never"}, first_piece_delay_ms=600_000))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "a")
    message_id, future = client.send(INLINE, completion_params(URI, 0, 1))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "working")
    started = time.perf_counter()
    client.cancel(message_id)
    with pytest.raises(LspError) as caught:
        await future

    assert caught.value.code == -32800
    assert time.perf_counter() - started < 0.5  # milliseconds, with room for a loaded machine


async def test_the_newest_request_for_a_document_wins(spawn: Spawn, script: Script) -> None:
    """An older request is answered with nothing as soon as a newer one comes."""
    client = await spawn(settings=script({"a": "slow"}, first_piece_delay_ms=600_000))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "a")
    _, older = client.send(INLINE, completion_params(URI, 0, 1))
    newer_id, newer = client.send(INLINE, completion_params(URI, 0, 1))

    assert await asyncio.wait_for(older, timeout=30) == {"items": []}
    assert not newer.done()
    client.cancel(newer_id)


async def test_an_edit_while_completing_empties_the_answer(spawn: Spawn, script: Script) -> None:
    """A completion for a text that is gone is never offered."""
    client = await spawn(settings=script({"f(": "x)"}, first_piece_delay_ms=200))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "f(")
    _, answer = client.send(INLINE, completion_params(URI, 0, 2))
    client.change(URI, 2, insertion(0, 0, "\n"))

    assert await asyncio.wait_for(answer, timeout=30) == {"items": []}
    assert texts(await client.complete(URI, 1, 2)) == ["x)"]


async def test_an_edit_that_arrives_with_the_request_is_not_mixed_into_it(
    spawn: Spawn, script: Script
) -> None:
    """Request and edit in one write: the request means the text before the edit."""
    client = await spawn(settings=script({"f(": "old)", "g(": "new)"}))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "f(")
    client.change(URI, 2, {"text": "g("})
    whole = {"textDocument": {"uri": URI, "version": 3}, "contentChanges": [{"text": "f("}]}
    request = encode({"id": 900, "method": INLINE, "params": completion_params(URI, 0, 2)})
    change = encode({"method": "textDocument/didChange", "params": whole})
    client._pending[900] = answer = asyncio.get_running_loop().create_future()
    client.write(request + change)

    assert texts((await asyncio.wait_for(answer, timeout=30))["items"]) in ([], ["new)"])
    assert texts(await client.complete(URI, 0, 2)) == ["old)"]


async def test_other_requests_are_served_while_the_model_works(
    spawn: Spawn, script: Script
) -> None:
    """A generation that hangs blocks nobody: edits apply and other requests are answered."""
    client = await spawn(settings=script({"a": "never"}, first_piece_delay_ms=600_000))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "a")
    client.open("file:///b.py", "b")
    message_id, running = client.send(INLINE, completion_params(URI, 0, 1))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "working")
    for version in range(2, 52):
        client.change("file:///b.py", version, insertion(0, 0, "b"))
        await client.request("starcite/status", {})

    assert not running.done()
    client.cancel(message_id)


async def test_each_item_extends_the_selected_entry(spawn: Spawn, script: Script) -> None:
    """With an entry selected in the editor's list, the completion goes on from that entry."""
    client = await spawn(settings=script({"os.path": ".join(a)"}))
    await client.wait_for("starcite/status", ready)
    client.open(URI, "os.pa")
    where = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 5}}
    selected = {"range": where, "text": "path"}
    items = await client.complete(URI, 0, 5, selectedCompletionInfo=selected)

    assert items == [{"insertText": "path.join(a)", "range": where}]


async def test_the_copy_lane_answers_before_the_model_has_loaded(
    spawn: Spawn, script: Script
) -> None:
    """While the status says loading, what the open files hold is offered already."""
    client = await spawn(settings=script({"a": "x"}, state="loading"))
    await client.wait_for(
        "starcite/status", lambda one: one["model"] == _model("loading", "scripted")
    )
    client.open(URI, "alpha = compute_total(first, second)\nbeta = compute_total(fi")

    assert texts(await client.complete(URI, 1, 23)) == ["rst, second)"]
    assert await client.complete(URI, 0, 1) == []


async def test_without_a_model_the_status_says_what_to_do(spawn: Spawn) -> None:
    """No model is a state with the next step in it and not an error."""
    client = await spawn(settings={"completion": {"model": "smollm2-135m"}})
    status = await client.wait_for(
        "starcite/status", lambda one: one["model"]["state"] not in {"loading"}
    )
    client.open(URI, "a = ")

    assert status["model"]["state"] == "missing"
    assert "starcite model fetch" in status["model"]["detail"]
    assert await client.complete(URI, 0, 4) == []


async def test_who_chooses_no_model_gets_the_shipped_one(spawn: Spawn) -> None:
    """In an empty data folder it loads, and the status names the corpus that it has read."""
    client = await spawn()
    status = await client.wait_for(
        "starcite/status", lambda one: one["model"]["state"] not in {"loading"}
    )

    assert (status["model"]["name"], status["model"]["state"]) == ("starcite-tiny", "ready")
    assert "trained on corpus" in status["model"]["detail"]


async def test_a_model_that_is_damaged_is_a_state_too(spawn: Spawn, tmp_path: Any) -> None:
    """A model that cannot be opened leaves an editor that works and a status that says why."""
    bad = tmp_path / "bad.json"
    bad.write_text("{]")
    client = await spawn(settings={"completion": {"model": f"scripted:{bad}"}})
    status = await client.wait_for(
        "starcite/status", lambda one: one["model"]["state"] not in {"loading"}
    )
    client.open(URI, "a = ")

    assert "is no JSON" in status["model"]["detail"]
    assert await client.complete(URI, 0, 4) == []


async def test_a_crashed_model_is_shown_and_nothing_is_offered(
    spawn: Spawn, script: Script
) -> None:
    """An engine in the error state answers nothing, and no request fails."""
    client = await spawn(settings=script({"a": "x"}, state="error"))
    await client.wait_for("starcite/status", lambda one: one["model"]["state"] == "error")
    client.open(URI, "a")

    assert await client.complete(URI, 0, 1) == []


async def test_switched_off_means_off(spawn: Spawn) -> None:
    """With completion switched off nothing is offered and no model is opened."""
    client = await spawn(settings={"completion": {"enabled": False}})
    status = await client.wait_for("starcite/status", lambda one: one["model"]["detail"])
    client.open(URI, "alpha = compute_total(first, second)\nbeta = compute_total(fi")

    assert status["model"]["detail"] == "starcite.completion.enabled is off"
    assert await client.complete(URI, 1, 23) == []


def _model(state: str, name: str) -> dict[str, str]:
    return {"state": state, "name": name, "detail": ""}
