"""The settings page of the extension is generated and never edited by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lsp_server.settings_schema import main, with_settings

MANIFEST = Path(__file__).parents[2] / "vscode-ext" / "package.json"


def test_the_manifest_holds_the_generated_block() -> None:
    """On drift, run: python -m lsp_server.settings_schema vscode-ext/package.json"""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))

    assert (
        manifest["contributes"]["configuration"]
        == (with_settings(manifest)["contributes"]["configuration"])
    )


def test_settings_that_start_programs_are_restricted() -> None:
    """A workspace that is not trusted can choose neither program nor model nor index."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    properties = manifest["contributes"]["configuration"]["properties"]
    restricted = manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    machine = [key for key, one in properties.items() if one["scope"].startswith("machine")]

    assert set(machine) <= set(restricted)


def test_the_rest_of_the_manifest_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Generating touches `contributes.configuration` and nothing else."""
    path = tmp_path / "package.json"
    path.write_text('{"name": "x", "contributes": {"commands": [1]}}', encoding="utf-8")

    assert main([str(path)]) == 0
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["name"], written["contributes"]["commands"]) == ("x", [1])
    assert "starcite.completion.model" in written["contributes"]["configuration"]["properties"]
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
