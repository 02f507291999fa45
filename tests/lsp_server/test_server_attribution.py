"""Matches, hovers, traces and sources of a real index, driven over stdio."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lsp_server.conftest import INDEXED, Spawn, build_ring_index
from tests.lsp_server.lsp_client import LspClient, LspError, insertion

URI = "file:///a.py"
MATCHES = "starcite/matches"
LINES = INDEXED.split("\n")
FIRST, LAST = 12, 20  # `push`, 0-based and half-open
PASTED = "import this\n\nx = 1\n" + "\n".join(LINES[FIRST:LAST]) + "\ny = 2\n"


def settings(index: Path) -> dict[str, Any]:
    return {"attribution": {"index": str(index), "debounceMs": 0}, "completion": {"enabled": False}}


def of_version(version: int) -> Any:
    return lambda params: params["version"] == version


async def test_pasted_code_is_traced_to_its_source(spawn: Spawn, ring_index: Path) -> None:
    """A pasted function is matched on its lines, with package, path, lines and licence."""
    client = await spawn(settings=settings(ring_index))
    client.open(URI, PASTED)
    params = await client.wait_for(MATCHES)
    (match,) = params["matches"]
    (source,) = match["sources"]

    assert (params["uri"], params["version"], params["verdict"]) == (URI, 1, "found")
    assert (match["tier"], match["claim"], match["nPackages"]) == ("E1", "indexed", 2)
    assert match["range"]["start"]["line"] == 3
    assert match["range"]["end"]["line"] in {3 + LAST - FIRST - 1, 3 + LAST - FIRST}
    assert source["range"]["start"] == {"line": FIRST, "character": 0}
    assert source["range"]["end"] == {"line": LAST, "character": 0}
    assert {origin["name"]: origin["path"] for origin in source["origins"]} == {
        "ringlib": "ringlib/ring.py",
        "bigger": "bigger/_vendored_ring.py",
    }
    assert source["origins"][0]["spdxId"] == "BSD-3-Clause"
    assert source["origins"][0]["purl"].startswith("pkg:pypi/")


async def test_ranges_count_utf16_units(spawn: Spawn, ring_index: Path) -> None:
    """Characters of two units before a match shift its columns as the editor counts."""
    line = LINES[FIRST].strip()
    client = await spawn(settings=settings(ring_index))
    client.open(URI, f"'😀😀'; {line}\n" + "\n".join(LINES[FIRST + 1 : LAST]) + "\n")
    params = await client.wait_for(MATCHES)

    assert params["matches"][0]["range"]["start"] == {"line": 0, "character": 8}


async def test_an_edit_brings_the_matches_of_the_new_version(
    spawn: Spawn, ring_index: Path
) -> None:
    """What is pasted while typing is found; what is deleted is no longer a match."""
    client = await spawn(settings=settings(ring_index))
    client.open(URI, "x = 1\n")
    empty = await client.wait_for(MATCHES, of_version(1))
    client.change(URI, 2, insertion(0, 0, PASTED))
    found = await client.wait_for(MATCHES, of_version(2))
    client.change(URI, 3, {"text": "x = 1\n"})
    gone = await client.wait_for(MATCHES, of_version(3))

    assert (empty["verdict"], empty["matches"]) == ("none", [])
    assert (found["verdict"], len(found["matches"])) == ("found", 1)
    assert (gone["verdict"], gone["matches"]) == ("none", [])


async def test_the_hover_says_where_the_code_came_from(spawn: Spawn, ring_index: Path) -> None:
    """Package, version, path, 1-based lines, licence with evidence, tier, claim and counts."""
    client = await spawn(settings=settings(ring_index))
    client.open(URI, PASTED)
    hover = await _hover(client, 5)
    text = hover["contents"]["value"]

    assert hover["contents"]["kind"] == "markdown"
    for part in (
        "**ringlib** 1.2.3 · `ringlib/ring.py` · lines 13\N{EN DASH}20",
        "**bigger** 0.1 · `bigger/_vendored_ring.py` · lines 13\N{EN DASH}20",
        "Licence BSD-3-Clause (metadata: BSD-3-Clause; LICENSE: BSD-3-Clause)",
        "E1, verbatim:",
        "in the index; in 2 packages, 1 file.",
    ):
        assert part in text
    assert "command:" not in text
    assert await _hover(client, 0) is None


async def test_the_hover_links_to_the_source_for_clients_that_can(
    spawn: Spawn, ring_index: Path
) -> None:
    """A client that says so gets a link that runs the extension's command."""
    client = await spawn(settings=settings(ring_index), command_links=True)
    client.open(URI, PASTED)
    match = (await client.wait_for(MATCHES))["matches"][0]
    hover = await _hover(client, 5)

    arguments = f"%5B{match['sources'][0]['documentId']}%2C%20{FIRST}%2C%20{LAST}%5D"
    link = f"[Open source beside](command:starcite.openSource?{arguments})"
    assert link in hover["contents"]["value"]


async def test_a_selection_is_traced_in_the_documents_own_lines(
    spawn: Spawn, ring_index: Path
) -> None:
    """Tracing a range answers with ranges of the document; outside of it nothing is looked at."""
    client = await spawn(settings=settings(ring_index))
    client.open(URI, PASTED)
    whole = await client.request("starcite/trace", {"textDocument": {"uri": URI}})
    edges = {"start": {"line": 3, "character": 0}, "end": {"line": 11, "character": 0}}
    part = await client.request("starcite/trace", {"textDocument": {"uri": URI}, "range": edges})
    edges = {"start": {"line": 0, "character": 0}, "end": {"line": 3, "character": 0}}
    none = await client.request("starcite/trace", {"textDocument": {"uri": URI}, "range": edges})

    assert (whole["verdict"], part["verdict"], none["verdict"]) == ("found", "found", "none")
    assert part["matches"][0]["range"]["start"]["line"] == 3
    assert whole["corpusDigest"] == part["corpusDigest"] != ""
    assert whole["elapsedMs"] > 0


