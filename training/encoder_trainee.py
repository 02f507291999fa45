"""An encoder in training: masked tokens and next segments first, then vectors that find.

Retrieval is InfoNCE over the other pairs of a micro-batch, both ways (van den Oord et al., arXiv
1807.03748), on prefixes of the vectors, too, so that they can be cut short (Kusupati et al.,
"Matryoshka", arXiv 2205.13147).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from stareencoder.config import EncoderConfig
from stareencoder.model import StarEncoder
from stareencoder.tokens import SPECIAL, special_ids, with_special_tokens
from training import checkpoint
from training.config import ObjectiveConfig
from training.encoder_batches import MaskedBatches, ViewBatches
from training.errors import RecipeError, TokenizerError
from training.hardware import autocast
from training.tokenizer import load_tokenizer, tokenizer_digest
from training.trainee import Task

_PART = 64  # texts that go through the blocks at a time
_HELDOUT_SEED = 1 << 40  # of the held-out samples: none of a run has it


class EncoderTrainee:
    """An encoder with the samples and the loss of one of its two stages."""

    def __init__(self, task: Task, tokenizer: Tokenizer) -> None:
        config = cast("EncoderConfig", task.recipe.model)  # as `parse_recipe` pairs them
        self._objective = task.recipe.objective or ObjectiveConfig()
        self._task, self._base = task, tokenizer
        n_tokens = tokenizer.get_vocab_size() + len(SPECIAL)
        if config.vocab_size != n_tokens:
            raise RecipeError(
                f"the tokenizer has {n_tokens - len(SPECIAL)} tokens, which makes {n_tokens} with "
                f"the encoder's own, and the encoder {config.vocab_size}; set "
                f"model.vocab_size={n_tokens}"
            )
        kind, parallel = self._objective.kind, task.recipe.run.parallel
        if kind == "lexical" and not config.n_lexical:
            raise RecipeError(
                "objective.kind is lexical, and the encoder has no table of words; "
                "set model.n_lexical"
            )
        if parallel == "fsdp" or (parallel == "ddp" and kind != "mlm"):
            raise RecipeError(
                f"run.parallel is {parallel!r}, with which no encoder learns {kind}; set it to "
                f"{'none or ddp' if kind == 'mlm' else 'none'}"
            )
        self.tokenizer = with_special_tokens(tokenizer)
        self.batches = self._samples(list(task.packed), task.recipe.data.seed)
        self.model = StarEncoder(config)
        is_masked = self._objective.kind == "mlm"
        self.objective: nn.Module = (
            MaskedObjective(self.model, self._objective.next_weight)
            if is_masked
            else RetrievalObjective(self.model, self._objective)
        )

    def borrow(self, folder: Path) -> bool:
        """Take the tokens' vectors of a decoder, if the folder holds one.

        Raises:
            CheckpointError: it is damaged.
            TokenizerError: its tokens are others.
        """
        if isinstance(checkpoint.read_config(folder), EncoderConfig):
            return False
        if tokenizer_digest(load_tokenizer(folder)) != tokenizer_digest(self._base):
            raise TokenizerError(
                f"the decoder in {folder} has another tokenizer; train with its own"
            )
        take_embedding(self.model, checkpoint.load_weights(folder)["transformer.wte.weight"])
        return True

    @torch.no_grad()
    def measure(
        self, device: torch.device, precision: torch.dtype, *, micro_batch: int
    ) -> dict[str, float]:
        """Nats of a masked token and share of right next segments; or how well views find."""
        recipe = self._task.recipe
        samples = self._samples([self._task.heldout or Path()], _HELDOUT_SEED)
        n = max(1, recipe.run.eval_tokens // recipe.data.block_size)
        was_training = self.model.training
        self.model.eval()
        rows = []
        with autocast(device, precision):
            for first in range(0, n, micro_batch):
                arrays = samples.batch(first, min(micro_batch, n - first))
                rows.append([torch.from_numpy(one).to(device) for one in arrays])
            is_masked = self._objective.kind == "mlm"
            is_lexical = self._objective.kind == "lexical"
            embed = self.model.embed_words if is_lexical else self.model.embed
            figures = masked_figures(self.model, rows) if is_masked else found(embed, rows)
        self.model.train(was_training)
        return figures

    def _samples(self, folders: list[Path], seed: int) -> MaskedBatches | ViewBatches:
        data = self._task.recipe.data
        data = (
            replace(data, seed=seed) if seed == data.seed else replace(data, seed=seed, weights={})
        )
        special = special_ids(self._base.get_vocab_size() + len(SPECIAL))
        kind = MaskedBatches if self._objective.kind == "mlm" else ViewBatches
        return kind(folders, self._base, data, self._objective, special)


class MaskedObjective(nn.Module):
    """Nats of the masked tokens, and of whether the second segment follows."""

    def __init__(self, model: StarEncoder, next_weight: float) -> None:
        super().__init__()
        self.model, self._next_weight = model, next_weight

    def forward(self, ids: Tensor, segments: Tensor, targets: Tensor, is_other: Tensor) -> Tensor:
        """Their weighted sum; logits are computed for masked tokens only."""
        hidden = self.model.bert(ids, segments)
        wanted = targets != -100
        tokens = self.model.token_logits(hidden[wanted]).float()
        loss = functional.cross_entropy(tokens, targets[wanted], reduction="sum")
        following = self.model.next_logits(hidden).float()
        next_loss = functional.cross_entropy(following, is_other)
        return loss / wanted.sum().clamp(min=1) + self._next_weight * next_loss


class RetrievalObjective(nn.Module):
    """Nats of which second view belongs to a first one, and the other way round."""

    def __init__(self, model: StarEncoder, config: ObjectiveConfig) -> None:
        super().__init__()
        self.model, self._temperature = model, config.temperature
        self._pad = model.bert.special.pad
        self._embed = model.embed_words if config.kind == "lexical" else model.embed
        self._dims = [model.config.width]
        while self._dims[-1] // 2 >= config.min_dim:
            self._dims.append(self._dims[-1] // 2)

    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        """The mean over the prefixes of the vectors."""
        first, second = (by_length(self._embed, ids, self._pad) for ids in (one, two))
        own = torch.arange(len(one), device=one.device)
        losses = []
        for dim in self._dims:
            a = functional.normalize(first[:, :dim], dim=-1)
            b = functional.normalize(second[:, :dim], dim=-1)
            scores = a @ b.T / self._temperature  # (B, B)
            losses += [functional.cross_entropy(s.float(), own) for s in (scores, scores.T)]
        return torch.stack(losses).mean()


def by_length(embed: Callable[[Tensor], Tensor], ids: Tensor, pad: int) -> Tensor:
    """Vectors (B, W) of ids (B, T), computed in parts of like length, so that little is padding."""
    lengths = (ids != pad).sum(dim=1)
    order = lengths.argsort(stable=True)
    parts = [embed(ids[part, : int(lengths[part[-1]])]) for part in torch.split(order, _PART)]
    return torch.cat(parts)[order.argsort()]


@torch.no_grad()
def take_embedding(model: StarEncoder, words: Tensor) -> None:
    """Begin with the tokens' vectors that a decoder with the same tokenizer has learnt.

    Args:
        model: whose own vectors stay for its special tokens.
        words: the decoder's embedding (V, C'). Where it is wider than the encoder, its principal
            directions are kept; all of it is scaled to the spread of the encoder's own.
    """
    own: Tensor = model.bert.embeddings["word_embeddings"].weight  # type: ignore[assignment]
    centred = words.float() - words.float().mean(dim=0)
    if centred.shape[1] > own.shape[1]:
        _, vectors = torch.linalg.eigh(centred.T @ centred)  # by rising share of the spread
        centred = centred @ vectors[:, -own.shape[1] :]
    scale = model.config.init_std / float(centred.std())
    own[: len(centred), : centred.shape[1]] = centred * scale


def masked_figures(model: StarEncoder, rows: list[list[Tensor]]) -> dict[str, float]:
    """On samples of `MaskedBatches`: nats a masked token, and the share of right next segments."""
    nats = n_tokens = n_right = n_samples = 0.0
    for ids, segments, targets, is_other in rows:
        hidden, wanted = model.bert(ids, segments), targets != -100
        tokens = model.token_logits(hidden[wanted]).float()
        nats += float(functional.cross_entropy(tokens, targets[wanted], reduction="sum"))
        n_tokens += int(wanted.sum())
        n_right += int((model.next_logits(hidden).argmax(-1) == is_other).sum())
        n_samples += len(ids)
    return {"heldout_mlm": nats / max(1, n_tokens), "heldout_next": n_right / n_samples}


def found(embed: Callable[[Tensor], Tensor], rows: list[list[Tensor]]) -> dict[str, float]:
    """On samples of `ViewBatches`: mean reciprocal rank of a second view among all of them."""
    first = torch.cat([embed(one) for one, _ in rows]).float().cpu().numpy()
    second = torch.cat([embed(two) for _, two in rows]).float().cpu().numpy()
    scores = first @ second.T
    ranks = (scores > np.diag(scores)[:, None]).sum(axis=1) + 1
    return {"heldout_mrr": float((1 / ranks).mean())}
