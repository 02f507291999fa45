"""Model folders through transformers: its greedy answers, cached prefixes, healing, stopping."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.engine import GenerateRequest
from lsp_server.engine.token_loop import Vocabulary
from lsp_server.engine.transformers_loop import TransformersLoop
from lsp_server.errors import ModelDamagedError, ModelError, WorkerError
from lsp_server.model_folder import read_folder
from lsp_server.models import add_model, open_model, verify_model
from lsp_server.worker import _loader
from training.tokenizer import save_tokenizer, train_tokenizer

CODE = "".join(
    f"def area_{n}(width, height):\n    return width * height + {n}\n\n\n" for n in range(9)
)
N_POSITIONS = 128
TOKENIZER = train_tokenizer([CODE], 320)
COMMON = {"vocab_size": TOKENIZER.get_vocab_size(), "bos_token_id": 0, "eos_token_id": 0}
CONFIGS: dict[str, Any] = {
    "gpt_bigcode": transformers.GPTBigCodeConfig(
        **COMMON, n_layer=2, n_embd=32, n_head=2, n_positions=N_POSITIONS, n_inner=64
    ),
    "starcoder2": transformers.Starcoder2Config(
        **COMMON,
        num_hidden_layers=2,
        hidden_size=32,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=N_POSITIONS,
        sliding_window=None,
    ),
    # as starcoder2-3b has it: no token looks further back than the window
    "starcoder2 sliding": transformers.Starcoder2Config(
        **COMMON,
        num_hidden_layers=2,
        hidden_size=32,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=N_POSITIONS,
        sliding_window=24,
    ),
}


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model as transformers writes it, with our tokenizer beside it."""
    torch.set_num_threads(1)
    torch.manual_seed(8)
    model = transformers.AutoModelForCausalLM.from_config(CONFIGS[request.param])
    for parameter in model.parameters():  # sure of itself: the likeliest token is far ahead
        torch.nn.init.normal_(parameter, std=0.3)
    place = tmp_path_factory.mktemp("models") / "a model"
    model.save_pretrained(place)
    save_tokenizer(TOKENIZER, place)
    return place


@pytest.fixture(scope="module")
def loop(folder: Path) -> TransformersLoop:
    return TransformersLoop(folder)


def run(
    loop: TransformersLoop,
    prompt: str,
    *,
    slot: int = 0,
    keep: Callable[[int], bool] = lambda _: True,
    **facts: object,
) -> str:
    """The text of an answer; `keep` says after how many steps to go on."""
    pieces: list[str] = []

    def step(piece: str) -> bool:
        pieces.append(piece)
        return keep(len(pieces))

    request = GenerateRequest(document="a", prompt=prompt, multiline=True, max_tokens=12)
    loop.run(replace(request, **facts), slot, step)  # type: ignore[arg-type]
    return "".join(pieces)