async def test_the_source_is_the_text_that_was_indexed(spawn: Spawn, ring_index: Path) -> None:
    """`starcite/source` returns the stored text with all of its origins."""
    client = await spawn(settings=settings(ring_index))
    client.open(URI, PASTED)
    params = await client.wait_for(MATCHES)
    document_id = params["matches"][0]["sources"][0]["documentId"]
    source = await client.request("starcite/source", {"documentId": document_id})

    assert (source["text"], source["languageId"]) == (INDEXED, "python")
    assert len(source["origins"]) == 2


@pytest.mark.parametrize(
    "params", [None, {}, {"documentId": "1"}, {"documentId": -1}, {"documentId": 10**9}]
)
async def test_a_source_that_does_not_exist_is_an_error(
    spawn: Spawn, ring_index: Path, params: object
) -> None:
    """An unknown or malformed document id is refused with a reason, and the server goes on."""
    client = await spawn(settings=settings(ring_index))
    with pytest.raises(LspError) as caught:
        await client.request("starcite/source", params)

    assert caught.value.code in {-32602, -32803}
    assert await client.wait_for("starcite/status", lambda one: one["index"]["state"] == "ready")


async def test_no_index_is_unknown_and_says_what_to_do(spawn: Spawn, tmp_path: Path) -> None:
    """Without an index the verdict is never "none": nobody has looked."""
    client = await spawn(settings=settings(tmp_path / "nothing"))
    client.open(URI, PASTED)
    params = await client.wait_for(MATCHES)
    status = await client.request("starcite/status", {})

    assert (params["verdict"], params["matches"]) == ("unknown", [])
    assert "starcite index build" in params["reason"]
    assert status["index"]["state"] == "missing"


async def test_an_index_that_is_built_later_is_found(spawn: Spawn, tmp_path: Path) -> None:
    """The index may be built while the editor is open; the next edit finds it."""
    path = tmp_path / "later"
    client = await spawn(settings=settings(path))
    client.open(URI, PASTED)
    before = await client.wait_for(MATCHES, of_version(1))
    build_ring_index(path)
    client.change(URI, 2, insertion(0, 0, "\n"))
    after = await client.wait_for(MATCHES, of_version(2))

    assert (before["verdict"], after["verdict"]) == ("unknown", "found")


async def test_a_damaged_index_is_an_error_and_never_no_match(
    spawn: Spawn, ring_index: Path, tmp_path: Path
) -> None:
    """A truncated file makes the index unusable, and the status says which file it is."""
    path = tmp_path / "damaged"
    shutil.copytree(ring_index, path)
    (victim,) = path.rglob("text.zst")
    victim.write_bytes(victim.read_bytes()[:-5])
    client = await spawn(settings=settings(path))
    client.open(URI, PASTED)
    params = await client.wait_for(MATCHES)
    status = await client.request("starcite/status", {})

    assert params["verdict"] == "unknown"
    assert status["index"]["state"] == "error"
    assert "text.zst" in status["index"]["detail"]


async def test_attribution_can_be_switched_off(spawn: Spawn, ring_index: Path) -> None:
    """Switching off clears the marks; switching on brings them back."""
    on, off = settings(ring_index), settings(ring_index)
    off["attribution"]["enabled"] = False
    client = await spawn(settings=off)
    client.open(URI, PASTED)
    nothing = await client.wait_for(MATCHES)
    client.notify("workspace/didChangeConfiguration", {"settings": on})
    found = await client.wait_for(MATCHES, lambda params: params["verdict"] != "unknown")

    assert nothing["reason"] == "starcite.attribution.enabled is off"
    assert found["verdict"] == "found"


async def _hover(client: LspClient, line: int) -> Any:
    position = {"line": line, "character": 10}
    params = {"textDocument": {"uri": URI}, "position": position}
    return await client.request("textDocument/hover", params)


async def test_the_first_status_knows_the_index(spawn: Spawn, ring_index: Path) -> None:
    """An index that is there is never shown as missing, not even while it is being opened."""
    client = await spawn(settings=settings(ring_index))
    status = await client.wait_for("starcite/status")

    assert status["index"] == {"state": "ready", "name": str(ring_index), "detail": ""}


async def test_the_editor_says_trained_on_of_a_model_of_the_same_corpus(
    spawn: Spawn, script: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Marks, hover and status say so once the model is known, for its own corpus alone."""
    build_ring_index(tmp_path / "index", corpus="a" * 64)
    chosen = script({}, corpus_digest="a" * 64)
    client = await spawn(settings={**settings(tmp_path / "index"), **chosen})
    client.open(URI, PASTED)
    params = await client.wait_for(
        MATCHES, lambda params: any(one["claim"] == "trained_on" for one in params["matches"])
    )
    place = params["matches"][0]["range"]["start"]
    where = {"textDocument": {"uri": URI}, "position": place}
    hover = await client.request("textDocument/hover", where)
    status = await client.request("starcite/status", {})

    assert "in the data that the model was trained on" in hover["contents"]["value"]
    assert status["model"]["detail"] == "trained on corpus aaaaaaaaaaaa"
