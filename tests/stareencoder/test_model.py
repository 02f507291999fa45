"""The encoder against transformers' BERT, both ways, and the layouts of what was published."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import (
    BertConfig,
    BertForPreTraining,
    BertForTokenClassification,
    BertModel,
    PreTrainedModel,
)

from stareencoder.checkpoint import load_encoder, load_tagger, load_weights, read_config
from stareencoder.config import EncoderConfig, hf_config
from stareencoder.errors import EncoderFolderError
from stareencoder.model import StarEncoder
from stareencoder.tokens import special_ids

CONFIG = EncoderConfig(n_layer=3, n_embd=48, n_head=4, n_inner=80, n_positions=64, vocab_size=300)
PAD = special_ids(300).pad
SEED = torch.Generator().manual_seed(3)
IDS = torch.randint(0, PAD, (2, 40), generator=SEED)
IDS[1, 29:] = PAD
SEGMENTS = torch.tensor([[0] * 20 + [1] * 20] * 2)
LABELS = ["O"] + [f"{part}-{name}" for name in ("EMAIL", "KEY") for part in "BI"]


def _drawn(model: torch.nn.Module) -> None:
    torch.manual_seed(1)
    for parameter in model.parameters():  # biases and norms that are not neutral
        torch.nn.init.normal_(parameter, std=0.1)


def _theirs(kind: type[PreTrainedModel], **changes: object) -> PreTrainedModel:
    table = {key: value for key, value in hf_config(CONFIG).items() if key != "pooling"}
    model = kind(BertConfig(**{**table, **changes})).eval()
    _drawn(model)
    return model


def _seen() -> Tensor:
    return (IDS != PAD).long()


def test_what_we_write_transformers_reads_with_equal_outputs(tmp_path: Path) -> None:
    """A folder of ours is one of transformers: tokens, next segment, padded and in two segments."""
    ours = StarEncoder(CONFIG).eval()
    _drawn(ours)
    save_file(ours.state_dict(), tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps(hf_config(CONFIG)))
    theirs = BertForPreTraining.from_pretrained(tmp_path).eval()
    found = theirs(IDS, token_type_ids=SEGMENTS, attention_mask=_seen())
    tokens, following = ours(IDS, SEGMENTS)
    is_text = IDS != PAD

    assert torch.allclose(found.prediction_logits[is_text], tokens[is_text], atol=1e-4)
    assert torch.allclose(found.seq_relationship_logits, following, atol=1e-4)


@pytest.mark.parametrize("is_pickled", [False, True])
@pytest.mark.parametrize("kind", [BertForPreTraining, BertModel])
def test_the_published_layouts_of_an_encoder_are_read(
    kind: type[PreTrainedModel], is_pickled: bool, tmp_path: Path
) -> None:
    """With or without heads and prefix, as safetensors or as a pickle of weights: equal vectors."""
    theirs = _theirs(kind)
    theirs.save_pretrained(tmp_path)
    if is_pickled:
        (tmp_path / "model.safetensors").unlink()
        torch.save(theirs.state_dict(), tmp_path / "pytorch_model.bin")
    ours, missing = load_encoder(tmp_path)
    trunk = theirs if kind is BertModel else theirs.bert
    hidden = trunk(IDS, attention_mask=_seen()).last_hidden_state

    assert torch.allclose(hidden[IDS != PAD], ours.bert(IDS)[IDS != PAD], atol=1e-4)
    assert bool(missing) == (kind is BertModel)
    assert ours.config.pooling == "sep"


def test_the_published_layout_of_a_tagger_is_read(tmp_path: Path) -> None:
    """Labels come from its configuration, and the logits of every token are equal."""
    theirs = _theirs(BertForTokenClassification, id2label=dict(enumerate(LABELS)))
    theirs.save_pretrained(tmp_path)
    ours, labels = load_tagger(tmp_path)
    found = theirs(IDS, attention_mask=_seen()).logits

    assert labels == LABELS
    assert torch.allclose(found[IDS != PAD], ours(IDS)[IDS != PAD], atol=1e-4)


def test_the_special_tokens_are_where_they_were_published() -> None:
    """StarEncoder has 49,156 tokens: pad, sep, cls and mask after the 49,152 of StarCoder."""
    ids = special_ids(49_156)

    assert (ids.pad, ids.sep, ids.cls, ids.mask) == (49_152, 49_153, 49_154, 49_155)


def test_the_published_shape_has_the_published_size() -> None:
    """12 blocks of width 768 with the published vocabulary: about 125 million parameters."""
    config = EncoderConfig(n_layer=12, n_embd=768, n_head=12, n_positions=1024, vocab_size=49_156)
    with torch.device("meta"):
        trunk = StarEncoder(config).bert

    assert 120e6 < sum(one.numel() for one in trunk.parameters()) < 126e6


@pytest.mark.parametrize("pooling", ["mean", "sep"])
def test_padding_changes_no_vector(pooling: str) -> None:
    """A text has the same unit vector alone and beside longer ones."""
    model = StarEncoder(EncoderConfig(**{**_fields(CONFIG), "pooling": pooling})).eval()
    _drawn(model)
    vectors = model.embed(IDS)

    assert torch.allclose(vectors[1], model.embed(IDS[1:, :29])[0], atol=1e-5)
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(2))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", [None, b"", b"\x00garbage", b"[]", b'{"model_type": "gpt2"}'])
def test_a_damaged_folder_is_refused_by_name(
    name: str, damage: bytes | None, tmp_path: Path
) -> None:
    """Missing, empty, overwritten, of another kind: one error that names the place."""
    _theirs(BertModel).save_pretrained(tmp_path)
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    with pytest.raises(EncoderFolderError, match=str(tmp_path)):
        load_encoder(tmp_path)


def test_a_pickle_that_holds_more_than_weights_is_refused(tmp_path: Path) -> None:
    """Nothing of a file from elsewhere is run."""
    _theirs(BertModel).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({"weights": Path("x")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderFolderError, match="more than weights"):
        load_weights(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    """What `config.json` says and what the weights are has to agree."""
    _theirs(BertModel).save_pretrained(tmp_path)
    table = json.loads((tmp_path / "config.json").read_text()) | {"hidden_size": 96}
    (tmp_path / "config.json").write_text(json.dumps(table))

    assert read_config(tmp_path).n_embd == 96
    with pytest.raises(EncoderFolderError, match="do not fit"):
        load_encoder(tmp_path)


def _fields(config: EncoderConfig) -> dict[str, object]:
    return {name: getattr(config, name) for name in EncoderConfig.__dataclass_fields__}