@torch.no_grad()
def expected(folder: Path, prompt: str, n_tokens: int = 12) -> str:
    """Greedy without any cache: the whole text is read anew for each token."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    pieces = Vocabulary(TOKENIZER).pieces
    ids, text = TOKENIZER.encode(prompt).ids, b""
    for _ in range(n_tokens):
        token = int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax())
        if not pieces[token]:
            break
        text, ids = text + pieces[token], [*ids, token]
    return text.decode("utf-8", "replace").rstrip("\ufffd")


PROMPTS = (CODE[:60], CODE[:64], CODE[:40], CODE[100:150], CODE[:120], CODE[:64], "x")


def test_answers_are_those_of_the_model_without_a_cache(
    loop: TransformersLoop, folder: Path
) -> None:
    """Typed on, gone back or elsewhere: what a slot has cached changes no answer."""
    found = [run(loop, prompt).rstrip("\ufffd") for prompt in PROMPTS]

    assert found == [expected(folder, prompt) for prompt in PROMPTS]
    assert any(found)


def test_a_forced_piece_is_healed(loop: TransformersLoop) -> None:
    """What is passed on is the same as if the model had written the forced text by itself."""
    free = run(loop, CODE[:60], max_tokens=20)

    assert free[:3].isascii()
    assert run(loop, CODE[:60], forced=free[:3], max_tokens=20).startswith(free[3:8])


def test_a_stop_is_seen_after_one_token(loop: TransformersLoop) -> None:
    """A step that says no is the last one, while reading and while writing."""
    for n_last in (1, 3):
        seen: list[int] = []
        run(loop, CODE[:60], keep=lambda n, seen=seen, last=n_last: not seen.append(n) and n < last)
        assert seen[-1] == n_last


def test_a_prompt_longer_than_the_context_is_answered(loop: TransformersLoop) -> None:
    """The window's start gives way; nothing is read past the model's positions."""
    assert isinstance(run(loop, "<fim_prefix><fim_suffix>\n<fim_middle>" + CODE * 3), str)
    assert len(loop._fitted(TOKENIZER.encode(CODE * 3).ids, 12)) + 12 <= N_POSITIONS


def test_a_folder_is_described_from_its_own_files(folder: Path) -> None:
    """Family and context come from tokenizer and configuration, at most 8,192 tokens."""
    model = open_model(str(folder))

    assert model.manifest.family == "starcoder"  # our tokenizer has StarCoder's sentinels
    assert (model.manifest.fim, model.manifest.context_length) == ("psm", N_POSITIONS)
    assert (model.manifest.claim, model.manifest.corpus_digest) == ("indexed", "")


def test_a_folder_can_be_added_and_verified(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets a name where it lies; a change in any of its files is noticed."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    add_model(copy, "mine")
    verify_model(open_model("mine"))
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        whole = (copy / name).read_bytes()
        (copy / name).write_bytes(whole[:-1] + b"\1")
        with pytest.raises(ModelDamagedError, match=f"{name} has sha256"):
            verify_model(open_model("mine"))
        (copy / name).write_bytes(whole)
    verify_model(open_model("mine"))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"[]", b"\x00\xff garbage"])
def test_a_damaged_folder_is_named(folder: Path, name: str, damage: bytes, tmp_path: Path) -> None:
    """Whatever file is broken, the message says which folder."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(damage if file.name == name else file.read_bytes())
    with pytest.raises((WorkerError, ModelError), match=tmp_path.name):
        TransformersLoop(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(["n_positions", "max_position_embeddings", "added_tokens", "model_type"])


@settings(max_examples=60)
@given(table=st.dictionaries(KEYS, JSON), manifest=JSON, garbage=st.binary(max_size=20))
def test_any_folder_is_described_or_refused(
    table: object, manifest: object, garbage: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands in the JSON files, facts or one error of ours come back."""
    import json

    place = tmp_path_factory.mktemp("fuzz")
    (place / "model.safetensors").write_bytes(garbage)
    (place / "config.json").write_text(json.dumps(table))
    (place / "tokenizer.json").write_text(json.dumps(table))
    (place / "manifest.json").write_text(json.dumps(manifest))
    try:
        said = read_folder(place).context_length
    except ModelDamagedError as error:
        said = str(error)

    assert str(place) in said if isinstance(said, str) else 1 <= said <= 8192


def test_without_torch_the_next_step_is_named(folder: Path) -> None:
    """The base install has no torch; the error says what to install."""
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from lsp_server.engine.transformers_loop import TransformersLoop\n"
        f"TransformersLoop(Path({str(folder)!r}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert 'torch, which the base install leaves out; run: pip install "starcite[train]"' in (
        result.stderr
    )


def test_the_worker_is_told_what_is_wrong(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker loads a folder by its weights' name; what fails there reaches the editor."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "tokenizer.json").write_text("{}")
    arguments = argparse.Namespace(script=None, model=open_model(str(tmp_path)).path)
    with pytest.raises(WorkerError, match="transformers cannot load"):
        _loader(arguments)()


def test_the_worker_runs_a_folder(folder: Path) -> None:
    """What the worker loads for a folder answers as the model does."""
    arguments = argparse.Namespace(script=None, model=open_model(str(folder)).path)
    loop = _loader(arguments)()

    assert isinstance(loop, TransformersLoop)
    assert run(loop, CODE[:60]).rstrip("\ufffd") == expected(folder, CODE[:60])
