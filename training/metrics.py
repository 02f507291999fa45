"""What a run measures of itself: a line of JSON a step, and bits per byte on held-out text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from indexer.curate.sentinels import SENTINELS
from training.hardware import autocast

FILE_NAME = "metrics.jsonl"


class MetricsLog:
    """The run's figures, a JSON object a line; what a killed run wrote past its checkpoint goes."""

    def __init__(self, run: Path, *, from_step: int) -> None:
        self._path = run / FILE_NAME
        kept = [row for row in read_metrics(run) if row["step"] <= from_step]
        run.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in kept)
        self._path.write_text(text, encoding="utf-8")

    def add(self, **row: Any) -> None:
        """Append one row."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def read_metrics(run: Path) -> Iterator[dict[str, Any]]:
    """The rows of a run, in order; a line that was cut off is left out."""
    with suppress(FileNotFoundError):
        for line in (run / FILE_NAME).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict) and isinstance(row.get("step"), int):
                    yield row


def token_bytes(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """How many bytes of text each token stands for, (vocab_size,); a sentinel for none."""
    lengths = np.zeros(tokenizer.get_vocab_size(), dtype=np.int64)
    for token, number in tokenizer.get_vocab().items():
        # In the byte-level alphabet every byte is one character.
        lengths[number] = 0 if token in SENTINELS else len(token)
    return lengths


@torch.no_grad()
def bits_per_byte(
    model: nn.Module,
    windows: NDArray[np.int64],
    lengths: NDArray[np.int64],
    device: torch.device,
    precision: torch.dtype,
    *,
    micro_batch: int = 8,
) -> float:
    """Bits that the model needs for each byte of the windows (N, T + 1), read left to right.

    Every token is predicted from the tokens before it in its own window, so the first ones of a
    window have little context: the figure is an upper bound.
    """
    was_training = model.training
    model.eval()
    nats = 0.0
    for start in range(0, len(windows), micro_batch):
        rows = torch.from_numpy(windows[start : start + micro_batch]).to(device)
        with autocast(device, precision):
            logits = model(rows[:, :-1])
        nats += float(
            functional.cross_entropy(
                logits.flatten(0, 1).float(), rows[:, 1:].flatten(), reduction="sum"
            )
        )
    model.train(was_training)
    return nats / math.log(2) / int(lengths[windows[:, 1:]].sum())
