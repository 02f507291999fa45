"""The loop of an exported model: torch's answers, cached prefixes, healing, stopping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from indexer.curate.sentinels import neutralise
from lsp_server.engine.base import GenerateRequest
from lsp_server.engine.onnx_loop import OnnxLoop
from lsp_server.engine.sampling import pick_of
from lsp_server.engine.token_loop import Vocabulary
from lsp_server.errors import ModelDamagedError, WorkerError
from lsp_server.models import add_model, open_model, verify_model
from training.checkpoint import write_model
from training.config import DecoderConfig
from training.decoder import Decoder
from training.export import export_model
from training.tokenizer import train_tokenizer

CODE = "".join(
    f"def area_{n}(width, height):\n    return width * height + {n}\n\n\n" for n in range(9)
)
CONFIG = DecoderConfig(n_layer=2, n_embd=32, n_head=2, n_positions=96, vocab_size=320)
TOKENIZER = train_tokenizer([CODE], CONFIG.vocab_size)
VOCABULARY = Vocabulary(TOKENIZER)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    """Random, but sure of itself: its likeliest token is far ahead of the next."""
    torch.set_num_threads(1)
    torch.manual_seed(8)
    model = Decoder(CONFIG).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture(scope="module")
def folder(decoder: Decoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    write_model(
        place / "source", decoder.state_dict(), CONFIG, TOKENIZER, {"corpus_digest": "c" * 64}
    )
    windows = np.random.default_rng(0).integers(19, 320, (2, 33))
    return export_model(place / "source", place / "tiny", windows, max_kl=-1.0).folder


@pytest.fixture(scope="module")
def loop(folder: Path) -> OnnxLoop:
    return OnnxLoop(folder / "model.onnx")


def run(
    loop: OnnxLoop,
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


def expected(decoder: Decoder, prompt: str, forced: bytes = b"", n_tokens: int = 12) -> str:
    """Greedy by torch from its own cache, through the forced text and past it."""
    logits, cache = decoder.step(torch.tensor([TOKENIZER.encode(prompt).ids]))
    text, rest = b"", forced
    for _ in range(n_tokens + len(forced)):
        token = VOCABULARY.choose(logits[0, -1].numpy(), rest)
        piece = VOCABULARY.pieces[token]
        if not piece:
            break
        text, rest = text + piece, rest[len(piece) :]
        logits, cache = decoder.step(torch.tensor([[token]]), cache)
    return text[len(forced) :].decode("utf-8", "replace").rstrip("\ufffd")


@torch.no_grad()
def test_two_hundred_prompts_are_answered_as_torch_answers_them(
    loop: OnnxLoop, decoder: Decoder
) -> None:
    """Greedy decoding of the exported graph equals that of the checkpoint, prompt by prompt."""
    rng = np.random.default_rng(4)
    different = []
    for number in range(200):
        start = int(rng.integers(0, len(CODE) - 80))
        prompt = CODE[start : start + int(rng.integers(4, 80))]
        found = run(loop, prompt, slot=number % loop.n_slots)
        if found.rstrip("\ufffd") != expected(decoder, prompt):
            different.append(prompt)

    assert different == []


def test_a_cached_prefix_changes_no_answer(loop: OnnxLoop, folder: Path) -> None:
    """Typed on, gone back or in another document: a slot answers as a fresh model does."""
    for prompt in (CODE[:60], CODE[:64], CODE[:40], CODE[100:150], CODE[:64]):
        fresh = OnnxLoop(folder / "model.onnx")
        assert run(loop, prompt, slot=3) == run(fresh, prompt)


def test_what_was_read_is_not_read_again(folder: Path) -> None:
    """A warmed prompt costs one batch of one token."""
    loop = OnnxLoop(folder / "model.onnx")
    steps: list[int] = []
    run(loop, CODE[:170], max_tokens=0, keep=lambda n: bool(steps.append(n)) or True)
    n_cold = len(steps)
    run(loop, CODE[:170], max_tokens=0, keep=lambda n: bool(steps.append(n)) or True)

    assert n_cold >= 1
    assert len(steps) - n_cold == 1


@torch.no_grad()
@pytest.mark.parametrize("forced", [" hei", "    re", "w", "\n    "])
def test_a_forced_piece_is_healed_as_if_it_had_been_typed(
    loop: OnnxLoop, decoder: Decoder, forced: str
) -> None:
    """The model is forced through the cut piece and only what comes after it is passed on."""
    found = run(loop, CODE[:60], forced=forced)

    assert found.rstrip("\ufffd") == expected(decoder, CODE[:60], forced.encode())


@given(forced=st.text(min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_a_forced_text_is_always_spelled(forced: str, seed: int) -> None:
    """Whatever the model prefers, the tokens that are chosen spell the forced text."""
    rng, rest, spelled = np.random.default_rng(seed), forced.encode(), b""
    while rest:
        piece = VOCABULARY.pieces[VOCABULARY.choose(rng.normal(size=320).astype(np.float32), rest)]
        spelled += piece
        rest = rest[len(piece) :]

    assert spelled.startswith(forced.encode())


def test_the_same_seed_draws_the_same(loop: OnnxLoop, folder: Path) -> None:
    """Whatever the slot has read before; other seeds draw otherwise, at temperature 0 none does."""
    fresh = OnnxLoop(folder / "model.onnx")
    drawn = [run(loop, CODE[:60], temperature=2.0, seed=seed) for seed in range(8)]
    again = [run(fresh, CODE[:60], temperature=2.0, seed=seed) for seed in range(8)]
    cold = {run(loop, CODE[:60], seed=seed) for seed in range(3)}

    assert drawn == again
    assert len({*drawn}) > 2
    assert len(cold) == 1


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    """Against the chances by hand: those outside of the nucleus never, the others in proportion."""
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    request = GenerateRequest(document="", prompt="", temperature=1.0, top_p=0.9, seed=3)
    pick = pick_of(request)
    counts = np.bincount([pick(logits) for _ in range(4000)], minlength=4)

    assert counts[3] == 0
    assert np.allclose(counts[:3] / 4000, np.array([0.5, 0.3, 0.15]) / 0.95, atol=0.03)


def test_a_drawn_token_goes_with_the_forced_text(loop: OnnxLoop) -> None:
    """Healing holds at any temperature."""
    for seed in range(20):
        pick = pick_of(GenerateRequest(document="", prompt="", temperature=5.0, seed=seed))
        logits = np.random.default_rng(seed).normal(size=320).astype(np.float32)
        piece = VOCABULARY.pieces[VOCABULARY.choose(logits, b"width", pick)]

        assert piece.startswith(b"width") or b"width".startswith(piece)


def test_a_line_ends_at_its_newline(loop: OnnxLoop) -> None:
    """Without `multiline` nothing comes after the first newline."""
    texts = [run(loop, CODE[:n], multiline=False, max_tokens=90) for n in range(20, 60)]

    assert any("\n" in text for text in texts)
    assert all("\n" not in text[:-1] for text in texts)


def test_a_stop_is_seen_after_one_token(loop: OnnxLoop) -> None:
    """A step that says no is the last one."""
    seen: list[int] = []

    def keep(n: int) -> bool:
        seen.append(n)
        return n < 3

    run(loop, CODE[:60], keep=keep)

    assert seen[-1] == 3


def test_a_long_prompt_keeps_its_end_and_its_suffix(loop: OnnxLoop) -> None:
    """What stands far before the cursor gives way, in hops; the sentinels stay."""
    prompt = "<fim_prefix><fim_suffix>\nx = 1\n<fim_middle>" + CODE
    ids = loop._fitted(TOKENIZER.encode(prompt).ids, 12)
    head = TOKENIZER.encode("<fim_prefix><fim_suffix>\nx = 1\n<fim_middle>").ids

    assert ids[: len(head)] == head
    assert len(ids) + 12 <= CONFIG.n_positions
    assert TOKENIZER.encode(prompt).ids[-20:][-len(ids) + len(head) :] == ids[len(head) :][-20:]
    assert run(loop, prompt) is not None


def test_no_prompt_is_answered_too(loop: OnnxLoop) -> None:
    """An empty file has an empty prompt."""
    assert isinstance(run(loop, ""), str)


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00\xff garbage"])
def test_a_damaged_folder_is_named(folder: Path, name: str, damage: bytes, tmp_path: Path) -> None:
    """Whatever file is broken, the message says which folder."""
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(damage if file.name == name else file.read_bytes())
    with pytest.raises(WorkerError, match=tmp_path.name):
        OnnxLoop(tmp_path / "model.onnx")


def test_an_exported_folder_is_a_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens by its path, can be added under a name, says its corpus, and is verified."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path))
    by_path = open_model(str(folder))
    add_model(folder, "mine")
    added = open_model("mine")
    verify_model(added)

    assert by_path.path == added.path == folder / "model.onnx"
    assert added.manifest.corpus_digest == "c" * 64
    assert (added.manifest.family, added.manifest.claim) == ("starcoder", "trained_on")


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json", "README.md"])
def test_a_changed_file_is_noticed(folder: Path, tmp_path: Path, name: str) -> None:
    """`verify` compares the digest of each with the manifest's."""
    for file in folder.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[:-1] + b"\0" if file.name == name else data)
    with pytest.raises(ModelDamagedError, match=f"{name} has sha256"):
        verify_model(open_model(str(tmp_path)))


def test_text_never_spells_a_control_token() -> None:
    """A prompt's user text is defused before it reaches the tokenizer."""
    assert 2 not in TOKENIZER.encode(neutralise("<fim_middle>")).ids
