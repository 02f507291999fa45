"""Whether what training needs is installed."""

from __future__ import annotations

from training.errors import TrainError


def needs_extra() -> None:
    """Say how to install it where it is not.

    Raises:
        TrainError: a library is missing.
    """
    try:
        import onnxruntime  # noqa: F401
        import safetensors  # noqa: F401
        import tokenizers  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise TrainError(
            f"training needs {error.name}, which the base install leaves out; run: pip install "
            '"starcite[train]"'
        ) from error
