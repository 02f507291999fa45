"""`starcite index`: build, verify and inspect the attribution index; its other commands beside."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from indexer.build import BuildReport, Part, build_segments
from indexer.config import default_corpus_path, default_index_path
from indexer.console import FAILED, Bar, bars, now_and_then, one_line_errors, step_of
from indexer.corpus.notebooks import Form
from indexer.curate.default import curate_default
from indexer.curate.report import write_report
from indexer.curate.shards import is_shards, read_shards_manifest
from indexer.curate.sources import Sources
from indexer.curate.statistics import count_documents
from indexer.embed_cli import dense_option, embed, embed_too, wants_vectors
from indexer.index import Index
from indexer.manifest import Manifest, read_manifest
from indexer.optout.cli import COMMANDS as OPTOUT_COMMANDS
from indexer.optout.ledger_filter import without_forgotten
from indexer.segment_cli import COMMANDS as SEGMENT_COMMANDS
from indexer.source_options import license_option, notebooks_option
from indexer.store.dense import has_view
from indexer.summary import Summary, summarise
from indexer.verify import verify_index

_FOLDER = click.Path(path_type=Path, file_okay=False)
_MOST_OWNERS = 10
_PATH = click.Path(path_type=Path)
_CORPUS_HELP = "A corpus, shards, a checkout, *.jsonl.zst or *.parquet; default: see above."


@click.group()
def index() -> None:
    """Build, extend and verify the attribution index.

    Example: starcite index build
    """


for _command in (*SEGMENT_COMMANDS, embed, *OPTOUT_COMMANDS):
    index.add_command(_command)


@index.command()
@click.option("--corpus", "sources", type=_PATH, multiple=True, help=_CORPUS_HELP)
@click.option("--out", type=_FOLDER, help="The index's folder; default: where queries look.")
@notebooks_option
@license_option
@dense_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def build(
    *,
    sources: tuple[Path, ...],
    out: Path | None,
    notebooks: Form,
    stated_license: str,
    dense: bool | None,
    as_json: bool,
) -> None:
    """Build the index of one or several corpora, in place of the one that is there.

    By default the packages that were fetched are curated first, into the frozen corpus, and the
    running Python's library is curated into a segment beside them; each segment names its corpus.
    What was curated stays, so that an interrupted build goes on from there.

    The old index is used until the new one is complete; an interrupted build changes nothing.
    Exit codes: 0 built, 2 wrong usage, 3 it could not be built, 130 interrupted.

    Example: starcite index build --corpus ~/corpora/mine --out ~/indexes/mine
    """
    if not sources and (notebooks != "script" or stated_license):
        raise click.UsageError("--notebooks and --license say how to read a --corpus; give one")
    with one_line_errors("the index is as it was; run the same command again to go on"):
        target = (out or default_index_path()).absolute()
        is_dense = wants_vectors(target, dense)
        paths = [source.absolute() for source in sources]
        if not paths:
            with bars() as progress:
                paths = curate_default(default_corpus_path(), now_and_then(progress))
        open_some = partial(Sources, notebooks=notebooks, stated_license=stated_license)
        parts = [(digest, open_some(list(some))) for digest, some in groupby(paths, key=_corpus_of)]
        with Bar("index build", sum(part.n_bytes() for _, part in parts)) as bar:
            report = build_segments(
                [
                    Part(files=without_forgotten(part.read()), corpus=digest)
                    for digest, part in parts
                ],
                target,
                progress=lambda now: bar.show(now.n_bytes, step_of(now)),
            )
    for line in [line for _, part in parts for line in part.damage()]:
        click.echo(f"starcite: {line}", err=True)
    embedded = embed_too(target) if is_dense else None
    record = {**_as_record(report), "dense": embedded}
    click.echo(json.dumps(record) if as_json else _as_line(report))


@index.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def verify(*, folder: Path | None, as_json: bool) -> None:
    """Re-check every byte of an index against its manifest.

    Exit codes: 0 every file is what was written, 2 wrong usage, 3 the index is missing or damaged.

    Example: starcite index verify
    """
    path = (folder or default_index_path()).absolute()
    with one_line_errors("nothing was changed"):
        manifest = read_manifest(path)
        damaged: dict[str, str] = {}
        n_checked = 0
        with Bar("index verify", manifest.index_bytes) as bar:
            for check in verify_index(path):
                n_checked += check.n_bytes
                bar.show(n_checked, "checking")
                if check.problem:
                    damaged[check.name] = check.problem
    if as_json:
        click.echo(
            json.dumps({"path": str(path), "files": len(manifest.files), "damaged": damaged})
        )
    for name, problem in damaged.items():
        click.echo(f"starcite: {path / name} is damaged: {problem}", err=True)
    if damaged:
        click.echo("starcite: the index is damaged; run: starcite index build", err=True)
        sys.exit(FAILED)
    if not as_json:
        megabytes = manifest.index_bytes / 1e6
        click.echo(f"{len(manifest.files)} files, {megabytes:.1f} MB: all as they were written")


@index.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--html", type=_PATH, help="Write a report with plots to this file.")
def inspect(*, folder: Path | None, as_json: bool, html: Path | None) -> None:
    """Say what an index holds: documents, packages, licences, owners, sizes.

    Example: starcite index inspect --json
    """
    path = (folder or default_index_path()).absolute()
    with one_line_errors("nothing was changed"), Index.open(path) as opened:
        manifest, summary = opened.manifest, summarise(opened)
        if html:
            documents = map(opened.document, opened.live_document_ids())
            counted = count_documents(documents, manifest.corpus_digest)
            write_report(html, f"Index {path.name}", counted)
    if as_json:
        record = {"path": str(path), "manifest": asdict(manifest), "summary": asdict(summary)}
        click.echo(json.dumps(record))
    else:
        click.echo(_describe(path, manifest, summary))


def _corpus_of(path: Path) -> str:
    """The digest of shards; nothing else is a corpus that a model can name."""
    return read_shards_manifest(path).corpus_digest if is_shards(path) else ""


def _as_line(report: BuildReport) -> str:
    megabytes = report.manifest.n_bytes / 1e6
    return (
        f"{report.manifest.n_documents:,} documents, {megabytes:.1f} MB of text in "
        f"{report.elapsed_s:.1f} s ({megabytes / report.elapsed_s:.1f} MB/s), index "
        f"{report.size_ratio:.2f} x the text; {report.n_twins:,} exact twins merged; "
        f"in {report.path}"
    )


def _as_record(report: BuildReport) -> dict[str, Any]:
    return {
        "path": str(report.path),
        "corpus_digest": report.manifest.corpus_digest,
        "corpora": dict(zip(report.manifest.segments, report.manifest.corpora, strict=False)),
        "content_digest": report.manifest.content_digest,
        "n_documents": report.manifest.n_documents,
        "n_origins": report.manifest.n_origins,
        "n_twins": report.n_twins,
        "n_blank": report.n_blank,
        "n_bytes": report.manifest.n_bytes,
        "index_bytes": report.manifest.index_bytes,
        "size_ratio": round(report.size_ratio, 4),
        "elapsed_s": round(report.elapsed_s, 3),
        "mb_per_s": round(report.manifest.n_bytes / 1e6 / report.elapsed_s, 3),
    }


def _describe(path: Path, manifest: Manifest, summary: Summary) -> str:
    size = manifest.index_bytes
    ratio = size / max(manifest.n_bytes, 1)
    parts = ", ".join(f"{part} {n / max(size, 1):.0%}" for part, n in summary.bytes_by_part.items())
    licenses = ", ".join(f"{name} {n:,}" for name, n in summary.files_by_license.items())
    languages = ", ".join(f"{name} {n:,}" for name, n in summary.documents_by_language.items())
    rows = {
        "index": f"{path} (format {manifest.format}, built by {manifest.built_by})",
        "corpus": manifest.corpus_digest,
        **({"made of": ", ".join(filter(None, manifest.corpora))} if manifest.corpora else {}),
        "documents": f"{manifest.n_live:,} ({languages}); "
        f"{summary.n_with_twins:,} found in several places",
        "segments": f"{len(manifest.segments)}, generation {manifest.generation}; "
        f"{manifest.n_tombstones:,} forgotten documents not rewritten yet",
        "packages": f"{summary.n_packages:,}, {manifest.n_origins:,} files",
        "licences": licenses,
        "owners": _largest(summary.files_by_owner),
        "text": f"{manifest.n_bytes / 1e6:.1f} MB",
        "dense": _dense(manifest),
        "on disk": f"{size / 1e6:.1f} MB, {ratio:.2f} x the text ({parts})",
    }
    return "\n".join(f"{name:<10} {value}" for name, value in rows.items())


def _dense(manifest: Manifest) -> str:
    n_views = sum(has_view(manifest.files, name) for name in manifest.segments)
    if n_views == len(manifest.segments):
        return "every segment has vectors"
    return f"{n_views} of {len(manifest.segments)} segments have vectors; run: starcite index embed"


def _largest(counts: dict[str, int]) -> str:
    """The largest few of many counts, which come in order."""
    shown = [f"{name} {n:,}" for name, n in list(counts.items())[:_MOST_OWNERS]]
    rest = len(counts) - len(shown)
    return ", ".join([*shown, *([f"{rest:,} more"] if rest else [])])
