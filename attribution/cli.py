"""`starcite trace`: where does this code come from?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from attribution.errors import AttributionFailure
from attribution.render import Scope, as_json, as_text, printable
from attribution.target import Target, read_target
from attribution.tracer import Tracer
from attribution.types import Trace, Verdict
from indexer import IndexerError

EXIT_MATCH = 1
EXIT_BAD_INPUT = 2
EXIT_COULD_NOT = 3
EXIT_INTERRUPTED = 130


@click.command(
    epilog="Exit codes: 0 looked; 1 a match was found and --fail-on-match given; 2 wrong usage or "
    "a file that cannot be read; 3 could not look (no index, a damaged one); 130 interrupted."
)
@click.argument("targets", metavar="FILE[:A-B]...", nargs=-1, required=True)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path),
    help="The folder of the index; by default the one that `starcite index build` writes.",
)
@click.option("--language", help="The language; by default told by the file's name, python for -.")
@click.option("--json", "as_json_", is_flag=True, help="Print JSON: lines from 0, half-open.")
@click.option("--explain", is_flag=True, help="Print why each match is what it is, as a tree.")
@click.option("--leads", is_flag=True, help="List files worth a look, of which nothing is claimed.")
@click.option(
    "--fail-on-match", is_flag=True, help="Exit with 1 if anything but common code is found."
)
def trace(
    *,
    targets: tuple[str, ...],
    index_path: Path | None,
    language: str | None,
    as_json_: bool,
    explain: bool,
    leads: bool,
    fail_on_match: bool,
) -> None:
    """Say which indexed packages hold this code: file, lines, licence.

    FILE may name lines, counting from 1 and inclusive; - is standard input.

    Example: starcite trace src/app.py:10-40
    """
    try:
        results, scope = _traced(_read_all(targets, language), index_path, leads=leads)
    except KeyboardInterrupt:
        sys.exit(_complain("interrupted", EXIT_INTERRUPTED))
    except IndexerError as error:
        sys.exit(_complain(str(error), EXIT_COULD_NOT))
    _print(results, scope, json_wanted=as_json_, explain=explain)
    sys.exit(_exit_code([one for _, one in results], fail_on_match=fail_on_match))


def _traced(
    queries: list[Target], index_path: Path | None, *, leads: bool
) -> tuple[list[tuple[Target, Trace]], Scope]:
    tracer = Tracer.open(index_path)
    try:
        results = [
            (one, tracer.trace(one.text, language=one.language, with_leads=leads))
            for one in queries
        ]
        n_documents = tracer.index.manifest.n_live
        return results, Scope(n_documents=n_documents, min_lexemes=tracer.config.min_lexemes)
    finally:
        tracer.close()


def _read_all(arguments: tuple[str, ...], language: str | None) -> list[Target]:
    """Read every target before the index is opened, so that no bad name costs a look-up."""
    queries, complaints = [], []
    for argument in arguments:
        try:
            queries.append(read_target(argument, language=language))
        except AttributionFailure as error:
            complaints.append(str(error))
    for complaint in complaints:
        _complain(complaint, EXIT_BAD_INPUT)
    if complaints:
        sys.exit(EXIT_BAD_INPUT)
    return queries


def _print(
    results: list[tuple[Target, Trace]], scope: Scope, *, json_wanted: bool, explain: bool
) -> None:
    if json_wanted:
        click.echo(json.dumps(as_json(results, scope), indent=2))
    for target, found in results:
        if not json_wanted:
            for line in as_text(target, found, scope, explain=explain):
                click.echo(line)
        if found.verdict is Verdict.UNKNOWN:
            _complain(f"{target.name}: {found.reason}", EXIT_COULD_NOT)


def _exit_code(traces: list[Trace], *, fail_on_match: bool) -> int:
    verdicts = {one.verdict for one in traces}
    if Verdict.UNKNOWN in verdicts:
        return EXIT_COULD_NOT
    return EXIT_MATCH if fail_on_match and any(one.alarms for one in traces) else 0


def _complain(message: str, code: int) -> int:
    click.echo(f"starcite trace: {printable(message)}", err=True)
    return code
