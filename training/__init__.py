"""Training of the StarCoder-type decoder on the index's own shards.

    shards → tokenizer → pack → batches (fim) → decoder, optim, fit → checkpoint → export, evaluate

`config` holds the recipes; importing this package loads no torch.
"""

from training.config import Recipe, read_recipe, recipe_names
from training.errors import TrainError

__all__ = ["Recipe", "TrainError", "read_recipe", "recipe_names"]
