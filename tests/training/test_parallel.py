"""Two processes over gloo learn what one learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.checkpoint import checkpoints, load_weights, read_manifest
from training.config import Recipe
from training.errors import RecipeError
from training.parallel import join_processes

COMMON = ["--recipe", "RECIPE", "--tokenizer", "TOKENS", "--packed", "TRAIN", "--threads", "1"]


def _toml(recipe: Recipe) -> str:
    from dataclasses import asdict

    lines = []
    tables = {table: keys for table, keys in asdict(recipe).items() if keys is not None}
    for table, keys in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value != {}]
    return "\n".join(lines)


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_learn_what_one_learns(
    kind: str, recipe: Recipe, tokens: Path, tmp_path: Path
) -> None:
    """The weights after eight steps are equal but for the rounding of sums."""
    path = tmp_path / "recipe.toml"
    path.write_text(_toml(recipe), encoding="utf-8")
    places = {"RECIPE": str(path), "TOKENS": str(tokens), "TRAIN": str(tokens / "train")}
    common = [places.get(word, word) for word in COMMON]
    common += ["--set", "optim.optimizer=adamw"]
    runner = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--standalone",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    for name, launcher, changes in (
        ("one", [sys.executable], []),
        ("two", runner, ["--set", f"run.parallel={kind}"]),
    ):
        command = [*launcher, "-m", "training", "fit", str(tmp_path / name), *common, *changes]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment
        )
        assert result.returncode == 0, result.stderr
    one, two = checkpoints(tmp_path / "one")[-1], checkpoints(tmp_path / "two")[-1]
    weights = load_weights(two)

    assert "2 processes" in read_manifest(two)["machine"]
    for name, value in load_weights(one).items():
        assert torch.allclose(value, weights[name], atol=2e-4), name


def test_several_processes_have_to_be_started(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without torchrun the message says how."""
    monkeypatch.delenv("RANK", raising=False)
    from dataclasses import replace

    several = replace(recipe, run=replace(recipe.run, parallel="ddp"))
    with pytest.raises(RecipeError, match="torchrun --nproc-per-node 2"):
        join_processes(several, torch.device("cpu"))
