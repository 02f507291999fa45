"""`starcite index add`, `compact` and `merge`: an index changes without being built anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from indexer.add import AddReport, add_segment
from indexer.compact import CompactReport, compact_index
from indexer.config import default_index_path
from indexer.console import Bar, one_line_errors, step_of
from indexer.corpus.notebooks import Form
from indexer.curate.shards import is_shards, read_shards_manifest
from indexer.curate.sources import Sources
from indexer.embed_cli import dense_option, embed_too, wants_vectors
from indexer.manifest import Manifest, read_manifest
from indexer.optout.ledger_filter import without_forgotten
from indexer.source_options import license_option, notebooks_option

_FOLDER = click.Path(path_type=Path, file_okay=False)
_ANY = click.Path(path_type=Path)


@click.command()
@click.argument("paths", type=_ANY, nargs=-1, required=True, metavar="PATH...")
@click.option("--to", "folder", type=_FOLDER, help="The index; default: where queries look.")
@notebooks_option
@license_option
@dense_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def add(
    *,
    paths: tuple[Path, ...],
    folder: Path | None,
    notebooks: Form,
    stated_license: str,
    dense: bool | None,
    as_json: bool,
) -> None:
    """Add what PATHs hold to an index, as one more segment: corpora, shards, checkouts, data sets.

    Texts that the index holds are not stored twice. Whoever has the index open goes on reading it;
    an interrupted run changes nothing.
    Exit codes: 0 added, 2 wrong usage, 3 it could not be added, 130 interrupted.

    Example: starcite index add ~/corpora/more --to ~/indexes/mine
    """
    target = (folder or default_index_path()).absolute()
    opted_out: list[str] = []
    with one_line_errors("nothing was changed"):
        is_dense = wants_vectors(target, dense)
        sources = Sources(
            [path.absolute() for path in paths],
            notebooks=notebooks,
            stated_license=stated_license,
        )
        files = without_forgotten(sources.read(), on_drop=lambda _, why: opted_out.append(why))
        with Bar("index add", sources.n_bytes()) as bar:
            report = add_segment(
                files,
                target,
                corpus=_corpus_of(paths),
                progress=lambda now: bar.show(now.n_bytes, step_of(now)),
            )
    for line in sources.damage():
        click.echo(f"starcite: {line}", err=True)
    embedded = embed_too(target) if is_dense else None
    left_out = {"n_opted_out": len(opted_out), "skipped": dict(sources.skipped())}
    if as_json:
        click.echo(json.dumps({**_added_record(report), **left_out, "dense": embedded}))
        return
    click.echo(_added_line(report))
    if opted_out or sources.skipped():
        reasons = [f"{n:,} {reason}" for reason, n in sorted(sources.skipped().items())]
        reasons += [f"{len(opted_out):,} opted out"] if opted_out else []
        click.echo(f"left out: {', '.join(reasons)}", err=True)


@click.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def compact(*, folder: Path | None, as_json: bool) -> None:
    """Remove forgotten documents from the disk and join small segments.

    Only segments that need it are rewritten. Whoever has the index open goes on reading it; an
    interrupted run changes nothing.
    Exit codes: 0 done, 2 wrong usage, 3 it could not be done, 130 interrupted.

    Example: starcite index compact
    """
    _compact(folder, join_all=False, as_json=as_json)


@click.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def merge(*, folder: Path | None, as_json: bool) -> None:
    """Rewrite all segments as one, or as few as hold the text; forgotten documents are removed.

    What comes out is what a build of the same documents in the same order gives.
    Exit codes: 0 done, 2 wrong usage, 3 it could not be done, 130 interrupted.

    Example: starcite index merge ~/indexes/mine
    """
    _compact(folder, join_all=True, as_json=as_json)


COMMANDS = (add, compact, merge)


def _compact(folder: Path | None, *, join_all: bool, as_json: bool) -> None:
    target = (folder or default_index_path()).absolute()
    with one_line_errors("nothing was changed"):
        n_bytes = read_manifest(target).n_bytes
        with Bar("index merge" if join_all else "index compact", n_bytes) as bar:
            report = compact_index(
                target,
                join_all=join_all,
                progress=lambda now: bar.show(now.n_bytes, step_of(now)),
            )
    click.echo(json.dumps(_compacted_record(report)) if as_json else _compacted_line(report))


def _corpus_of(paths: Sequence[Path]) -> str:
    """The digest of shards, where they are all that is added."""
    is_one = len(paths) == 1 and is_shards(paths[0])
    return read_shards_manifest(paths[0]).corpus_digest if is_one else ""


def _added_line(report: AddReport) -> str:
    if report.manifest.segments and not report.n_new and not report.n_restated:
        return f"nothing new in {report.n_files:,} files; {report.path} is as it was"
    megabytes = report.n_bytes / 1e6
    return (
        f"{report.n_new:,} new documents, {report.n_restated:,} known ones in new places, "
        f"{megabytes:.1f} MB of text in {report.elapsed_s:.1f} s "
        f"({megabytes / report.elapsed_s:.1f} MB/s); {_state(report.manifest)}; in {report.path}"
    )


def _compacted_line(report: CompactReport) -> str:
    if not report.n_rewritten:
        return f"nothing to do; {_state(report.manifest)}; in {report.path}"
    return (
        f"{report.n_rewritten:,} segments rewritten, {report.n_removed:,} documents removed, "
        f"{report.n_bytes / 1e6:.1f} MB of text in {report.elapsed_s:.1f} s; "
        f"{_state(report.manifest)}; in {report.path}"
    )


def _state(manifest: Manifest) -> str:
    return f"{len(manifest.segments)} segments, {manifest.n_live:,} documents"


def _added_record(report: AddReport) -> dict[str, Any]:
    return {
        **_state_record(report.path, report.manifest),
        "n_files": report.n_files,
        "n_new": report.n_new,
        "n_restated": report.n_restated,
        "n_blank": report.n_blank,
        "n_bytes_written": report.n_bytes,
        "elapsed_s": round(report.elapsed_s, 3),
    }


def _compacted_record(report: CompactReport) -> dict[str, Any]:
    return {
        **_state_record(report.path, report.manifest),
        "n_removed": report.n_removed,
        "n_segments_rewritten": report.n_rewritten,
        "n_bytes_written": report.n_bytes,
        "elapsed_s": round(report.elapsed_s, 3),
    }


def _state_record(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "path": str(path),
        "generation": manifest.generation,
        "corpus_digest": manifest.corpus_digest,
        "content_digest": manifest.content_digest,
        "n_segments": len(manifest.segments),
        "n_documents": manifest.n_live,
        "n_tombstones": manifest.n_tombstones,
    }
