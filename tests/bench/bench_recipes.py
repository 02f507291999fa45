"""Recipes compared at equal compute: size, optimiser, FIM, context and vocabulary.

    python tests/bench/bench_recipes.py --heldout .starcite/corpus/heldout-curated \
        --work .starcite/runs/recipes --seconds 240 --json tests/bench/results/recipes.json

Each variant differs from `base` in what `VARIANTS` says and gets the same number of CPU-seconds on
one thread, with its warm-up and its decay in them. What is finished is kept in --work, and a run
that was interrupted goes on from its last checkpoint. `again` is `base` with another seed: what
differs by no more than those two is not a difference.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import cpu_name
from numpy.typing import NDArray
from torch.nn import functional

from indexer.config import frozen_corpus_path
from indexer.curate.sentinels import neutralise
from indexer.curate.shards import read_shards, read_shards_manifest
from training.batches import heldout_windows
from training.config import Recipe, read_recipe
from training.decoder import Decoder
from training.fim import psm, split, spm
from training.fit import Fit, Task, fit
from training.hardware import autocast
from training.metrics import bits_per_byte, token_bytes
from training.pack import open_tokens, pack, read_packed
from training.tokenizer import load_tokenizer, save_tokenizer, train_tokenizer

VARIANTS: dict[str, dict[str, str]] = {
    "base": {},
    "5M": {"model.n_layer": "4", "model.n_embd": "256", "model.n_head": "4"},
    "20M": {"model.n_embd": "512", "model.n_head": "8"},
    "adamw": {"optim.optimizer": "adamw"},
    "again": {"data.seed": "1"},
    "vocabulary 4k": {"model.vocab_size": "4096"},
    "vocabulary 16k": {"model.vocab_size": "16384"},
    "context 512": {"data.block_size": "512"},
    "psm only": {"data.spm_rate": "0"},
    "spm only": {"data.spm_rate": "1"},
    "no fim": {"data.fim_rate": "0"},
}
BASE = {
    "optim.lr": "3e-3",
    "optim.muon_lr": "6e-3",
    "schedule.batch_tokens": "4096",
    "run.checkpoint_s": "60",
    "run.keep": "1",
    "run.eval_tokens": "0",
}
WARMUP, DECAY = 0.1, 0.3  # shares of a variant's tokens
N_HELDOUT_TOKENS, N_MIDDLES = 131_072, 200
MIDDLE_CHARS, AROUND_CHARS = 60, 900


def main() -> None:
    """Run what is left of the variants, and write after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=Path, default=frozen_corpus_path())
    parser.add_argument("--heldout", type=Path, required=True, help="curated held-out shards")
    parser.add_argument("--work", type=Path, required=True, help="tokens, checkpoints, results")
    parser.add_argument("--seconds", type=float, default=240, help="CPU-seconds of each variant")
    parser.add_argument("--only", action="append", choices=VARIANTS, help="default: all")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.only or VARIANTS:
        rows.append(_finished(name, options) or _run(name, options))
        text = json.dumps(_result(rows, options), indent=1) + "\n"
        sys.stderr.write(f"{json.dumps(rows[-1])}\n")
        if options.json:
            options.json.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _result(rows: list[dict[str, Any]], options: argparse.Namespace) -> dict[str, Any]:
    return {
        "what": "held-out bits per byte after equal compute, lower is better",
        "command": f"python tests/bench/bench_recipes.py --seconds {options.seconds:g}",
        "machine": cpu_name(),
        "torch": torch.__version__,
        "base": BASE,
        "variants": rows,
    }


def _finished(name: str, options: argparse.Namespace) -> dict[str, Any] | None:
    path = _folder(name, options) / "result.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def _folder(name: str, options: argparse.Namespace) -> Path:
    return options.work / f"{name.replace(' ', '-')}-{options.seconds:g}s"


def _run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Train a variant to its end, from its last checkpoint if there is one, and measure it."""
    run, changes = _folder(name, options), VARIANTS[name]
    tokens = _tokens(int(changes.get("model.vocab_size", "8192")), options)
    recipe, speed = _recipe(run, changes, tokens, options.seconds)
    task = Task(run=run, recipe=recipe, packed=(tokens / "train",), tokenizer=tokens)
    fit(task)
    model = Fit(task).model  # reads the last checkpoint
    row = {
        "name": name,
        "changes": changes,
        "n_parameters": model.n_parameters(),
        "tokens": recipe.n_steps * recipe.tokens_per_step,
        "tokens_per_cpu_second": round(speed),
        **_measured(model, tokens, recipe),
    }
    (run / "result.json").write_text(json.dumps(row), encoding="utf-8")
    return row


def _recipe(
    run: Path, changes: dict[str, str], tokens: Path, seconds: float
) -> tuple[Recipe, float]:
    """The variant's recipe with as many tokens as fit into its CPU-seconds, and its speed."""
    path = run / "plan.json"
    if not path.exists():
        trial = read_recipe("tiny", {**BASE, **changes})
        task = Task(run=run, recipe=trial, packed=(tokens / "train",), tokenizer=tokens)
        run.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"speed": _speed(task)}), encoding="utf-8")
    speed = json.loads(path.read_bytes())["speed"]
    n_tokens = int(speed * seconds)
    schedule = {
        "schedule.tokens": str(n_tokens),
        "schedule.warmup_tokens": str(int(WARMUP * n_tokens)),
        "schedule.decay_tokens": str(int(DECAY * n_tokens)),
    }
    return read_recipe("tiny", {**BASE, **changes, **schedule}), speed


