"""`starcite elastic`: an index in Elasticsearch, filled from embedded ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from indexer.config import ELASTIC_NAME, default_index_path
from indexer.console import Bar, one_line_errors
from indexer.elastic.errors import asking
from indexer.elastic.forget import find_all, forget, requests_of_ledger
from indexer.elastic.index import ElasticIndex
from indexer.elastic.push import PushReport, PushSetting, push
from indexer.elastic.server import Server, connect
from indexer.index import Index
from indexer.optout.cli import selecting, selector_of_options
from indexer.optout.errors import SelectorError
from indexer.optout.resolve import tally

_FOLDER = click.Path(path_type=Path, file_okay=False)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _of_server(command: _Command) -> _Command:
    url = click.option(
        "--url", "urls", multiple=True, default=("http://127.0.0.1:9200",), show_default=True,
        help="A node's address; repeat it for further nodes, which are asked if one is gone.",
    )  # fmt: skip
    name = click.option(
        "--name", default=ELASTIC_NAME, show_default=True, help="The index's alias."
    )
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
    return url(name(as_json(command)))


@click.group()
def elastic() -> None:
    """Keep an index in Elasticsearch 8, for what one machine cannot hold.

    A login comes from STARCITE_ELASTICSEARCH_LOGIN (NAME:PASSWORD), or from the file that
    STARCITE_ELASTICSEARCH_LOGIN_FILE names; certificates are checked with the file that
    STARCITE_ELASTICSEARCH_CA names. Trace by it with: starcite trace --elasticsearch URL FILE

    Example: starcite elastic push --url http://127.0.0.1:9200
    """


@elastic.command("push")
@_of_server
@click.option("--index", "index_path", type=_FOLDER,
              help="The embedded index; default: where queries look.")  # fmt: skip
@click.option("--add", "adds", is_flag=True,
              help="Add to what is there; documents that it has are left alone.")  # fmt: skip
@click.option("--shards", "n_shards", type=click.IntRange(1, 1024), default=1, show_default=True,
              help="Of a new index: at most 35 GB each is a good size.")  # fmt: skip
@click.option("--replicas", "n_replicas", type=click.IntRange(0, 10),
              help="Copies of each shard; by default 1 if there are several nodes.")  # fmt: skip
@click.option("--patience", "patience_s", type=click.FloatRange(0, 86_400), default=120.0,
              show_default=True, help="Seconds to wait for a cluster that takes nothing: busy, "
              "full or restarting.")  # fmt: skip
def push_command(
    *,
    urls: Sequence[str],
    name: str,
    as_json: bool,
    index_path: Path | None,
    adds: bool,
    n_shards: int,
    n_replicas: int | None,
    patience_s: float,
) -> None:
    """Bring what an embedded index holds into Elasticsearch.

    Without --add a new index is filled and takes the place of the old one in one step, when all of
    it is there; an interrupted or failed run leaves the old one. With --add, from as many machines
    at once as there are parts, documents are visible as they come; what was interrupted is run
    again. What the ledger of opt-outs keeps out is not pushed.
    Exit codes: 0 pushed, 2 wrong usage, 3 it could not be pushed, 130 interrupted.

    Example: starcite elastic push --url http://127.0.0.1:9200 --index ~/indexes/mine
    """
    setting = PushSetting(
        n_shards=n_shards, n_replicas=n_replicas, adds=adds, patience_s=patience_s
    )
    path = (index_path or default_index_path()).absolute()
    with (
        one_line_errors("the index that was there is as it was; run the same command again"),
        closing(connect(urls, name=name)) as server,
        Index.open(path) as source,
        Bar("elastic push", source.manifest.n_bytes) as bar,
    ):
        report = push(
            source,
            server,
            setting,
            progress=lambda now: bar.show(now.n_bytes, f"{now.n_documents:,} documents"),
        )
    click.echo(json.dumps(_as_record(report)) if as_json else _as_line(report))


@elastic.command()
@_of_server
def status(*, urls: Sequence[str], name: str, as_json: bool) -> None:
    """Say whether a cluster answers, of which version it is, and what index it has.

    Exit codes: 0 an index answers, 2 wrong usage, 3 the cluster or the index cannot be asked.

    Example: starcite elastic status --json
    """
    with one_line_errors(), closing(connect(urls, name=name)) as server:
        index = ElasticIndex(server)
        record = {
            "version": server.version,
            "n_nodes": server.n_nodes,
            **_sizes(server, index.name),
        }
        record |= asdict(index.manifest)
    if as_json:
        click.echo(json.dumps(record))
        return
    click.echo(
        f"Elasticsearch {record['version']}, {record['n_nodes']} data nodes, {record['health']}: "
        f"{record['index']} has {record['n_documents']:,} documents in {record['n_shards']} "
        f"shards, {record['stored_bytes'] / 1e6:.1f} MB; corpus {record['corpus_digest']}"
    )


@elastic.command("forget")
@_of_server
@selecting
@click.option("--ledger", "of_ledger", is_flag=True,
              help="Take out what the ledger of opt-outs keeps out, and nothing else.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_command(
    *,
    urls: Sequence[str],
    name: str,
    as_json: bool,
    of_ledger: bool,
    dry_run: bool,
    yes: bool,
    **asked: tuple[str, ...],
) -> None:
    """Take somebody out of an index in Elasticsearch; no search shows it when this ends.

    The ledger and the signed receipt are those of `starcite index forget`, which takes it out of
    the embedded index: run that first, then this with --ledger, so that no later push brings it
    back.
    Exit codes: 0 done, or nothing to do; 1 not confirmed; 2 wrong usage; 3 it could not be done.

    Example: starcite elastic forget --ledger --yes
    """
    with one_line_errors("what was deleted is gone; run the same command again to go on"):
        if of_ledger and any(asked.values()):
            raise SelectorError("--ledger takes each request as it was asked: say nothing else")
        selectors = requests_of_ledger() if of_ledger else (selector_of_options(asked),)
        with closing(connect(urls, name=name)) as server:
            index = ElasticIndex(server)
            found = find_all(index, selectors)
            if found and not dry_run:
                question = f"Delete these {len(found):,} documents from {index.name}?"
                if not yes and not click.confirm(question, err=True):
                    raise click.exceptions.Exit(1)
                forget(server, index, found)
    n_gone = 0 if dry_run else len(found)
    if as_json:
        click.echo(json.dumps({"n_found": len(found), "n_removed": n_gone, **asdict(tally(found))}))
    else:
        click.echo(f"{len(found):,} documents found, {n_gone:,} taken out of {index.name}")


def _sizes(server: Server, index: str) -> dict[str, Any]:
    with asking(server.where):
        health = server.client.cluster.health(index=index)
        stats = server.client.indices.stats(index=index, metric="store")
    return {
        "index": index,
        "health": str(health["status"]),
        "n_shards": int(health["active_primary_shards"]),
        "stored_bytes": int(stats["_all"]["primaries"]["store"]["size_in_bytes"]),
    }


def _as_record(report: PushReport) -> dict[str, Any]:
    return {
        **asdict(report),
        "size_ratio": round(report.stored_bytes / max(report.n_bytes, 1), 4),
        "mb_per_s": round(report.n_bytes / 1e6 / max(report.elapsed_s, 1e-9), 3),
    }


def _as_line(report: PushReport) -> str:
    told = _as_record(report)
    left_out = "".join(
        f"; {n:,} {why}"
        for n, why in (
            (report.n_known, "were there already"),
            (report.n_opted_out, "opted out"),
            (report.n_unstorable, "hold characters that cannot be stored"),
        )
        if n
    )
    return (
        f"{report.n_documents:,} documents, {report.n_bytes / 1e6:.1f} MB of text in "
        f"{report.elapsed_s:.1f} s ({told['mb_per_s']:.1f} MB/s) into {report.index}, "
        f"{report.stored_bytes / 1e6:.1f} MB there{left_out}"
    )
