"""`starcite model`: fetch, add, list and verify completion models."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from lsp_server.errors import ModelDamagedError, ModelError, ModelUsageError, StarciteServerError
from lsp_server.model_fetch import fetch_model
from lsp_server.models import (
    FETCHED_MODEL,
    Progress,
    add_model,
    installed_models,
    open_model,
    verify_model,
)
from stareencoder import EncoderError
from stareencoder.shipped import ENCODER, verify_encoder

WRONG_USAGE, COULD_NOT, INTERRUPTED = 2, 3, 130


@click.group()
def model() -> None:
    """Fetch, add, list and verify completion models.

    Example: starcite model fetch
    """


@model.command()
@click.argument("name", default=FETCHED_MODEL)
def fetch(name: str) -> None:
    """Download a model, checked by hash; does nothing where it is there and whole.

    Example: starcite model fetch smollm2-135m
    """
    with _one_line_errors(), _progress_bar(f"Fetching {name}") as progress:
        fetched, is_new = fetch_model(name, progress)
    verb = "fetched" if is_new else "there already"
    click.echo(f"{name}: {verb}, {fetched.manifest.bytes / 1e6:.0f} MB, {fetched.path}")


@model.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What to call it; by default the file's name.")
@click.option("--family", default="", help="How it is prompted; by default read from the file.")
def add(path: Path, name: str, family: str) -> None:
    """Register a GGUF file or a model folder where it lies, so that it can be chosen by name.

    A folder is one that `starcite train export` wrote, or one for transformers (config.json,
    *.safetensors, tokenizer.json), which needs the extra `train`.

    Example: starcite model add ~/models/starcoder2-3b.Q4_K_M.gguf --name starcoder2-3b
    """
    with _one_line_errors():
        manifest = add_model(path, name, family)
    kind = "fills in the middle" if manifest.fim else "reads forwards only"
    click.echo(f"{manifest.name}: added, family {manifest.family} ({kind}), {manifest.file}")


@model.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_models(as_json: bool) -> None:
    """List the models that are there, with what is wrong with the damaged ones.

    Example: starcite model list --json
    """
    rows = [_row(name) for name in installed_models()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']}: {row['error'] or _in_words(row)}")
    if not rows:
        click.echo("no models; run: starcite model fetch", err=True)


@model.command()
@click.argument("name", default="")
def verify(name: str) -> None:
    """Compare the files of one model, or of all, with the sha256 in their manifests.

    All are the completion models and the encoder that comes with the package.

    Example: starcite model verify smollm2-135m
    """
    names = [name] if name else [*installed_models(), ENCODER]
    with _one_line_errors():
        for each in names:
            if each == ENCODER:
                _verify_encoder()
            else:
                with _progress_bar(f"Verifying {each}") as progress:
                    verify_model(open_model(each), progress)
            click.echo(f"{each}: whole")


def _verify_encoder() -> None:
    try:
        verify_encoder()
    except EncoderError as error:
        raise ModelDamagedError(str(error)) from error


def _in_words(row: dict[str, Any]) -> str:
    known = row["corpus_digest"]
    trained = f", trained on corpus {known[:12]}" if known else ""
    size = f"{row['bytes'] / 1e6:.0f} MB"
    return f"{size}, {row['family']}, {row['license']}, {row['source']}{trained}"


def _row(name: str) -> dict[str, Any]:
    try:
        return {**asdict(open_model(name).manifest), "error": ""}
    except ModelError as error:
        return {"name": name, "error": str(error)}


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Print an error as one line on stderr and exit with its documented code."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("interrupted; nothing was left half-written", err=True)
        sys.exit(INTERRUPTED)
    except StarciteServerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(WRONG_USAGE if isinstance(error, ModelUsageError) else COULD_NOT)
    except OSError as error:
        click.echo(f"error: {error}; check the path, its permissions and the disk", err=True)
        sys.exit(COULD_NOT)


@contextmanager
def _progress_bar(label: str) -> Iterator[Progress]:
    """A progress bar on stderr where that is a terminal, else nothing."""
    with click.progressbar(
        length=1000, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        reached = 0

        def advance(done: int, total: int) -> None:
            nonlocal reached
            target = 1000 * done // max(1, total)
            bar.update(target - reached)
            reached = target

        yield advance
