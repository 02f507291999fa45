"""A corpus of a few hundred lines, its tokenizer and its packed tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from indexer.curate.sentinels import neutralise
from indexer.source_file import Origin, SourceFile
from training.config import Recipe, parse_recipe
from training.pack import pack
from training.tokenizer import save_tokenizer, train_tokenizer

_ORIGIN = Origin(
    source="pypi",
    name="pkg",
    version="1.0",
    path="pkg/mod.py",
    spdx_id="MIT",
    license_evidence="metadata: MIT; LICENSE: MIT",
)
VOCAB_SIZE = 320


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small tensors gain nothing from threads, and two test runs then do not fight over cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def files() -> list[SourceFile]:
    """Thirty small modules, each a little different, one of them with letters past ASCII."""
    bodies = [
        f"def area_{n}(width, height):\n    return width * height + {n}\n\n\nclass Box{n}:\n"
        f"    def __init__(self, size={n * 7}):\n        self.size = size  # größer\n"
        for n in range(30)
    ]
    return [SourceFile(text=body, language="python", origin=_ORIGIN) for body in bodies]


@pytest.fixture(scope="session")
def tokenizer(files: list[SourceFile]) -> Tokenizer:
    """A tokenizer of that corpus."""
    return train_tokenizer((neutralise(file.text) for file in files), VOCAB_SIZE)


@pytest.fixture(scope="session")
def tokens(
    files: list[SourceFile], tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with `tokenizer.json` and the packed tokens in `train` and `other`."""
    folder = tmp_path_factory.mktemp("tokens")
    save_tokenizer(tokenizer, folder)
    pack(files, tokenizer, folder / "train", corpus_digest="c" * 64)
    pack(files[:20], tokenizer, folder / "other", corpus_digest="c" * 64)
    return folder


@pytest.fixture
def recipe() -> Recipe:
    """A run of eight steps of a model with nine thousand parameters."""
    return parse_recipe(
        {
            "model": {
                "n_layer": 2,
                "n_embd": 16,
                "n_head": 2,
                "n_positions": 64,
                "vocab_size": VOCAB_SIZE,
            },
            "data": {"block_size": 32},
            "optim": {"lr": 0.02, "muon_lr": 0.03},
            "schedule": {
                "tokens": 8 * 128,
                "batch_tokens": 128,
                "warmup_tokens": 256,
                "decay_tokens": 256,
            },
            "run": {
                "device": "cpu",
                "precision": "fp32",
                "micro_batch_tokens": 64,
                "eval_tokens": 64,
                "eval_every_tokens": 256,
            },
        }
    )
