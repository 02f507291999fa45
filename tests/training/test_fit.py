"""The loop: it learns, and whatever kills it, the resumed run ends with the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from training import checkpoint
from training.config import Recipe
from training.errors import CheckpointError, RecipeError
from training.fit import Fit, Progress, Task, fit
from training.metrics import read_metrics


@pytest.fixture
def task(recipe: Recipe, tokens: Path, tmp_path: Path) -> Task:
    return Task(
        run=tmp_path / "run",
        recipe=recipe,
        packed=(tokens / "train",),
        tokenizer=tokens,
        heldout=tokens / "other",
    )


def _same(one: Path, other: Path) -> bool:
    """Whether two checkpoints hold the same weights and optimiser states, bit for bit."""
    weights, others = load_file(one / checkpoint.WEIGHTS), load_file(other / checkpoint.WEIGHTS)
    same_weights = weights.keys() == others.keys() and all(
        torch.equal(weights[name], others[name]) for name in weights
    )
    return (
        same_weights
        and (one / checkpoint.OPTIMIZER).read_bytes() == (other / checkpoint.OPTIMIZER).read_bytes()
    )


def test_it_learns(task: Task) -> None:
    """After eight steps the loss is lower than at first, and the held-out text costs fewer bits."""
    seen: list[Progress] = []
    fit(task, seen.append)

    assert [one.step for one in seen] == list(range(1, 9))
    assert seen[-1].loss < seen[0].loss - 0.3
    assert seen[-1].heldout_bpb is not None
    assert seen[-1].heldout_bpb < (seen[1].heldout_bpb or 0)


def test_the_same_task_gives_the_same_bits(task: Task, tmp_path: Path) -> None:
    """A second run of the same recipe cannot be told from the first."""
    again = replace(task, run=tmp_path / "again")

    assert _same(fit(task), fit(again))


def test_a_run_that_is_resumed_after_any_step_gives_the_same_bits(
    task: Task, tmp_path: Path
) -> None:
    """Stopped by a signal after three steps, then gone on with: as if nothing had happened."""
    broken = replace(task, run=tmp_path / "broken")

    def stop(now: Progress) -> None:
        if now.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        fit(broken, stop)
    stopped_at = checkpoint.read_manifest(checkpoint.checkpoints(broken.run)[-1])["step"]

    assert stopped_at in (3, 4)
    assert _same(fit(broken), fit(task))
    assert [row["step"] for row in read_metrics(broken.run)] == list(range(1, 9))


def test_kill_9_in_the_middle_gives_the_same_bits(task: Task, tmp_path: Path) -> None:
    """Killed without warning after its second checkpoint, a run goes on to the same end."""
    killed = replace(task, run=tmp_path / "killed")
    recipe = tmp_path / "recipe.json"
    recipe.write_text(
        json.dumps(asdict(replace(task.recipe, run=replace(task.recipe.run, checkpoint_s=0))))
    )
    script = (
        "import json, os, signal, sys\n"
        "from pathlib import Path\n"
        "import torch\n"
        "from training.config import parse_recipe\n"
        "from training.fit import Task, fit\n"
        "torch.set_num_threads(1)\n"
        "run, recipe, tokens = map(Path, sys.argv[1:])\n"
        "def die(now):\n"
        "    if now.step == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "fit(Task(run=run, recipe=parse_recipe(json.loads(recipe.read_text())),\n"
        "    packed=(tokens / 'train',), tokenizer=tokens, heldout=tokens / 'other'), die)\n"
    )
    command = [sys.executable, "-c", script, str(killed.run), str(recipe), str(task.tokenizer)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == -signal.SIGKILL, result.stderr
    assert checkpoint.read_manifest(checkpoint.checkpoints(killed.run)[-1])["step"] == 2
    assert _same(fit(killed), fit(task))


def test_a_half_written_checkpoint_is_not_one(task: Task) -> None:
    """What has no manifest is passed over and swept away."""
    fit(task)
    ruin = task.run / ".step-00000099.partial"
    ruin.mkdir()
    run = Fit(task)
    run.save()

    assert run.step == 8
    assert not ruin.exists()


def test_a_run_can_be_made_longer(task: Task) -> None:
    """With more tokens the finished run goes on from its last checkpoint."""
    fit(task)
    longer = replace(task.recipe, schedule=replace(task.recipe.schedule, tokens=10 * 128))
    last = fit(replace(task, recipe=longer))

    assert checkpoint.read_manifest(last)["step"] == 10


def test_training_goes_on_from_the_weights_of_another_run(task: Task, tmp_path: Path) -> None:
    """Fine-tuning begins with the given weights and with new optimisers."""
    base = fit(task)
    run = Fit(replace(task, run=tmp_path / "tuned", start_from=base))

    assert run.step == 0
    assert run.manifest()["before"]["tokens"] == 8 * 128
    assert all(
        torch.equal(value, run.model.state_dict()[name])
        for name, value in checkpoint.load_weights(base).items()
    )


def test_a_run_is_not_gone_on_with_other_data(task: Task) -> None:
    """Another seed would make the record of what was read a lie."""
    fit(task)
    other = replace(task.recipe, data=replace(task.recipe.data, seed=1))
    with pytest.raises(RecipeError, match=r"another \[data\] table"):
        Fit(replace(task, recipe=other))


def test_the_checkpoint_says_what_it_is(task: Task) -> None:
    """Corpus, recipe, order of the data and machine stand in its manifest."""
    manifest = checkpoint.read_manifest(fit(task))

    assert manifest["corpus_digest"] == "c" * 64
    assert manifest["recipe_digest"] == task.recipe.digest()
    assert manifest["tokens"] == 8 * 128
    assert manifest["data_order"]["n_samples"] == 32
    assert "float32" in manifest["machine"]


@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.pt", "manifest.json", "config.json"]
)
@pytest.mark.parametrize("damage", [b"", b"\x00garbage", None])
def test_a_damaged_checkpoint_is_refused_by_name(
    task: Task, name: str, damage: bytes | None
) -> None:
    """Empty, overwritten or missing: the message names the file, and nothing is trained on it."""
    last = fit(task)
    if damage is None and name != "manifest.json":
        (last / name).unlink()
    elif damage is not None:
        (last / name).write_bytes(damage)
    if damage is None and name == "manifest.json":
        (last / name).unlink()
        assert checkpoint.checkpoints(task.run) == []
        return
    with pytest.raises(CheckpointError):
        Fit(task)
