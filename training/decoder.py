"""The decoder: GPTBigCode with multi-query attention and learned positions, in one file.

The architecture of StarCoder (arXiv 2305.06161, section 5.2): pre-LayerNorm blocks, one key and
value head that all query heads share, learned absolute positions, tanh-GELU, tied embeddings.
Parameters have the names of transformers' `GPTBigCodeForCausalLM`, so that a folder which one of
the two has written the other reads; `tests/training/test_decoder.py` holds their logits together.

Shapes: B samples, T tokens, P tokens in the cache, C = n_embd, H heads of D = C / H.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.config import DecoderConfig

# Keys and values of each block, (B, P, 2 D): the layout that the exported model has, too.
Cache = tuple[Tensor, ...]


class Attention(nn.Module):
    """Causal multi-query attention."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.n_head, self.head_dim = config.n_head, config.head_dim
        self.dropout = config.dropout
        self.c_attn = nn.Linear(config.n_embd, config.n_embd + 2 * config.head_dim)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.resid_dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        batch, length, width = x.shape
        query, key_value = self.c_attn(x).split((width, 2 * self.head_dim), dim=-1)
        if past is not None:
            key_value = torch.cat((past, key_value), dim=1)  # (B, P + T, 2 D)
        query = query.view(batch, length, self.n_head, self.head_dim).transpose(
            1, 2
        )  # (B, H, T, D)
        key, value = key_value.unsqueeze(1).split(self.head_dim, dim=-1)  # (B, 1, P + T, D)
        attended = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if past is None else _mask(length, key.shape[2], x.device),
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=past is None,
            enable_gqa=True,  # one head for all queries: an expanded one costs more backwards
        )
        merged = attended.transpose(1, 2).reshape(batch, length, width)  # (B, T, C)
        return self.resid_dropout(self.c_proj(merged)), key_value


class FeedForward(nn.Module):
    """Two layers round a tanh-GELU."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, config.inner)
        self.c_proj = nn.Linear(config.inner, config.n_embd)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.gelu(self.c_fc(x), approximate="tanh")
        projected: Tensor = self.dropout(self.c_proj(hidden))
        return projected


class Block(nn.Module):
    """Attention and feed-forward, each behind its LayerNorm, each added to the residual stream."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
        attended, cached = self.attn(self.ln_1(x), past)
        x = x + attended
        return x + self.mlp(self.ln_2(x)), cached


class Decoder(nn.Module):
    """Token ids to logits."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "wpe": nn.Embedding(config.n_positions, config.n_embd),
                "drop": nn.Dropout(config.dropout),
                "h": nn.ModuleList([Block(config) for _ in range(config.n_layer)]),
                "ln_f": nn.LayerNorm(config.n_embd),
            }
        )
        self._initialise()

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (B, T, vocab_size) of the token after each of `ids` (B, T)."""
        hidden, _ = self.hidden(ids)
        return self.logits(hidden)

    def step(self, ids: Tensor, past: Cache | None = None) -> tuple[Tensor, Cache]:
        """Logits of `ids` (B, T) that follow what `past` holds, and the cache with them in it."""
        hidden, cache = self.hidden(ids, past)
        return self.logits(hidden), cache

    def hidden(self, ids: Tensor, past: Cache | None = None) -> tuple[Tensor, Cache]:
        """The normalised residual stream (B, T, C), and the cache."""
        n_past = past[0].shape[1] if past else 0
        positions = torch.arange(n_past, n_past + ids.shape[1], device=ids.device)
        x = self.transformer["drop"](
            self.transformer["wte"](ids) + self.transformer["wpe"](positions)
        )
        cache = []
        for number, block in enumerate(self.blocks):
            x, cached = block(x, past[number] if past else None)
            cache.append(cached)
        return self.transformer["ln_f"](x), tuple(cache)

    def logits(self, hidden: Tensor) -> Tensor:
        """(…, C) → (…, vocab_size), by the embedding that also reads the tokens."""
        weight: Tensor = self.transformer["wte"].weight  # type: ignore[assignment]
        return functional.linear(hidden, weight)

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks in their order."""
        layers: nn.ModuleList = self.transformer["h"]  # type: ignore[assignment]
        return layers

    def n_parameters(self) -> int:
        """All of them; the tied embedding counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def _initialise(self) -> None:
        """Normal with 1/√C; what ends in the residual stream by √(2 n_layer) less (GPT-2)."""
        std = self.config.std
        for name, parameter in self.named_parameters():
            if name.endswith(".bias"):
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                is_residual = name.endswith("c_proj.weight")
                scale = math.sqrt(2 * self.config.n_layer) if is_residual else 1.0
                nn.init.normal_(parameter, std=std / scale)


def _mask(n_new: int, n_all: int, device: torch.device) -> Tensor:
    """(T, P + T): a token sees the cache, itself and what came before it."""
    rows = torch.arange(n_all - n_new, n_all, device=device).unsqueeze(1)
    return torch.arange(n_all, device=device).unsqueeze(0) <= rows
