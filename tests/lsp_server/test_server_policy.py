"""What the editor shows of a team's policy: marks, hovers and problems, driven over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lsp_server.conftest import INDEXED, Spawn
from tests.lsp_server.lsp_client import LspClient

MATCHES = "starcite/matches"
DIAGNOSTICS = "textDocument/publishDiagnostics"
WATCHED = "workspace/didChangeWatchedFiles"
LINES = INDEXED.split("\n")
PASTED = "import this\n\n" + "\n".join(LINES[12:20]) + "\n"


def settings(index: Path) -> dict[str, Any]:
    return {"attribution": {"index": str(index), "debounceMs": 0}, "completion": {"enabled": False}}


def write_policy(folder: Path, text: str) -> Path:
    (folder / ".git").mkdir(exist_ok=True)
    path = folder / "starcite.toml"
    path.write_text(text, "utf-8")
    return path


def opened(client: LspClient, folder: Path) -> str:
    uri = (folder / "ring copy.py").as_uri()
    client.open(uri, PASTED)
    return uri


def changed(client: LspClient, path: Path) -> None:
    client.notify(WATCHED, {"changes": [{"uri": path.as_uri(), "type": 2}]})


async def test_a_blocked_licence_is_a_problem_and_in_the_hover(
    spawn: Spawn, ring_index: Path, tmp_path: Path
) -> None:
    """An error at the match's lines that names the rule, the package and its lines."""
    write_policy(tmp_path, '[policy]\nblock = ["BSD-*"]\nminimum_lexemes = 17\n')
    client = await spawn(settings=settings(ring_index))
    uri = opened(client, tmp_path)
    (match,) = (await client.wait_for(MATCHES))["matches"]
    told = await client.wait_for(DIAGNOSTICS)
    position = {"line": 4, "character": 2}
    hover = await client.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": position}
    )
    (problem,) = told["diagnostics"]

    assert match["decision"] == "block"
    assert "BSD-3-Clause: block" in match["decisionReasons"]
    assert (told["uri"], told["version"]) == (uri, 1)
    assert (problem["severity"], problem["source"]) == (1, "Starcite")
    assert problem["range"] == match["range"]
    assert problem["message"].startswith("The policy blocks this: BSD-3-Clause: block")
    assert problem["message"].endswith("ring.py:12-20 (E1).")  # with the blank line before it
    assert "The policy of this repository: **block**" in hover["contents"]["value"]


async def test_a_changed_policy_is_judged_by_at_once(
    spawn: Spawn, ring_index: Path, tmp_path: Path
) -> None:
    """Written, loosened and removed while the editor is open; the text stays as it is."""
    client = await spawn(settings=settings(ring_index))
    opened(client, tmp_path)
    without = await client.wait_for(MATCHES)
    path = write_policy(tmp_path, '[policy]\nask = ["BSD-3-Clause"]\nminimum_lexemes = 17\n')
    changed(client, path)
    asks = await client.wait_for(DIAGNOSTICS)
    write_policy(tmp_path, '[policy]\nallow = ["BSD-3-Clause"]\nminimum_lexemes = 17\n')
    changed(client, path)
    allows = await client.wait_for(DIAGNOSTICS, lambda told: not told["diagnostics"])
    path.unlink()
    changed(client, path)
    gone = await client.wait_for(MATCHES, lambda told: told["matches"][0]["decision"] == "none")

    assert without["matches"][0]["decision"] == "none"
    assert [problem["severity"] for problem in asks["diagnostics"]] == [2]
    assert allows["diagnostics"] == []
    assert len(gone["matches"]) == 1


async def test_what_a_policy_allows_is_marked_all_the_same(
    spawn: Spawn, ring_index: Path, tmp_path: Path
) -> None:
    """A repository that nobody trusts cannot hide where its code came from."""
    exception = '[[exception]]\nreason = "ours"\npackage = "*"\n'
    write_policy(tmp_path, f'[policy]\ndefault = "allow"\nminimum_lexemes = 9999\n{exception}')
    client = await spawn(settings=settings(ring_index))
    opened(client, tmp_path)
    told = await client.wait_for(MATCHES)

    assert [match["decision"] for match in told["matches"]] == ["allow"]


async def test_closing_a_document_takes_its_problems_back(
    spawn: Spawn, ring_index: Path, tmp_path: Path
) -> None:
    """Nothing is left in the list of problems of a file that is no longer open."""
    write_policy(tmp_path, '[policy]\ndefault = "block"\nminimum_lexemes = 17\n')
    client = await spawn(settings=settings(ring_index))
    uri = opened(client, tmp_path)
    told = await client.wait_for(DIAGNOSTICS)
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    after = await client.wait_for(DIAGNOSTICS, lambda told: not told["diagnostics"])

    assert told["diagnostics"]
    assert (after["uri"], after["diagnostics"]) == (uri, [])


async def test_a_broken_policy_is_told_once_and_decides_nothing(
    spawn: Spawn, ring_index: Path, tmp_path: Path
) -> None:
    """The message names the file, the key and what it may have meant; matches are still shown."""
    path = write_policy(tmp_path, '[policy]\nblok = ["GPL-3.0-only"]\n')
    client = await spawn(settings=settings(ring_index))
    opened(client, tmp_path)
    shown = await client.wait_for("window/showMessage")
    first = await client.wait_for(MATCHES)
    write_policy(tmp_path, '[policy]\ndefault = "ask"\nminimum_lexemes = 17\n')
    changed(client, path)
    mended = await client.wait_for(DIAGNOSTICS)

    assert "starcite.toml" in shown["message"]
    assert "blok" in shown["message"]
    assert "did you mean block?" in shown["message"]
    assert first["matches"][0]["decision"] == "none"
    assert len(mended["diagnostics"]) == 1
