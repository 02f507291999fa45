"""Where a run computes and in which precision; the machine in one line."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist

from training.config import RunConfig
from training.errors import RecipeError


def choose_device(config: RunConfig) -> torch.device:
    """The device that the recipe names, or the accelerator if there is one.

    Raises:
        RecipeError: it asks for CUDA and there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise RecipeError("run.device is cuda, and this torch sees no CUDA device; use auto")
    if config.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the hardware has units for bfloat16: CUDA's, or AMX on a CPU.

    Without them autocast is many times slower than float32.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    has_amx: bool = torch.cpu._is_amx_tile_supported()
    return has_amx


def choose_precision(config: RunConfig, device: torch.device) -> torch.dtype:
    """What matrices are multiplied in; weights and optimisers stay in float32."""
    if config.precision == "auto":
        return torch.bfloat16 if multiplies_bf16(device) else torch.float32
    return torch.bfloat16 if config.precision == "bf16" else torch.float32


def autocast(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """The context of forward passes."""
    if precision == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, precision)


def describe_machine(device: torch.device, precision: torch.dtype) -> str:
    """What computes, as in "cpu x86_64, 2 threads, bfloat16, torch 2.13.0"."""
    if device.type == "cuda":
        where = f"cuda {torch.cuda.get_device_name(device)}"
    else:
        where = f"cpu {platform.machine()}, {torch.get_num_threads()} threads"
    world = dist.get_world_size() if dist.is_initialized() else 1
    several = f", {world} processes" if world > 1 else ""
    return f"{where}{several}, {str(precision).removeprefix('torch.')}, torch {torch.__version__}"
