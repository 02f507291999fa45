"""How fast the decoder trains, beside transformers' GPTBigCode of the same shape.

    python tests/bench/bench_train.py --json tests/bench/results/train.json

One process and one thread; a step is forwards, backwards and the optimiser's move on random tokens.
The two take turns, and the best of their steps counts: on a busy machine that is the fairest.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import cpu_name
from torch import Tensor
from torch.nn import functional
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM

from training import read_recipe
from training.checkpoint import hf_config
from training.decoder import Decoder
from training.hardware import autocast, multiplies_bf16
from training.optim import make_optimizers

CPU = torch.device("cpu")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--rows", type=int, default=8, help="samples in a step")
    parser.add_argument("--length", type=int, default=512, help="tokens in a sample")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipe = read_recipe(options.recipe)
    ids = torch.randint(0, recipe.model.vocab_size, (options.rows, options.length + 1))
    precisions = [torch.float32, *([torch.bfloat16] if multiplies_bf16(CPU) else [])]
    figures = {}
    for precision in precisions:
        ours, theirs = _ours(recipe, precision), _theirs(recipe, precision)
        times: dict[str, list[float]] = {"starcite": [], "transformers": []}
        for _ in range(options.steps):
            times["starcite"].append(_cpu_seconds(ours, ids))
            times["transformers"].append(_cpu_seconds(theirs, ids))
        name = str(precision).removeprefix("torch.")
        figures[name] = {
            who: round(options.rows * options.length / min(some[1:])) for who, some in times.items()
        }
    result = {
        "machine": cpu_name(),
        "torch": torch.__version__,
        "recipe": options.recipe,
        "n_parameters": Decoder(recipe.model).n_parameters(),
        "sample": [options.rows, options.length],
        "tokens_per_cpu_second": figures,
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _ours(recipe, precision: torch.dtype) -> Callable[[Tensor], None]:
    model = Decoder(recipe.model)
    return _stepper(model, model, recipe, precision)


def _theirs(recipe, precision: torch.dtype) -> Callable[[Tensor], None]:
    model = GPTBigCodeForCausalLM(GPTBigCodeConfig(**hf_config(recipe.model)))
    return _stepper(model, lambda ids: model(ids, use_cache=False).logits, recipe, precision)


def _stepper(model, logits_of, recipe, precision) -> Callable[[Tensor], None]:
    optimizers = make_optimizers(model, recipe.optim, ns_dtype=precision)

    def step(ids: Tensor) -> None:
        with autocast(CPU, precision):
            logits = logits_of(ids[:, :-1])
        functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten()).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    return step


def _cpu_seconds(step: Callable[[Tensor], None], ids: Tensor) -> float:
    started = time.process_time()
    step(ids)
    return time.process_time() - started


if __name__ == "__main__":
    main()
