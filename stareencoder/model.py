"""The encoder: BERT as StarEncoder has it, with its heads, in one file.

The architecture of StarEncoder (arXiv 2305.06161, section 4): post-LayerNorm blocks, learned
absolute positions, two segments, erf-GELU; masked tokens are predicted through the embedding that
also reads them, and whether the second segment follows the first by the pooled `<cls>`. Parameters
have the names of transformers' `BertForPreTraining` and `BertForTokenClassification`, so that the
published StarEncoder and StarPII load; `tests/stareencoder/test_model.py` holds the two together.

Ours beyond the published one: a text's vector can begin with its words (`Lexical`).

Shapes: B texts, T tokens, C = n_embd, W = width of a text's vector, H heads of D = C / H,
V = vocab_size, L labels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from stareencoder.config import EncoderConfig
from stareencoder.tokens import special_ids

LEXICAL = "lexical."  # how the names of the parameters begin that only vectors need
_EPS = 1e-12


class Attention(nn.Module):
    """Every token looks at every token of its text."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.n_embd
        self.n_head, self.head_dim, self.dropout = config.n_head, config.head_dim, config.dropout
        self.self = nn.ModuleDict(
            {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        )
        self.output = _Residual(width, config)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        query, key, value = (self._heads(self.self[name](x)) for name in ("query", "key", "value"))
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=seen, dropout_p=dropout
        )
        attended: Tensor = self.output(mixed.transpose(1, 2).flatten(2), x)  # (B, T, C)
        return attended

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.n_head, self.head_dim).transpose(1, 2)  # (B, H, T, D)


class _Residual(nn.Module):
    """A projection that is added to the stream, and the norm after it."""

    def __init__(self, n_in: int, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(n_in, config.n_embd)
        self.LayerNorm = nn.LayerNorm(config.n_embd, eps=_EPS)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, new: Tensor, x: Tensor) -> Tensor:
        added: Tensor = self.LayerNorm(self.dropout(self.dense(new)) + x)
        return added


class Block(nn.Module):
    """Attention, then two layers round a GELU."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(config.n_embd, config.inner)})
        self.output = _Residual(config.inner, config)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        x = self.attention(x, seen)
        inner = functional.gelu(self.intermediate["dense"](x))
        result: Tensor = self.output(inner, x)
        return result


class Trunk(nn.Module):
    """Token ids to one vector a token: what all heads stand on."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.n_embd
        self.config, self.special = config, special_ids(config.vocab_size)
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": nn.Embedding(config.vocab_size, width),
                "position_embeddings": nn.Embedding(config.n_positions, width),
                "token_type_embeddings": nn.Embedding(2, width),
                "LayerNorm": nn.LayerNorm(width, eps=_EPS),
                "dropout": nn.Dropout(config.dropout),
            }
        )
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList([Block(config) for _ in range(config.n_layer)])}
        )
        self.pooler = nn.ModuleDict({"dense": nn.Linear(width, width)})

    def forward(self, ids: Tensor, segments: Tensor | None = None) -> Tensor:
        """(B, T, C) of ids (B, T) in which <pad> is not looked at; all of segment 0 if not said."""
        parts = self.embeddings
        positions = torch.arange(ids.shape[1], device=ids.device)
        kinds = torch.zeros_like(ids) if segments is None else segments
        x = parts["word_embeddings"](ids) + parts["position_embeddings"](positions)
        x = parts["dropout"](parts["LayerNorm"](x + parts["token_type_embeddings"](kinds)))
        seen = (ids != self.special.pad)[:, None, None, :]  # (B, 1, 1, T), for all heads and rows
        for block in self.blocks:
            x = block(x, seen)
        result: Tensor = x
        return result

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks in their order."""
        layers: nn.ModuleList = self.encoder["layer"]  # type: ignore[assignment]
        return layers

    def pooled(self, hidden: Tensor) -> Tensor:
        """(B, C) of the first token, as the head of the next segment reads it."""
        return torch.tanh(self.pooler["dense"](hidden[:, 0]))


class _Model(nn.Module):
    """A trunk under the name that checkpoints have."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Trunk(config)

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks of the trunk."""
        return self.bert.blocks

    def _initialise(self) -> None:
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=self.config.init_std)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)


class Lexical(nn.Module):
    """What the words of a text say without their order, beside what the blocks make of it.

    Sums of random word vectors already find what stands there literally, which blocks have to learn
    at great cost; so they add to such a sum, from nothing on, and need not replace it.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.width)
        self.log_weights = nn.Parameter(torch.zeros(config.vocab_size))
        self.projection = nn.Linear(config.n_embd, config.width, bias=False)

    def forward(self, ids: Tensor, seen: Tensor) -> Tensor:
        """Unit vectors (B, W) of the words of ids (B, T), of which `seen` (B, T) count."""
        weights = self.log_weights.exp()[ids] * seen
        sums = functional.embedding_bag(
            ids, self.word_embeddings.weight, mode="sum", per_sample_weights=weights
        )
        return functional.normalize(sums, dim=-1)


