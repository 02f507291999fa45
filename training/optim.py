"""Muon for the matrices, AdamW for the rest, and how their learning rates move."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from training.config import OptimConfig, Recipe

# Newton-Schulz coefficients (Jordan et al., "Muon", 2024): steepest at zero, not convergent at one.
_A, _B, _C = 3.4445, -4.7750, 2.0315
# Parts of names of what has two dimensions and maps no vector of the model to another one.
_NOT_MATRICES = (".wte.", ".wpe.", "_embeddings.", ".seq_relationship.", ".classifier.")


class Muon(Optimizer):
    """Momentum whose update is made orthogonal: every direction moves equally far.

    After Jordan et al. (2024), scaled to AdamW's root mean square (Liu et al., arXiv 2502.16982,
    section 2.2). Unlike `torch.optim.Muon` it computes in `dtype`: a CPU without bfloat16 units
    needs float32.
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        n_steps: int = 4,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._n_steps, self._dtype = n_steps, dtype

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One step along the gradients."""
        loss = closure() if closure else None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        buffer: Tensor = state["momentum_buffer"]
        buffer.lerp_(gradient, 1 - group["momentum"])
        nesterov = gradient.lerp(buffer, group["momentum"])
        update = orthogonalised(nesterov, self._n_steps, self._dtype).to(parameter.dtype)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * 0.2 * math.sqrt(max(parameter.shape)))


def orthogonalised(matrix: Tensor, n_steps: int, dtype: torch.dtype) -> Tensor:
    """A matrix of the same shape with the same singular vectors and singular values near one."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = (matrix.T if is_tall else matrix).to(dtype)
    x = x / (x.norm() + 1e-7)
    for _ in range(n_steps):
        gram = x @ x.T
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return x.T if is_tall else x


def make_optimizers(
    model: nn.Module, config: OptimConfig, *, ns_dtype: torch.dtype = torch.float32
) -> list[Optimizer]:
    """The optimisers of a model: Muon has the matrices of its blocks where the recipe says so."""
    matrices: list[nn.Parameter] = []
    embeddings: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_embedding = any(part in f".{name}" for part in _NOT_MATRICES)
        (embeddings if is_embedding else matrices if parameter.dim() == 2 else vectors).append(
            parameter
        )
    adam_groups = [
        {"params": embeddings, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimizers: list[Optimizer] = []
    if config.optimizer == "muon":
        optimizers.append(
            Muon(matrices, lr=config.muon_lr, weight_decay=config.weight_decay, dtype=ns_dtype)
        )
    else:
        adam_groups[0]["params"] = [*embeddings, *matrices]
    adam = AdamW(
        adam_groups, lr=config.lr, betas=(config.beta1, config.beta2), eps=config.eps, fused=True
    )
    return [*optimizers, adam]


def peak_lrs(optimizers: list[Optimizer], config: OptimConfig) -> list[float]:
    """The highest learning rate of each optimiser."""
    return [config.muon_lr if isinstance(one, Muon) else config.lr for one in optimizers]


def lr_ratio(step: int, recipe: Recipe) -> float:
    """The learning rate of a step (counting from 0) as a share of its peak, in [0, 1].

    `wsd`: linear warm-up, stable, linear decay (Hu et al., arXiv 2404.06395). `cosine`: StarCoder's
    (arXiv 2305.06161, section 5.4).
    """
    schedule, per_step = recipe.schedule, recipe.tokens_per_step
    n_warmup = schedule.warmup_tokens // per_step
    if step < n_warmup:
        return (step + 1) / n_warmup
    floor = schedule.final_lr_ratio
    if schedule.kind == "cosine":
        done = (step - n_warmup) / max(1, recipe.n_steps - n_warmup)
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    n_decay = min(schedule.decay_tokens // per_step, recipe.n_steps)
    left = (recipe.n_steps - step) / n_decay if n_decay else 1.0
    return floor + (1 - floor) * min(1.0, left)
