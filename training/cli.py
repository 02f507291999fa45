"""`starcite train`: from shards to a model, a command a step; torch is loaded when one runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.config import frozen_corpus_path
from indexer.console import bars, one_line_errors
from training.config import Recipe, read_recipe
from training.extra import needs_extra
from training.plan import duration, make_plan, plan_rows
from training.tagger_cli import tagger

if TYPE_CHECKING:
    from indexer.source_file import SourceFile
    from training.fit import Progress

_PATH = click.Path(path_type=Path)
_SAID_EVERY_S = 15.0


@click.group()
def train() -> None:
    """Train a StarCoder-type model on exactly what an index holds.

    Needs the extra: pip install "starcite[train]"

    Example: starcite train fit ~/runs/tiny --recipe tiny --tokens 20M
    """


def _recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option(
        "--set", "changes", multiple=True, metavar="TABLE.KEY=VALUE", help="Change one key."
    )(command)
    command = click.option("--tokens", help="Length of the run: 500k, 20M, 1.5B.")(command)
    return click.option(
        "--recipe", default="tiny", help="A shipped recipe or a TOML file; default: tiny."
    )(command)


@train.command()
@click.option("--from", "shards", type=_PATH, help="Curated shards; default: the frozen corpus.")
@click.option("--to", "folder", type=_PATH, required=True, help="Where tokenizer.json goes.")
@click.option("--vocab-size", default=8192, type=click.IntRange(275, 65536), show_default=True)
def tokenizer(*, shards: Path | None, folder: Path, vocab_size: int) -> None:
    """Learn the byte-level BPE of a corpus.

    Exit codes: 0 done, 3 it could not be done, 130 interrupted.

    Example: starcite train tokenizer --to ~/runs/tokens
    """
    with one_line_errors("nothing was written"), bars() as progress:
        needs_extra()
        from indexer.curate.sentinels import neutralise
        from indexer.curate.shards import read_shards, read_shards_manifest
        from training.tokenizer import save_tokenizer, train_tokenizer

        source = shards or frozen_corpus_path()
        total = read_shards_manifest(source).n_files

        def texts() -> Iterator[str]:
            for number, file in enumerate(read_shards(source), start=1):
                progress("Reading files", number, total)
                yield neutralise(file.text)
            click.echo("Learning merges", err=True)

        path = save_tokenizer(train_tokenizer(texts(), vocab_size), folder)
        click.echo(f"{path}: {vocab_size:,} tokens")


@train.command()
@click.option("--from", "shards", type=_PATH, help="Curated shards; default: the frozen corpus.")
@click.option("--tokenizer", "tokens", type=_PATH, required=True, help="Its folder or file.")
@click.option("--to", "folder", type=_PATH, required=True, help="Where the packed tokens go.")
@click.option("--language", help="Only documents of this language, as `python`.")
def pack(*, shards: Path | None, tokens: Path, folder: Path, language: str | None) -> None:
    """Turn shards into the stream of tokens that a run reads.

    Exit codes: 0 done, 3 it could not be done, 130 interrupted.

    Example: starcite train pack --tokenizer ~/runs/tokens --to ~/runs/tokens/train
    """
    with one_line_errors("run the same command again"), bars() as progress:
        needs_extra()
        from indexer.curate.shards import read_shards, read_shards_manifest
        from training.pack import pack as pack_files
        from training.tokenizer import load_tokenizer

        source = shards or frozen_corpus_path()
        manifest = read_shards_manifest(source)
        packed = pack_files(
            (file for file in read_shards(source) if language in (None, file.language)),
            load_tokenizer(tokens),
            folder,
            corpus_digest=manifest.corpus_digest,
            on_progress=lambda n: progress("Packing documents", n, manifest.n_files),
        )
        click.echo(
            f"{folder}: {packed.n_documents:,} documents, {packed.n_tokens:,} tokens, "
            f"{packed.n_bytes / packed.n_tokens:.2f} bytes a token"
        )


@train.command()
@click.argument("packed", type=_PATH)
@click.option("--tokenizer", "tokens", type=_PATH, required=True, help="Its folder or file.")
def docstrings(*, packed: Path, tokens: Path) -> None:
    """Find the docstrings and comments of PACKED, which the training of an encoder asks for.

    Exit codes: 0 done, 3 it could not be done, 130 interrupted.

    Example: starcite train docstrings ~/runs/tokens/train --tokenizer ~/runs/tokens
    """
    with one_line_errors("run the same command again"), bars() as progress:
        needs_extra()
        from training.docstrings import FILE_NAME, write_docstrings
        from training.tokenizer import load_tokenizer

        n = write_docstrings(
            packed,
            load_tokenizer(tokens),
            on_progress=lambda done, total: progress("Reading documents", done, total),
        )
        click.echo(f"{packed / FILE_NAME}: {n:,} docstrings and comments")


@train.command()
@_recipe_options
@click.option("--packed", "folder", type=_PATH, help="Packed tokens, to count passes over them.")
@click.option("--speed", type=float, help="Tokens a second of the machine, for the time.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(
    *,
    recipe: str,
    tokens: str | None,
    changes: tuple[str, ...],
    folder: Path | None,
    speed: float | None,
    as_json: bool,
) -> None:
    """Say what a recipe costs before it runs: parameters, memory, tokens, compute.

    Exit codes: 0 done, 2 bad recipe, 3 it could not be done.

    Example: starcite train plan --recipe starcoderbase-15b --speed 200000
    """
    with one_line_errors():
        chosen = _recipe(recipe, tokens, changes)
        n_tokens = None
        if folder:
            needs_extra()
            from training.pack import read_packed

            n_tokens = read_packed(folder).n_tokens
        planned = make_plan(chosen, packed_tokens=n_tokens, tokens_per_s=speed)
        if as_json:
            click.echo(json.dumps(asdict(planned), indent=1))
            return
        rows = plan_rows(planned)
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            click.echo(f"{name:<{width}}  {value}")


@train.command()
@click.argument("run", type=_PATH)
@_recipe_options
@click.option("--packed", "folders", type=_PATH, multiple=True, required=True, help="To read.")
@click.option("--tokenizer", "tokens_path", type=_PATH, required=True, help="Its folder or file.")
@click.option("--heldout", type=_PATH, help="Packed tokens of packages that are set aside.")
@click.option("--from", "start_from", type=_PATH, help="A model folder to go on from.")
@click.option("--threads", type=click.IntRange(1), help="Of a CPU; default: as torch decides.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def fit(
    *,
    run: Path,
    recipe: str,
    tokens: str | None,
    changes: tuple[str, ...],
    folders: tuple[Path, ...],
    heldout: Path | None,
    start_from: Path | None,
    threads: int | None,
    as_json: bool,
    tokens_path: Path,
) -> None:
    """Train a model in the folder RUN, or go on where the run in it was.

    Ctrl-C ends it after its step, with a checkpoint.

    Exit codes: 0 done, 2 bad recipe, 3 it could not be done, 130 interrupted.

    Example: starcite train fit ~/runs/tiny --tokenizer ~/runs/tokens --packed ~/runs/tokens/train
    """
    with one_line_errors():
        chosen = _recipe(recipe, tokens, changes)
        needs_extra()
        import torch

        from training.fit import Task
        from training.fit import fit as fit_task
        from training.parallel import is_first, leave_processes

        if threads:
            torch.set_num_threads(threads)
        task = Task(
            run=run.absolute(),
            recipe=chosen,
            packed=folders,
            tokenizer=tokens_path,
            heldout=heldout,
            start_from=start_from,
        )
        last = fit_task(task, _Teller().tell)
        speaks = is_first()
        leave_processes()
        if not speaks:
            return
        manifest = json.loads((last / "manifest.json").read_text(encoding="utf-8"))
        if as_json:
            click.echo(json.dumps({"model": str(last), **manifest}, indent=1))
        else:
            click.echo(
                f"{last}: {manifest['tokens']:,} tokens in {duration(manifest['seconds'])}"
                + _measured(manifest)
            )


@train.command()
@click.argument("run", type=_PATH)
@click.option("--html", "path", type=_PATH, required=True, help="Where the page goes.")
def report(*, run: Path, path: Path) -> None:
    """Draw the curves of a run as one HTML page.

    Exit codes: 0 done, 3 there is no run, or the file cannot be written.

    Example: starcite train report ~/runs/tiny --html tiny.html
    """
    with one_line_errors():
        needs_extra()
        from training.report import write_run_report

        write_run_report(run, path)
        click.echo(path)


@train.command()
@click.argument("model", type=_PATH)
@click.option("--to", "folder", type=_PATH, required=True, help="Where the copy goes.")
def keep(*, model: Path, folder: Path) -> None:
    """Copy the weights of MODEL as float16, small enough to be kept with the code.

    Training goes on from the copy with `fit --from`; the optimisers then begin anew.

    Exit codes: 0 done, 3 it could not be done.

    Example: starcite train keep ~/runs/tiny/step-00001440 --to weights/tiny
    """
    with one_line_errors():
        needs_extra()
        from training import checkpoint

        checkpoint.write_model(
            folder,
            checkpoint.half(checkpoint.load_weights(model)),
            checkpoint.read_config(model),
            checkpoint.load_model_tokenizer(model),
            checkpoint.read_manifest(model),
        )
        click.echo(folder)


@train.command()
@click.argument("model", type=_PATH)
@click.option("--to", "folder", type=_PATH, required=True, help="Where the served folder goes.")
@click.option("--heldout", type=_PATH, required=True, help="Packed tokens to compare graphs on.")
@click.option("--n-tokens", default=16_384, type=click.IntRange(1), help="Of them; default 16384.")
@click.option("--shards", type=_PATH, help="What it was trained on; default: the frozen corpus.")
@click.option("--json", "as_json", is_flag=True, help="Print what was measured as JSON.")
def export(
    *, model: Path, folder: Path, heldout: Path, n_tokens: int, shards: Path | None, as_json: bool
) -> None:
    """Write the ONNX graph of MODEL, in eight bits if that agrees with it well enough.

    MODEL is a decoder or an encoder.

    Beside it goes a model card, which counts the licences of the shards if they are what MODEL was
    trained on; `starcite train card` adds scores to it.

    Exit codes: 0 done, 3 it could not be done, 130 interrupted.

    Example: starcite train export ~/runs/tiny/step-00001000 --heldout HELDOUT --to ~/models/tiny
    """
    with one_line_errors("run the same command again"):
        needs_extra()
        from stareencoder.config import EncoderConfig
        from training.batches import heldout_windows
        from training.checkpoint import read_config
        from training.export import export_model

        config = read_config(model)
        is_encoder = isinstance(config, EncoderConfig)
        block_size = min(config.n_positions // 2 if is_encoder else config.n_positions, 512)
        windows, _ = heldout_windows(heldout, block_size, n_tokens)
        click.echo(f"Comparing graphs on {windows[:, 1:].size:,} tokens", err=True)
        licenses = _data_licenses(model, shards or frozen_corpus_path())
        if is_encoder:
            _export_encoder(model, folder, windows[:, 2:-1], licenses, as_json=as_json)
            return
        exported = export_model(model, folder, windows, data_licenses=licenses)
        if as_json:
            click.echo(json.dumps(asdict(exported), indent=1, default=str))
            return
        for one in exported.measured:
            click.echo(
                f"{one.kind}: {one.n_bytes / 1e6:.1f} MB, same next token {one.top1:.2%}, "
                f"divergence {one.kl:.4f} nats"
            )
        click.echo(f"{folder}: {exported.chosen}")


@train.command()
@click.argument("folder", type=_PATH)
@click.option("--scores", type=_PATH, help="JSON of `starcite eval model`, or of the bench.")
def card(*, folder: Path, scores: Path | None) -> None:
    """Write the model card of the exported FOLDER anew, with scores of these very weights.

    Exit codes: 0 done, 3 it could not be done.

    Example: starcite train card ~/models/tiny --scores eval.json
    """
    with one_line_errors():
        needs_extra()
        from stareencoder.config import EncoderConfig
        from training.checkpoint import read_config
        from training.encoder_card import write_encoder_card
        from training.model_card import write_card

        is_encoder = isinstance(read_config(folder), EncoderConfig)
        click.echo((write_encoder_card if is_encoder else write_card)(folder, scores))


def _export_encoder(
    model: Path, folder: Path, windows: Any, licenses: dict[str, Any], *, as_json: bool
) -> None:
    from training.encoder_export import export_encoder

    measured = export_encoder(model, folder, windows, data_licenses=licenses)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in measured], indent=1))
        return
    for one in measured:
        click.echo(
            f"{one.kind}: {one.n_bytes / 1e6:.1f} MB, cosine to the checkpoint "
            f"{one.mean_cosine:.4f}, at least {one.min_cosine:.4f}"
        )
    click.echo(folder)


def _data_licenses(model: Path, shards: Path) -> dict[str, Any]:
    """Of the shards that a model was trained on; empty where they are others or not at hand."""
    from indexer.curate.shards import is_shards, read_shards, read_shards_manifest
    from training.checkpoint import read_manifest
    from training.model_card import licenses_of

    if not is_shards(shards):
        return {}
    manifest = read_shards_manifest(shards)
    if manifest.corpus_digest != read_manifest(model).get("corpus_digest"):
        return {}

    def files() -> Iterator[SourceFile]:
        for number, file in enumerate(read_shards(shards), start=1):
            progress("Counting licences", number, manifest.n_files)
            yield file

    with bars() as progress:
        return licenses_of(files())


class _Teller:
    """Progress of a run: a line every few seconds, the same on a terminal and in a log."""

    def __init__(self) -> None:
        self._said_at = 0.0

    def tell(self, now: Progress) -> None:
        """Say where the run is, if it is time."""
        if time.monotonic() - self._said_at < _SAID_EVERY_S and now.step < now.n_steps:
            return
        self._said_at = time.monotonic()
        click.echo(
            f"step {now.step:,} of {now.n_steps:,}, {now.tokens / 1e6:.2f} M tokens, loss "
            f"{now.loss:.3f}{_measured(now.measured)}, {now.tokens_per_s:,.0f} tokens/s, "
            f"{duration(now.seconds_left)} left",
            err=True,
        )


_FIGURES = {
    "heldout_bpb": "bits a byte",
    "heldout_mlm": "nats a masked token",
    "heldout_next": "of next segments right",
    "heldout_mrr": "mean reciprocal rank",
}


def _measured(figures: Mapping[str, Any]) -> str:
    """What was measured on held-out text, as a part of a line."""
    known = {key: words for key, words in _FIGURES.items() if figures.get(key) is not None}
    parts = [f"{figures[key]:.3f} {words}" for key, words in known.items()]
    return f", held-out {' and '.join(parts)}" if parts else ""


def _recipe(name: str, tokens: str | None, changes: tuple[str, ...]) -> Recipe:
    overrides = {}
    for change in changes:
        key, _, value = change.partition("=")
        overrides[key] = value
    if tokens:
        overrides["schedule.tokens"] = str(_count(tokens))
    return read_recipe(name, overrides)


def _count(text: str) -> int:
    """The number that "500k", "20M" or "1.5B" stands for."""
    scale = {"k": 1e3, "m": 1e6, "b": 1e9}.get(text[-1:].lower(), 1)
    try:
        return int(float(text[:-1] if scale != 1 else text) * scale)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no number of tokens; write 500k, 20M or 1.5B"
        ) from None


train.add_command(tagger)
