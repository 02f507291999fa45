"""The CPU build of torch, chosen on purpose and only here: the CUDA build takes several GB."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

from workbench.paths import ROOT
from workbench.step import StepFailedError, run_step

# Where PyTorch publishes its CPU builds; what pip finds by itself is asked first.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
_CUDA = re.compile(r"nvidia-|cuda-|triton")


def install_torch(python: Path) -> None:
    """Install the torch that the `train` extra pins, without CUDA.

    Raises:
        StepFailedError: pip could not find or install it.
    """
    requirement = pinned_torch(ROOT / "pyproject.toml")
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    if brings_cuda(_planned([*pip, "--dry-run", "--report", "-", requirement])):
        pip += ["--index-url", CPU_INDEX]
    run_step("install the CPU build of torch", [*pip, requirement])


def pinned_torch(pyproject: Path) -> str:
    """The requirement `torch==…` of the `train` extra."""
    table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    extra = table["project"]["optional-dependencies"]["train"]
    return str(next(one for one in extra if one.startswith("torch==")))


def brings_cuda(names: list[str]) -> bool:
    """Whether one of these distributions belongs to a CUDA build."""
    return any(_CUDA.match(name.lower()) for name in names)


def _planned(command: list[str]) -> list[str]:
    """The names of what pip would install."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StepFailedError(f"pip finds no torch: {last}. Next: check the network, run it again.")
    report = json.loads(result.stdout)
    return [entry["metadata"]["name"] for entry in report.get("install", [])]
