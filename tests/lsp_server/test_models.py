"""Models on disk: found by name or path, refused in one line where something is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server import models
from lsp_server.errors import ModelDamagedError, ModelMissingError, ModelUsageError
from lsp_server.models import (
    MANIFEST,
    add_model,
    installed_models,
    open_model,
    read_manifest,
    verify_model,
    write_manifest,
)
from tests.lsp_server.models_on_disk import gguf_bytes, install

STARCODER2 = {"<fim_prefix>": 3, "<file_sep>": 3, "def": 1}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "a home"))
    monkeypatch.setattr(models, "SHIPPED", tmp_path / "nothing shipped")
    return tmp_path / "a home"


def test_a_model_is_found_by_name_and_by_folder() -> None:
    """Its name under STARCITE_HOME or its folder anywhere lead to the same file."""
    file = install("tiny")

    assert open_model("tiny").path == file
    assert open_model(str(file.parent)).path == file
    assert installed_models() == ["tiny"]


def test_a_gguf_file_is_a_model_by_itself(tmp_path: Path) -> None:
    """A path to a GGUF file needs no manifest; family and context length are read from it."""
    file = tmp_path / "my model.gguf"
    file.write_bytes(gguf_bytes(STARCODER2, context_length=16384))
    manifest = open_model(str(file)).manifest

    assert (manifest.name, manifest.family, manifest.fim, manifest.context_length) == (
        "my model",
        "starcoder2",
        "psm",
        16384,
    )


def test_adding_registers_a_file_where_it_lies(tmp_path: Path) -> None:
    """After `add` the model has a name, and its file was not copied."""
    file = tmp_path / "StarCoder2 3B.Q4.gguf"
    file.write_bytes(gguf_bytes(STARCODER2))
    manifest = add_model(file)
    model = open_model("starcoder2-3b.q4")
    verify_model(model)

    assert manifest.name == "starcoder2-3b.q4"
    assert model.path == file


def test_what_cannot_be_added_is_refused(tmp_path: Path) -> None:
    """No file, no GGUF, a bad name, a taken name, an unknown family: each says which."""
    file = tmp_path / "m.gguf"
    file.write_bytes(gguf_bytes({"a": 1}))
    other = tmp_path / "notes.txt"
    other.write_text("hello")
    add_model(file, "taken")

    with pytest.raises(ModelUsageError, match="neither a GGUF file nor a folder"):
        add_model(tmp_path)
    with pytest.raises(ModelDamagedError, match=r"notes\.txt is not a GGUF file"):
        add_model(other)
    with pytest.raises(ModelUsageError, match="cannot be a model's name"):
        add_model(file, "../x")
    with pytest.raises(ModelUsageError, match="'taken' already"):
        add_model(file, "taken")
    with pytest.raises(ModelUsageError, match="family 'gpt' is unknown"):
        add_model(file, "new", "gpt")
    assert installed_models() == ["taken"]


def test_a_missing_model_says_how_to_get_it() -> None:
    """One model is fetched, any other one added."""
    with pytest.raises(ModelMissingError, match=r"run: starcite model fetch$"):
        open_model("smollm2-135m")
    with pytest.raises(ModelMissingError, match=r"no model 'other'.*starcite model add PATH"):
        open_model("other")


def test_a_missing_or_truncated_file_is_named() -> None:
    """A model folder that is not whole is refused with the file's name and both sizes."""
    file = install("tiny", b"GGUF and more")
    file.write_bytes(b"GGUF")
    with pytest.raises(ModelDamagedError, match=r"model\.gguf has 4 bytes .* says 13"):
        open_model("tiny")
    file.unlink()
    with pytest.raises(ModelDamagedError, match=r"model\.gguf, the file of model 'tiny', is miss"):
        open_model("tiny")
    (file.parent / MANIFEST).unlink()
    with pytest.raises(ModelDamagedError, match=r"manifest\.json cannot be read"):
        open_model("tiny")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}', "null"])
def test_a_damaged_manifest_is_an_error_of_ours(text: str) -> None:
    """Whatever stands in a manifest, the error says that it cannot be read."""
    file = install("tiny")
    (file.parent / MANIFEST).write_text(text)

    with pytest.raises(ModelDamagedError, match="cannot be read"):
        read_manifest(file.parent)


def test_a_changed_byte_is_found_by_verify() -> None:
    """The same size is not enough: `verify` compares the sha256."""
    file = install("tiny", b"GGUF and more")
    file.write_bytes(b"GGUF and mire")

    with pytest.raises(ModelDamagedError, match="has sha256"):
        verify_model(open_model("tiny"))


def test_a_manifest_of_a_later_version_is_read() -> None:
    """Unknown fields are passed over, so that an older Starcite reads a newer manifest."""
    file = install("tiny")
    manifest = read_manifest(file.parent)
    write_manifest(file.parent, manifest)
    text = (file.parent / MANIFEST).read_text().replace("{", '{"later": 1,', 1)
    (file.parent / MANIFEST).write_text(text)

    assert read_manifest(file.parent) == manifest


@pytest.mark.parametrize("files", [3, ["model.gguf"], {"model.gguf": 7}])
def test_a_manifest_with_a_wrong_list_of_files_is_damaged(files: object) -> None:
    """It is refused when it is read."""
    folder = install("tiny").parent
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, "files": files}), "utf-8")
    with pytest.raises(ModelDamagedError, match="files is"):
        read_manifest(folder)


@pytest.mark.parametrize("name", ["gone.json", "../tiny/model.gguf", ".."])
def test_verify_looks_at_no_file_outside_the_folder(name: str) -> None:
    """A file that is gone, or a name that leads elsewhere, is missing."""
    folder = install("tiny").parent
    manifest = read_manifest(folder)
    write_manifest(folder, replace(manifest, files={name: "0" * 64}))
    with pytest.raises(ModelDamagedError, match="is missing"):
        verify_model(open_model("tiny"))


def test_a_users_model_goes_before_a_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the package brings is found by name, until the user has one of that name."""
    elsewhere = install("tiny").parent
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    elsewhere.rename(shipped / "tiny")
    monkeypatch.setattr(models, "SHIPPED", shipped)
    before = open_model("tiny").path
    own = install("tiny", b"GGUF of my own")

    assert before == shipped / "tiny" / "model.gguf"
    assert open_model("tiny").path == own
    assert installed_models() == ["tiny"]
