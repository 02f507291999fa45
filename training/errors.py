"""What can go wrong between shards and a trained model; a message holds value and next step."""

from __future__ import annotations

from indexer import IndexerError


class TrainError(IndexerError):
    """The top of this package's tree; the commands end with its message in one line."""


class RecipeError(TrainError):
    """A recipe cannot be read, or has a key or a value that nothing can use."""

    exit_code = 2


class TokenizerError(TrainError):
    """A tokenizer is missing, damaged or not of the family."""


class PackedError(TrainError):
    """Packed tokens are missing, damaged or made with another tokenizer."""


class CheckpointError(TrainError):
    """A checkpoint or a model folder is missing, damaged or of another shape."""


class DivergedError(TrainError):
    """The loss is no number any more."""


class SamplesError(TrainError):
    """Labelled texts are missing or damaged."""
