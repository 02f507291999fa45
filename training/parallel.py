"""Several processes, as torchrun starts them: DDP or FSDP of torch, chosen by the recipe.

    torchrun --nproc-per-node 2 -m training fit RUN --set run.parallel=ddp

Each process computes its rows of every batch; the first one writes. Nothing here distributes by
itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from training.config import Recipe
from training.errors import RecipeError
from training.trainee import Trainee

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def join_processes(recipe: Recipe, device: torch.device) -> tuple[int, int]:
    """This process's rank and how many there are.

    Raises:
        RecipeError: the recipe wants several and torchrun has started none, or the batch or the
            optimiser does not go with them.
    """
    if recipe.run.parallel == "none":
        return 0, 1
    if "RANK" not in os.environ:
        raise RecipeError(
            f"run.parallel is {recipe.run.parallel}, which needs several processes; start them: "
            "torchrun --nproc-per-node 2 -m training fit …, or set run.parallel=none"
        )
    if recipe.run.parallel == "fsdp" and recipe.optim.optimizer == "muon":
        raise RecipeError(
            "run.parallel is fsdp, and Muon needs whole matrices; set optim.optimizer=adamw or "
            "run.parallel=ddp"
        )
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    size = dist.get_world_size()
    if recipe.samples_per_step % size:
        raise RecipeError(
            f"{recipe.samples_per_step} samples a step do not go into {size} processes; change "
            "schedule.batch_tokens"
        )
    return dist.get_rank(), size


def wrap(trainee: Trainee, recipe: Recipe, device: torch.device) -> nn.Module:
    """What computes the loss of a batch, in as many processes as there are."""
    if recipe.run.parallel == "fsdp":
        for block in trainee.model.blocks:
            fully_shard(block)
        fully_shard(trainee.model)
    objective = trainee.objective
    if recipe.run.parallel == "ddp":
        ids = [device.index] if device.type == "cuda" else None
        objective = DistributedDataParallel(objective, device_ids=ids)
    return torch.compile(objective) if recipe.run.compile else objective  # type: ignore[return-value]


def whole_weights(model: nn.Module, recipe: Recipe) -> dict[str, Tensor]:
    """The weights of the whole model, in every process that asks with all others."""
    if recipe.run.parallel != "fsdp":
        return model.state_dict()
    weights: dict[str, Any] = get_model_state_dict(model, options=_WHOLE)
    return weights


def whole_states(
    model: nn.Module, optimizers: Sequence[Optimizer], recipe: Recipe
) -> list[dict[str, Any]]:
    """The optimisers' states of the whole model."""
    if recipe.run.parallel != "fsdp":
        return [optimizer.state_dict() for optimizer in optimizers]
    return [dict(get_optimizer_state_dict(model, one, options=_WHOLE)) for one in optimizers]


def load_states(
    model: nn.Module, optimizers: Sequence[Optimizer], states: Sequence[Any], recipe: Recipe
) -> None:
    """Put back what `whole_states` gave."""
    for optimizer, state in zip(optimizers, states, strict=True):
        if recipe.run.parallel == "fsdp":
            set_optimizer_state_dict(model, optimizer, state, options=_WHOLE)
        else:
            optimizer.load_state_dict(state)


def wait_for_all() -> None:
    """Go on when every process has come so far."""
    if dist.is_initialized():
        dist.barrier()


def is_first() -> bool:
    """Whether this process is the one that writes and speaks."""
    return not dist.is_initialized() or dist.get_rank() == 0


def leave_processes() -> None:
    """The end of the work in several processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def mean_over_processes(value: Tensor) -> float:
    """The mean of a number over all processes."""
    if dist.is_initialized():
        dist.all_reduce(value)
        value /= dist.get_world_size()
    return float(value)
