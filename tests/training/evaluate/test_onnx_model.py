"""An exported model is evaluated as it is served, and agrees with its checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.evaluate.decode import Filler
from training.evaluate.errors import EvaluateError

pytest.importorskip("torch", reason="torch is not installed (extra `train`)")

TEXT = "def lamp_river_3(first, second=None):\n    total = first * 3\n    return [total]\n" * 8


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A random model as transformers reads it, and exported in float32."""
    import torch

    from training.checkpoint import write_model
    from training.config import DecoderConfig
    from training.decoder import Decoder
    from training.export import export_model
    from training.tokenizer import train_tokenizer

    torch.manual_seed(3)
    config = DecoderConfig(n_layer=2, n_embd=32, n_head=2, n_positions=64, vocab_size=320)
    model = Decoder(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    place = tmp_path_factory.mktemp("model")
    tokenizer = train_tokenizer([TEXT], config.vocab_size)
    write_model(place / "source", model.state_dict(), config, tokenizer, {})
    windows = np.random.default_rng(0).integers(19, 320, (2, 33))
    return place / "source", export_model(
        place / "source", place / "out", windows, max_kl=-1
    ).folder


def test_it_scores_and_answers_as_its_checkpoint_does(folders: tuple[Path, Path]) -> None:
    """Bits of a text longer than the context, and a healed line, are torch's."""
    from training.evaluate import onnx_model, torch_model

    source, exported = folders
    ours, theirs = onnx_model.load_model(exported), torch_model.load_model(source)
    answers = [
        Filler(model, "spm", heal=True).complete("def lamp_ri", "(first)\n", one_line=True)
        for model in (ours, theirs)
    ]

    assert len(ours.encode(TEXT)) > 2 * ours.n_context
    assert ours.nats(TEXT) == pytest.approx(theirs.nats(TEXT), rel=1e-4)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00\xff garbage"])
def test_a_damaged_folder_is_an_error(
    folders: tuple[Path, Path], name: str, damage: bytes, tmp_path: Path
) -> None:
    """Whichever file is broken, the message says where."""
    from training.evaluate.onnx_model import load_model

    for file in folders[1].iterdir():
        (tmp_path / file.name).write_bytes(damage if file.name == name else file.read_bytes())
    with pytest.raises(EvaluateError, match=tmp_path.name):
        load_model(tmp_path)