class StarEncoder(_Model):
    """The trunk with the two heads that it is trained with, and the vector of a text."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        width = config.n_embd
        self.cls = nn.ModuleDict(
            {
                "predictions": nn.ModuleDict(
                    {
                        "transform": nn.ModuleDict(
                            {
                                "dense": nn.Linear(width, width),
                                "LayerNorm": nn.LayerNorm(width, eps=_EPS),
                            }
                        )
                    }
                ),
                "seq_relationship": nn.Linear(width, 2),
            }
        )
        bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.cls["predictions"].register_parameter("bias", bias)
        self.lexical = Lexical(config) if config.n_lexical else None
        self._initialise()
        if self.lexical is not None:
            nn.init.normal_(self.lexical.word_embeddings.weight)
            nn.init.zeros_(self.lexical.projection.weight)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """(…, V) of what stood at tokens (…, C), through the embedding that also reads them."""
        head: nn.ModuleDict = self.cls["predictions"]  # type: ignore[assignment]
        transform: nn.ModuleDict = head["transform"]  # type: ignore[assignment]
        x = transform["LayerNorm"](functional.gelu(transform["dense"](hidden)))
        words: Tensor = self.bert.embeddings["word_embeddings"].weight  # type: ignore[assignment]
        bias: Tensor = head.bias  # type: ignore[assignment]
        return functional.linear(x, words, bias)

    def next_logits(self, hidden: Tensor) -> Tensor:
        """(B, 2): that segment 1 follows segment 0, that it does not (transformers' order)."""
        logits: Tensor = self.cls["seq_relationship"](self.bert.pooled(hidden))
        return logits

    def forward(self, ids: Tensor, segments: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits of every token (B, T, V) and of the next segment (B, 2)."""
        hidden = self.bert(ids, segments)
        return self.token_logits(hidden), self.next_logits(hidden)

    def embed(self, ids: Tensor) -> Tensor:
        """Unit vectors (B, W) of texts `<cls> … <sep>` (B, T), padded on the right."""
        hidden = self.bert(ids).float()
        seen = ids != self.bert.special.pad
        if self.config.pooling == "sep":
            last = seen.sum(dim=1) - 1
            vectors = hidden[torch.arange(len(ids), device=ids.device), last]
        else:
            # A sum, since the norm takes the number of tokens out again.
            vectors = (hidden * seen.unsqueeze(-1)).sum(dim=1)
        vectors = functional.normalize(vectors, dim=-1)
        if self.lexical is None:
            return vectors
        return functional.normalize(
            self.embed_words(ids) + self.lexical.projection(vectors).float(), dim=-1
        )

    def embed_words(self, ids: Tensor) -> Tensor:
        """Unit vectors (B, W) of the words alone; of an encoder that has a table of them."""
        words: Lexical = self.lexical  # type: ignore[assignment]
        vectors: Tensor = words(ids, ids != self.bert.special.pad)
        return vectors


class TokenTagger(_Model):
    """The trunk with a label for each token, as StarPII has it."""

    def __init__(self, config: EncoderConfig, n_labels: int) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.n_embd, n_labels)
        self._initialise()

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, T, L)."""
        logits: Tensor = self.classifier(self.dropout(self.bert(ids)))
        return logits
