"""`starcite index embed`, and what `build` and `add` take of it: the dense view of an index."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from indexer.config import default_index_path
from indexer.console import bars, now_and_then, one_line_errors
from indexer.embed import EmbedReport, embed_index
from indexer.errors import IndexerError
from indexer.manifest import read_manifest
from indexer.store.dense import has_view, import_faiss

_FOLDER = click.Path(path_type=Path, file_okay=False)


dense_option: Callable[[Any], Any] = click.option(
    "--dense/--no-dense",
    "dense",
    default=None,
    help="Give every segment vectors, too, as `index embed` does; default: if some have them.",
)


@click.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--threads", default=1, type=click.IntRange(1), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def embed(*, folder: Path | None, threads: int, as_json: bool) -> None:
    """Give an index a dense view: vectors by which code in other words is found, as leads.

    Only segments without a view by the installed encoder are encoded. Once an index has vectors,
    `index build` and `index add` bring them along. An interrupted run goes on where it was; until
    the end the index is as it was.
    Needs the extra: pip install "starcite[dense]"
    Exit codes: 0 done, 2 wrong usage, 3 it could not be done, 130 interrupted.

    Example: starcite index embed --threads 2
    """
    with one_line_errors(), bars() as progress:
        report = embed_index(
            (folder or default_index_path()).absolute(),
            threads=threads,
            tell=now_and_then(progress),
        )
    click.echo(json.dumps(_record(report)) if as_json else _line(report))


def wants_vectors(path: Path, dense: bool | None) -> bool:
    """Whether what is written in the place of an index, or into it, gets a dense view.

    Raises:
        IndexBuildError: it is asked for, and FAISS is not installed.
    """
    if dense is not None:
        if dense:
            import_faiss()  # before an hour's work, not after it
        return dense
    try:
        manifest = read_manifest(path)
    except IndexerError:  # none yet
        return False
    return any(has_view(manifest.files, name) for name in manifest.segments)


def embed_too(path: Path) -> dict[str, object]:
    """Embed what `build` or `add` has written; what is printed of it as JSON."""
    with one_line_errors("run `starcite index embed` to go on"), bars() as progress:
        report = embed_index(path, tell=now_and_then(progress))
    return _record(report)


def _record(report: EmbedReport) -> dict[str, object]:
    return {
        "path": str(report.path),
        "generation": report.manifest.generation,
        "n_segments": report.n_segments,
        "n_fragments": report.n_fragments,
        "n_resumed": report.n_resumed,
        "elapsed_s": round(report.elapsed_s, 3),
    }


def _line(report: EmbedReport) -> str:
    if not report.n_segments:
        return f"every segment has a dense view; {report.path} is as it was"
    return (
        f"{report.n_fragments:,} fragments of {report.n_segments} segments in "
        f"{report.elapsed_s:.1f} s; in {report.path}"
    )
