"""A set-up never takes several GB of CUDA that nobody asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from workbench.cpu_torch import brings_cuda, pinned_torch

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["torch", "sympy", "networkx"], False),
        (["torch", "nvidia-cublas-cu13", "sympy"], True),
        (["torch", "triton"], True),
        (["torch", "cuda-bindings"], True),
        ([], False),
    ],
)
def test_a_cuda_build_is_known_by_what_comes_with_it(names: list[str], expected: bool) -> None:
    """Its libraries are distributions of their own."""
    assert brings_cuda(names) is expected


def test_the_version_is_the_one_of_the_train_extra() -> None:
    """There is one pin, in pyproject.toml."""
    assert pinned_torch(ROOT / "pyproject.toml").startswith("torch==")
