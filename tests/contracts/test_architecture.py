"""The arrows of the architecture and the cost of imports, held by machine."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("lsp_server", "attribution", "indexer", "stareencoder", "training")
NEVER_TO_SERVE = ("torch", "transformers", "faiss", "pyarrow", "license_expression")


def test_imports_point_down() -> None:
    """import-linter holds every contract that pyproject.toml declares."""
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_shows_ten_names_or_fewer(package: str) -> None:
    """What a package offers fits on one screen, and every offered name exists."""
    module = importlib.import_module(package)

    assert len(module.__all__) <= 10
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize(
    "module", [*PACKAGES, "lsp_server.server", "attribution.cli", "attribution.service.cli"]
)
def test_serving_never_imports_training_libraries(module: str) -> None:
    """Neither a package nor the server loads torch or what only corpus makers need."""
    script = f"import sys, {module}; print([m for m in {NEVER_TO_SERVE} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"
