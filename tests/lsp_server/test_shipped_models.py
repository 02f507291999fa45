"""The models that come with the package: whole, small, of the frozen corpus, and they answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import indexer
from lsp_server.config import CompletionSettings
from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.onnx_loop import OnnxLoop
from lsp_server.model_cli import model
from lsp_server.models import DEFAULT_MODEL, SHIPPED, installed_models, open_model, verify_model
from lsp_server.prompt import FAMILIES, build_prompt
from stareencoder.shipped import ENCODER

NAMES = sorted(path.parent.name for path in SHIPPED.glob("*/manifest.json"))
MAX_BYTES = 40 * 10**6
FROZEN = Path(indexer.__file__).parent / "corpus" / "default.digest"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_is_found_and_whole_without_a_network(name: str) -> None:
    """In an empty home it is listed, opens by name, and every file is what its manifest says."""
    model = open_model(name)
    files = list(model.path.parent.iterdir())
    verify_model(model)

    assert name in installed_models()
    assert set(model.manifest.files) == {file.name for file in files} - {"manifest.json"}
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_trained_on_can_be_said_of_a_shipped_model(name: str) -> None:
    """It has read the very corpus that the default index is made of."""
    manifest = open_model(name).manifest

    assert manifest.claim == "trained_on"
    assert manifest.corpus_digest == json.loads(FROZEN.read_bytes())["corpus_digest"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_writes_text(name: str) -> None:
    """A prompt of its family gets an answer, the same one each time."""
    model = open_model(name)
    family = FAMILIES[model.manifest.family]
    prompt = build_prompt(family, "def area(width, height):\n    return ", "\n", "spm")
    answers = []
    loop = OnnxLoop(model.path, threads=1)
    for _ in range(2):
        pieces: list[str] = []
        request = GenerateRequest(document="a", prompt=prompt, max_tokens=8, multiline=True)
        loop.run(request, 0, lambda piece, pieces=pieces: not pieces.append(piece))
        answers.append("".join(pieces))

    assert answers[0] == answers[1] != ""


def test_the_default_model_is_a_shipped_one() -> None:
    """Whoever chooses nothing gets a model without fetching one."""
    assert CompletionSettings().model == DEFAULT_MODEL
    assert DEFAULT_MODEL in NAMES


def test_the_encoder_is_verified_with_the_models() -> None:
    """By its name alone, and where all are asked for."""
    results = [CliRunner().invoke(model, words) for words in (["verify", ENCODER], ["verify"])]

    assert [result.exit_code for result in results] == [0, 0]
    assert results[0].output == f"{ENCODER}: whole\n"
    assert results[1].output.splitlines() == [f"{name}: whole" for name in (*NAMES, ENCODER)]
