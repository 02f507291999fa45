"""What the loop trains, as the loop sees it: a decoder and an encoder differ behind this alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

from training.config import Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What to train."""

    run: Path  # the folder of checkpoints and figures
    recipe: Recipe
    packed: tuple[Path, ...]
    tokenizer: Path
    heldout: Path | None = None
    start_from: Path | None = None  # a model folder whose weights a new run begins with


class Samples(Protocol):
    """The samples of a run, each a pure function of its number."""

    def batch(self, first: int, n: int) -> tuple[NDArray[np.int64], ...]:
        """The arrays that the objective takes, of samples `first` to `first + n`."""

    def manifest(self, n_samples: int) -> dict[str, Any]:
        """What the first samples are: enough to read them again."""

    @property
    def corpus_digests(self) -> list[str]:
        """Of the corpora that they come from."""


class Trainee(Protocol):
    """A model with its samples, its loss and its figures."""

    @property
    def model(self) -> Any:
        """A module with `blocks`."""

    @property
    def batches(self) -> Samples:
        """Its samples."""

    @property
    def objective(self) -> nn.Module:
        """The arrays of a batch to their mean loss in nats."""

    @property
    def tokenizer(self) -> Tokenizer:
        """As it is written beside the model."""

    def borrow(self, folder: Path) -> bool:
        """Begin with a part of a model of another kind; False where it is of the same kind."""

    def measure(
        self, device: torch.device, precision: torch.dtype, *, micro_batch: int
    ) -> dict[str, float]:
        """Figures on held-out text by name, each beginning with `heldout_`."""
