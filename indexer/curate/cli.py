"""`starcite corpus curate`, `stats` and `freeze`: from what was fetched to what is built on."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from indexer.config import default_corpus_path, frozen_corpus_path
from indexer.console import bars, now_and_then, one_line_errors
from indexer.corpus import read_inventory
from indexer.corpus.notebooks import Form
from indexer.curate.config import CurateConfig, read_config
from indexer.curate.curation import Task, curate_corpus
from indexer.curate.frozen import default_digest, differences, dump_frozen, read_frozen
from indexer.curate.frozen import freeze as freeze_manifest
from indexer.curate.redact.tagging import Tagger, installed_tagger_path, open_tagger
from indexer.curate.report import megabytes, step_title, write_report
from indexer.curate.shards import ShardsManifest, is_shards, read_shards_manifest, write_text
from indexer.curate.sources import Sources
from indexer.curate.statistics import CorpusStatistics, count_corpus
from indexer.curate.steps import make_steps
from indexer.source_options import license_option, notebooks_option

FINDINGS = 1
_MOST_ROWS = 10
_PATH = click.Path(path_type=Path)
_BENCHMARK = click.option(
    "--benchmark", "benchmarks", type=_PATH, multiple=True, help="More problems to keep out."
)


@click.command()
@click.option("--from", "sources", type=_PATH, multiple=True, help="Default: the fetched corpus.")
@click.option("--to", "folder", type=_PATH, required=True, help="Where the shards go.")
@click.option("--config", "config_path", type=_PATH, help="A TOML file of other thresholds.")
@click.option("--excluded", type=_PATH, help="List what was dropped, and why, in this file.")
@_BENCHMARK
@click.option("--workers", default=1, type=click.IntRange(1), help="Processes; default 1.")
@click.option(
    "--standard-library",
    default="with",
    type=click.Choice(["with", "without", "only"]),
    help="What of the running Python's own; default: with.",
)
@notebooks_option
@license_option
@click.option("--tagger", help="A tagger's folder, or none; default: the installed one, if any.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def curate(
    *,
    sources: tuple[Path, ...],
    folder: Path,
    config_path: Path | None,
    excluded: Path | None,
    benchmarks: tuple[Path, ...],
    workers: int,
    standard_library: str,
    notebooks: Form,
    stated_license: str,
    tagger: str | None,
    as_json: bool,
) -> None:
    """Filter, check, de-duplicate and redact a corpus; write what stays as shards.

    A run that was killed goes on where it was. Exit codes: 0 done, 2 bad configuration, 3 it could
    not be done, 130 interrupted.

    Example: starcite corpus curate --to ~/corpora/curated --excluded dropped.jsonl
    """
    with one_line_errors(), bars() as progress:
        opened = Sources(
            sources or (default_corpus_path(),),
            standard_library=standard_library != "without",
            packages=standard_library != "only",
            notebooks=notebooks,
            stated_license=stated_license,
        )
        config = read_config(config_path) if config_path else CurateConfig()
        task = Task(
            read=opened.read,
            folder=folder.absolute(),
            config=config,
            excluded=excluded,
            n_files=opened.n_files(),
            n_workers=workers,
            make_steps=partial(
                make_steps,
                benchmarks=(*opened.benchmarks(), *benchmarks),
                tagger=_open_tagger(tagger),
            ),
            skipped=opened.skipped,
        )
        manifest = curate_corpus(task, now_and_then(progress))
    for line in opened.damage():
        click.echo(f"starcite: {line}", err=True)
    click.echo(json.dumps(asdict(manifest)) if as_json else _outcome(manifest, folder))


@click.command()
@click.argument("path", type=_PATH, required=False)
@notebooks_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--html", type=_PATH, help="Write a report with plots to this file.")
def stats(*, path: Path | None, notebooks: Form, as_json: bool, html: Path | None) -> None:
    """Count what a corpus holds: by language, licence, owner, kind, drop reason and twins.

    Example: starcite corpus stats ~/corpora/curated --html report.html
    """
    source = (path or default_corpus_path()).absolute()
    with one_line_errors(), bars() as progress:
        opened = Sources([source], notebooks=notebooks)
        total = opened.n_files()
        shown = now_and_then(progress)
        files = (
            (shown("Counting files", number, total), file)[1]
            for number, file in enumerate(opened.read(), start=1)
        )
        manifest = read_shards_manifest(source) if is_shards(source) else None
        counted = count_corpus(files, manifest)
        if manifest is None:
            counted.skipped = opened.skipped()
        if html:
            write_report(html, f"Corpus {source.name}", counted)
    for line in opened.damage():
        click.echo(f"starcite: {line}", err=True)
    click.echo(json.dumps(counted.record()) if as_json else _describe(counted))


@click.command()
@click.option("--from", "source", type=_PATH, help="A fetched corpus; default: our own.")
@click.option("--to", "folder", type=_PATH, help="Keep the shards here; default: the data folder.")
@_BENCHMARK
@click.option("--check", is_flag=True, help="Rebuild and compare; exit with 1 if anything differs.")
@click.option("--digest", "digest_path", type=_PATH, help="What to compare with; default: our own.")
@click.option("--out", type=_PATH, help="Write the digests to this file.")
def freeze(
    *,
    source: Path | None,
    folder: Path | None,
    benchmarks: tuple[Path, ...],
    check: bool,
    digest_path: Path | None,
    out: Path | None,
) -> None:
    """Curate the locked packages of a corpus, for an index and models to name by one digest.

    The running Python's library differs from machine to machine and is no part of it. With --check
    it is rebuilt from the packages in a temporary folder, and every byte is compared. Exit codes:
    0 done, 1 the rebuilt corpus differs, 3 it could not be done.

    Example: starcite corpus freeze --check
    """
    corpus = (source or default_corpus_path()).absolute()
    with one_line_errors(), bars() as progress, tempfile.TemporaryDirectory() as temporary:
        inventory = read_inventory(corpus)
        opened = Sources([corpus], standard_library=False)
        kept = (folder or frozen_corpus_path()).absolute()
        task = Task(
            read=opened.read,
            folder=Path(temporary, "shards") if check else kept,
            n_files=opened.n_files(),
            make_steps=partial(make_steps, benchmarks=(*opened.benchmarks(), *benchmarks)),
            skipped=opened.skipped,
        )
        expected = read_frozen(digest_path or default_digest()) if check else None
        manifest = curate_corpus(task, now_and_then(progress))
        found = freeze_manifest(manifest, lock_sha256=inventory.lock_sha256)
        if out:
            write_text(out, dump_frozen(found))
    if expected is None:
        click.echo(f"{_outcome(manifest, kept)}\ncorpus digest {found.corpus_digest}")
        return
    lines = list(differences(expected, found))
    for line in lines:
        click.echo(f"starcite: {line}", err=True)
    if lines:
        sys.exit(FINDINGS)
    click.echo(
        f"version {found.version}, {found.n_files:,} files, {megabytes(found.n_bytes)}: "
        f"rebuilt as it was frozen, corpus digest {found.corpus_digest}"
    )


def _open_tagger(asked: str | None) -> Tagger | None:
    """The tagger that was asked for, else the installed one, if there is one."""
    if asked == "none" or (asked is None and not installed_tagger_path().is_dir()):
        return None
    return open_tagger(Path(asked) if asked else installed_tagger_path())


def _outcome(manifest: ShardsManifest, folder: Path) -> str:
    lines = [
        f"{manifest.n_files:,} of {manifest.n_read:,} files stay, {megabytes(manifest.n_bytes)} in "
        f"{len(manifest.shards)} shards with the origins of {manifest.n_twins:,} twins; in {folder}"
    ]
    if manifest.drops:
        lines.append(f"{'step':<14} {'reason':<34} {'files':>9} {'text':>12}")
    lines += [
        f"{step_title(row.step):<14} {row.reason:<34} "
        f"{row.n_files:>9,} {megabytes(row.n_bytes):>12}"
        for row in manifest.drops
    ]
    return "\n".join(lines)


def _describe(counted: CorpusStatistics) -> str:
    lines = [
        f"files      {counted.n_files:,}, {megabytes(counted.n_bytes)} of text",
        f"digest     {counted.corpus_digest}",
        f"twins      {counted.n_exact_twins:,} exact ({counted.exact_share:.2%}), "
        f"{counted.n_near_twins:,} near ({counted.near_share:.2%})",
    ]
    for title, tally in counted.tallies():
        rows = tally.rows()
        shown = [f"{key} {n:,} ({megabytes(size)})" for key, n, size in rows[:_MOST_ROWS]]
        more = [f"{len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []
        lines.append(f"{title:<10} {', '.join([*shown, *more])}")
    lines += [
        f"dropped    {row.n_files:,} {row.reason} ({step_title(row.step)})" for row in counted.drops
    ]
    skipped = sorted(counted.skipped.items(), key=lambda entry: (-entry[1], entry[0]))
    lines += [f"left out   {n_files:,} {reason}" for reason, n_files in skipped]
    return "\n".join(lines)
