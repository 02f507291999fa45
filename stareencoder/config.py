"""The shape of an encoder, in transformers' words on disk and in ours inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stareencoder.errors import EncoderFolderError


def _knob(default: Any, doc: str, bounds: tuple[float, float] | tuple[str, ...]) -> Any:
    return field(default=default, metadata={"doc": doc, "bounds": bounds})


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderConfig:
    """The shape of a BERT encoder (StarCoder paper, section 4; transformers' `bert`).

    The defaults are `tiny`; StarEncoder itself has 12 blocks of width 768, 12 heads, 1,024
    positions and 49,156 tokens.

    Raises:
        ValueError: the heads do not share the width evenly.
    """

    n_layer: int = _knob(4, "blocks", (1, 200))
    n_embd: int = _knob(256, "width", (8, 65536))
    n_head: int = _knob(4, "heads", (1, 1024))
    n_inner: int = _knob(0, "width of the feed-forward part; 0: four times n_embd", (0, 262144))
    n_positions: int = _knob(256, "learned positions", (8, 1 << 20))
    vocab_size: int = _knob(8196, "tokens, our 4 special ones included", (280, 65540))
    dropout: float = _knob(0.0, "on embeddings, attention and residuals", (0, 0.9))
    init_std: float = _knob(0.02, "of the initial weights", (1e-6, 1))
    pooling: Literal["mean", "sep"] = _knob(
        "mean",
        "what a text's vector is: mean over its tokens; published: its last <sep>",
        ("mean", "sep"),
    )
    n_lexical: int = _knob(
        0, "width of vectors to which a table of words is added; 0: none, n_embd wide", (0, 65536)
    )

    def __post_init__(self) -> None:
        if self.n_embd % self.n_head:
            raise ValueError(
                f"n_embd is {self.n_embd}, which {self.n_head} heads cannot share evenly; "
                "choose an n_head that divides it"
            )

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.n_embd // self.n_head

    @property
    def inner(self) -> int:
        """Width of the feed-forward part."""
        return self.n_inner or 4 * self.n_embd

    @property
    def width(self) -> int:
        """Width of a text's vector."""
        return self.n_lexical or self.n_embd


def hf_config(config: EncoderConfig) -> dict[str, Any]:
    """`config.json` as transformers' `BertConfig` has it."""
    return {
        "architectures": ["BertForPreTraining"],
        "model_type": "bert",
        "attention_probs_dropout_prob": config.dropout,
        "hidden_act": "gelu",
        "hidden_dropout_prob": config.dropout,
        "hidden_size": config.n_embd,
        "initializer_range": config.init_std,
        "intermediate_size": config.inner,
        "layer_norm_eps": 1e-12,
        "lexical_size": config.n_lexical,
        "max_position_embeddings": config.n_positions,
        "num_attention_heads": config.n_head,
        "num_hidden_layers": config.n_layer,
        "pad_token_id": config.vocab_size - 4,
        "pooling": config.pooling,
        "position_embedding_type": "absolute",
        "type_vocab_size": 2,
        "vocab_size": config.vocab_size,
    }


def config_from_hf(table: Mapping[str, Any], *, where: str) -> EncoderConfig:
    """The shape that a `config.json` describes; without `pooling` in it, the published one.

    Raises:
        EncoderFolderError: it is no BERT with absolute positions, or a key is missing or wrong.
    """
    try:
        if table["model_type"] != "bert":
            raise EncoderFolderError(
                f"{where} describes a {table['model_type']!r} model, not a `bert`; choose another"
            )
        return EncoderConfig(
            n_layer=int(table["num_hidden_layers"]),
            n_embd=int(table["hidden_size"]),
            n_head=int(table["num_attention_heads"]),
            n_inner=int(table["intermediate_size"]),
            n_positions=int(table["max_position_embeddings"]),
            vocab_size=int(table["vocab_size"]),
            dropout=float(table.get("hidden_dropout_prob", 0.0)),
            init_std=float(table.get("initializer_range", 0.02)),
            n_lexical=int(table.get("lexical_size", 0)),
            pooling="mean" if table.get("pooling", "sep") == "mean" else "sep",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderFolderError(
            f"{where} is no configuration of an encoder: {error!r}; use another copy"
        ) from error


def labels_of(table: Mapping[str, Any], *, where: str) -> list[str]:
    """The labels that a `config.json` names, in the order of the logits.

    Raises:
        EncoderFolderError: it names none, or not all.
    """
    try:
        named = {int(number): str(name) for number, name in table["id2label"].items()}
        return [named[number] for number in range(len(named))]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EncoderFolderError(
            f"{where} names no labels 0, 1, …: {error!r}; use the folder of a tagger"
        ) from error
