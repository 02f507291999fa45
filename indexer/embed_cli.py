"""`starcite index embed`: gives an index its dense view."""

from __future__ import annotations

import json
from pathlib import Path

import click

from indexer.config import default_index_path
from indexer.console import bars, now_and_then, one_line_errors
from indexer.embed import EmbedReport, embed_index

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--threads", default=1, type=click.IntRange(1), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def embed(*, folder: Path | None, threads: int, as_json: bool) -> None:
    """Give an index a dense view: vectors by which code in other words is found, as leads.

    Only segments without a view are encoded, after `index add` the new ones. An interrupted run
    goes on where it was; until the end the index is as it was.
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
