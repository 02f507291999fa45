"""What can go wrong while evaluating."""

from __future__ import annotations

from training.errors import TrainError


class EvaluateError(TrainError):
    """A model, a data set or a folder of results is missing, damaged or does not fit."""
