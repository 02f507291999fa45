"""Which trainee a recipe asks for."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from stareencoder.config import EncoderConfig
from training.batches import Batches, heldout_windows
from training.config import Recipe
from training.decoder import Decoder
from training.encoder_trainee import EncoderTrainee
from training.errors import RecipeError
from training.metrics import bits_per_byte, token_bytes
from training.trainee import Task, Trainee


def make_trainee(task: Task, tokenizer: Tokenizer) -> Trainee:
    """The model of a task, freshly drawn, with its samples.

    Raises:
        TrainError: the data is missing or damaged, or does not go with the recipe.
    """
    if isinstance(task.recipe.model, EncoderConfig):
        return EncoderTrainee(task, tokenizer)
    return DecoderTrainee(task, tokenizer)


class DecoderTrainee:
    """A decoder that learns to predict the next token."""

    def __init__(self, task: Task, tokenizer: Tokenizer) -> None:
        self._recipe, self._heldout = task.recipe, task.heldout
        self.tokenizer = tokenizer
        self.batches = Batches(list(task.packed), tokenizer, task.recipe.data)
        check_vocabulary(task.recipe, tokenizer.get_vocab_size())
        self.model = Decoder(task.recipe.model)  # type: ignore[arg-type]
        self.objective = Objective(self.model)

    def borrow(self, folder: Path) -> bool:
        """A decoder begins with nothing but a decoder."""
        return False

    def measure(
        self, device: torch.device, precision: torch.dtype, *, micro_batch: int
    ) -> dict[str, float]:
        """Bits per byte."""
        recipe = self._recipe
        windows, _ = heldout_windows(
            self._heldout or Path(), recipe.data.block_size, recipe.run.eval_tokens
        )
        lengths = token_bytes(self.tokenizer)
        bits = bits_per_byte(
            self.model, windows, lengths, device, precision, micro_batch=micro_batch
        )
        return {"heldout_bpb": bits}


class Objective(nn.Module):
    """The loss as a module: what DDP and torch.compile wrap, while the decoder keeps its names."""

    def __init__(self, model: Decoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Mean nats of `targets` (B, T) after `ids` (B, T); a target of -100 does not count."""
        logits = self.model(ids)  # through its forward, at which FSDP gathers the weights
        return functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def check_vocabulary(recipe: Recipe, n_tokens: int) -> None:
    """Refuse a model that has no place for some tokens.

    Raises:
        RecipeError: it has none.
    """
    if n_tokens > recipe.model.vocab_size:
        raise RecipeError(
            f"the tokenizer has {n_tokens} tokens, the model {recipe.model.vocab_size}; "
            f"set model.vocab_size={n_tokens}"
        )
