"""`starcite train tagger`: a tagger of personal data for curation."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from indexer.console import one_line_errors
from training.extra import needs_extra

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("samples", type=_PATH)
@click.option("--from", "source", type=_PATH, required=True, help="A checkpoint of an encoder.")
@click.option("--to", "folder", type=_PATH, required=True, help="Where the served folder goes.")
@click.option("--steps", default=1200, type=click.IntRange(1), show_default=True)
@click.option("--lr", default=1e-3, type=click.FloatRange(1e-8, 1), show_default=True)
@click.option("--muon-lr", default=4e-3, type=click.FloatRange(1e-8, 1), show_default=True)
@click.option("--seed", default=0, type=click.IntRange(0), show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Default: what torch takes.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def tagger(
    *,
    samples: Path,
    source: Path,
    folder: Path,
    steps: int,
    lr: float,
    muon_lr: float,
    seed: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Train a tagger of names, addresses, keys and passwords on labelled texts.

    SAMPLES are JSON lines or Parquet with `content` and `fragments`, as the gated data set of
    StarPII has them. Curation takes the tagger from its folder: corpus curate --tagger FOLDER.

    Exit codes: 0 done, 3 it could not be done, 130 interrupted.

    Example: starcite train tagger samples.jsonl --from ~/runs/encoder/mlm/step-00000488 --to tagger
    """
    with one_line_errors("nothing was written"):
        needs_extra()
        import torch

        from training.tagger import TaggerPlan, fit_tagger, write_tagger
        from training.tagger_samples import read_samples

        if threads:
            torch.set_num_threads(threads)
        texts = read_samples(samples)
        plan = TaggerPlan(steps=steps, lr=lr, muon_lr=muon_lr, seed=seed)
        started = time.monotonic()

        def tell(step: int, loss: float) -> None:
            if step % 50 == 0 or step == steps:
                click.echo(f"step {step} of {steps}, loss {loss:.4f}", err=True)

        model, tokenizer = fit_tagger(texts, source, plan, tell)
        record = {
            "name": folder.name,
            "n_samples": len(texts),
            "steps": steps,
            "lr": lr,
            "muon_lr": muon_lr,
            "seed": seed,
            "seconds": round(time.monotonic() - started, 1),
            "max_tokens": plan.window,
        }
        write_tagger(folder, model, tokenizer, record)
    click.echo(json.dumps({"folder": str(folder), **record}) if as_json else f"{folder}: done")