def _speed(task: Task) -> float:
    """Tokens a CPU-second, from the faster half of some steps: the first ones warm up."""
    trial, times = Fit(task), []
    for _ in range(12):
        started = time.process_time()
        trial.train_step()
        times.append(time.process_time() - started)
    return task.recipe.tokens_per_step / float(np.mean(sorted(times)[:6]))


def _tokens(vocab_size: int, options: argparse.Namespace) -> Path:
    """The tokenizer of a size and both corpora in it, made where they are missing."""
    folder = options.work / f"tokens-{vocab_size}"
    if not (folder / "tokenizer.json").exists():
        texts = (neutralise(file.text) for file in read_shards(options.shards))
        save_tokenizer(train_tokenizer(texts, vocab_size), folder)
    tokenizer = load_tokenizer(folder)
    for name, shards in (("train", options.shards), ("heldout", options.heldout)):
        if not (folder / name / "packed.json").exists():
            digest = read_shards_manifest(shards).corpus_digest
            pack(read_shards(shards), tokenizer, folder / name, corpus_digest=digest)
    return folder


def _measured(model: Decoder, tokens: Path, recipe: Recipe) -> dict[str, Any]:
    """Bits per byte left to right, and of middles that are asked for in either order."""
    tokenizer = load_tokenizer(tokens)
    lengths, cpu = token_bytes(tokenizer), torch.device("cpu")
    block = recipe.data.block_size
    windows, packed = heldout_windows(tokens / "heldout", 1024, N_HELDOUT_TOKENS)
    # shorter windows of the same text: each begins with the token that the one before ends with
    rows = np.concatenate(
        [windows[:, start : start + block + 1] for start in range(0, 1024, block)]
    )
    middles = list(_middles(tokens, tokenizer))
    return {
        "bytes_per_token": round(packed.n_bytes / packed.n_tokens, 3),
        "training_bytes": round(
            recipe.schedule.tokens
            * read_packed(tokens / "train").n_bytes
            / read_packed(tokens / "train").n_tokens
        ),
        "bits_per_byte": round(bits_per_byte(model, rows, lengths, cpu, torch.bfloat16), 4),
        "middle_bits_per_byte": {
            layout.__name__: round(_middle_bits(model, layout, middles, block), 4)
            for layout in (psm, spm)
        },
    }


def _middles(tokens: Path, tokenizer: Any) -> Iterator[Any]:
    """Held-out texts in three parts, the middle one about a line long; the same for every model."""
    stream = open_tokens(tokens / "heldout")
    for number in range(N_MIDDLES):
        # more tokens than are needed in any vocabulary, at the same share of the stream
        start = len(stream) * number // N_MIDDLES
        text = tokenizer.decode(stream[start : start + 1024].tolist(), skip_special_tokens=True)
        text = text[: 2 * AROUND_CHARS]
        edges = (AROUND_CHARS / len(text), (AROUND_CHARS + MIDDLE_CHARS) / len(text))
        if edges[1] < 1:
            yield text[AROUND_CHARS:][:MIDDLE_CHARS], split(text, edges, tokenizer)


@torch.no_grad()
def _middle_bits(model: Decoder, layout: Any, middles: list[Any], block: int) -> float:
    nats, n_bytes = 0.0, 0
    model.eval()
    for text, parts in middles:
        ids = np.asarray(layout(parts)[:-1], dtype=np.int64)
        ids = _fitted(ids, block + 1)
        n_middle = len(parts.middle)
        with autocast(torch.device("cpu"), torch.bfloat16):
            logits = model(torch.from_numpy(ids[None, :-1]))[0, -n_middle:]
        expected = torch.from_numpy(ids[-n_middle:])
        nats += float(functional.cross_entropy(logits.float(), expected, reduction="sum"))
        n_bytes += len(text.encode())
    return nats / math.log(2) / n_bytes


def _fitted(ids: NDArray[np.int64], n_tokens: int) -> NDArray[np.int64]:
    """The first token and the last ones, where a model's context is too short for all."""
    return (
        ids if len(ids) <= n_tokens else np.concatenate((ids[:1], ids[len(ids) - n_tokens + 1 :]))
    )


if __name__ == "__main__":
    main()
