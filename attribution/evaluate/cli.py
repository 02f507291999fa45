"""`starcite eval attribution`: how good is attribution, class by class?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from attribution.errors import AttributionFailure
from attribution.evaluate import protocol, report
from attribution.evaluate.queries import CLASSES
from attribution.tracer import Tracer
from indexer import data_home
from indexer.console import bars, one_line_errors

EXIT_BAD_INPUT = 2
READER = "starcite.read_corpus"  # how the front door lends a reader; no query reads a corpus


@click.command(
    epilog="Exit codes: 0 measured; 2 wrong usage, or results of another run in --out; 3 could not "
    "(no index, no held-out packages); 130 interrupted: the same command goes on from there."
)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path),
    help="The folder of the index; by default the one that `starcite index build` writes.",
)
@click.option(
    "--heldout",
    type=click.Path(path_type=Path),
    help="A fetched corpus that is not in the index; by default corpus/heldout of the data folder.",
)
@click.option("--seed", default=2, show_default=True, help="What the windows are drawn from.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="Queries of each class and size.",
)
@click.option(
    "--split",
    type=click.Choice(["all", "dev", "test"]),
    default="all",
    show_default=True,
    help="Cut windows from one half of the owners: thresholds are chosen on dev.",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    type=click.Choice([one.name for one in CLASSES]),
    help="Measure this class only; may be given more than once.",
)
@click.option(
    "--system",
    "systems",
    multiple=True,
    type=click.Choice(list(protocol.SYSTEMS)),
    help="Ask this system only; may be given more than once.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Where the judged answers are kept; by default eval/attribution of the data folder.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
@click.pass_context
def attribution(
    context: click.Context,
    *,
    index_path: Path | None,
    heldout: Path | None,
    seed: int,
    sample: int,
    split: str,
    classes: tuple[str, ...],
    systems: tuple[str, ...],
    out: Path | None,
    as_json_: bool,
) -> None:
    """Measure attribution on code that was copied, changed, or never seen, beside baselines.

    Windows of indexed files are changed in known ways and traced; windows of held-out packages
    must stay silent. Every claim on those is printed for inspection.

    Example: starcite eval attribution --sample 20 --class verbatim --class unseen
    """
    plan = protocol.Plan(
        seed=seed,
        sample=sample,
        split=split,
        classes=classes or tuple(one.name for one in CLASSES),
        systems=systems or tuple(protocol.SYSTEMS),
    )
    with one_line_errors(), bars() as progress:
        unseen = _unseen(context, plan, heldout)
        tracer = Tracer.open(index_path)
        try:
            run = f"seed-{seed}-{split}-{protocol.code_digest()[:12]}"
            folder = out or data_home() / "eval" / "attribution" / run
            records = protocol.evaluate(tracer, unseen, plan, folder, progress)
            index = _about(tracer)
        except AttributionFailure as error:
            click.echo(f"starcite eval attribution: {error}", err=True)
            sys.exit(EXIT_BAD_INPUT)
        finally:
            tracer.close()
    if as_json_:
        click.echo(json.dumps(report.as_json(records, plan, index), indent=1))
        return
    for line in report.as_text(records, plan):
        click.echo(line)


def _unseen(context: click.Context, plan: protocol.Plan, heldout: Path | None) -> Any:
    if "unseen" not in plan.classes:
        return ()
    read = (context.find_object(dict) or {})[READER]
    return read(heldout or data_home() / "corpus" / "heldout")


def _about(tracer: Tracer) -> dict[str, Any]:
    manifest = tracer.index.manifest
    return {
        "corpus_digest": manifest.corpus_digest,
        "n_documents": manifest.n_live,
        "n_bytes": manifest.n_bytes,
        "index_bytes": manifest.index_bytes,
    }
