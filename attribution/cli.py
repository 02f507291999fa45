"""`starcite trace`: where does this code come from, and what does the team's policy say of it?

Options → what to trace (`gather`) → outcomes (`look`) → a report (`forms`) → an exit code.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from attribution import exit_code, forms
from attribution.errors import AttributionFailure, LookError
from attribution.exit_code import Tally
from attribution.gather import Changed, gather
from attribution.git_diff import changed_lines, touches
from attribution.look import look
from attribution.outcomes import Looked, Outcome
from attribution.output import opened, progress
from attribution.reporting import Context, no_policy, printable, shifted
from attribution.team_policy import judge_in
from attribution.trace_json import schema_text
from attribution.tracer import Tracer
from attribution.types import Verdict
from indexer import IndexerError
from indexer.config import ELASTIC_NAME

_FILE = click.Path(path_type=Path, dir_okay=False)


def _print_schema(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        click.echo(schema_text(), nl=False)
        context.exit()


@click.command(
    epilog="Exit codes: 0 looked; 1 a match was found and --fail-on-match given; 2 wrong usage or "
    "a named file that cannot be read; 3 could not look (no index, a damaged one, text in a folder "
    "that cannot be read); 4 the policy asks; 5 the policy blocks; 130 interrupted."
)
@click.argument("targets", metavar="[FILE[:A-B]|DIR]...", nargs=-1)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path),
    help="The folder of the index; by default the one that `starcite index build` writes.",
)
@click.option(
    "--elasticsearch",
    "urls",
    metavar="URL",
    multiple=True,
    help="Trace by the index in this cluster instead; repeat it for further nodes. What "
    "`starcite elastic` says of logins holds here, too.",
)
@click.option("--elasticsearch-name", "alias", default=ELASTIC_NAME, show_default=True,
              help="The index's alias there.")  # fmt: skip
@click.option("--language", help="The language; by default told by the file's name, python for -.")
@click.option(
    "--diff",
    "revision",
    metavar="REV",
    help="Judge only lines added or changed since REV; REV... is where this branch left REV. "
    "Without FILE: every changed file.",
)
@click.option(
    "--exclude",
    "excluded",
    metavar="PATTERN",
    multiple=True,
    help="What of a DIR to leave out, as a line of a .gitignore; may be repeated.",
)
@click.option(
    "--jobs",
    "n_jobs",
    type=click.IntRange(1, 256),
    help="Processes to trace many files in; by default one for each processor.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(forms.NAMES),
    default="text",
    show_default=True,
    help="JSON counts lines from 0, half-open; jsonl is a document a line, for many files; "
    "SARIF 2.1.0 is for code hosts; spdx (2.3) and cyclonedx (1.6) are bills of materials; header "
    "is a comment for the top of each file.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option(
    "--schema", is_flag=True, is_eager=True, expose_value=False, callback=_print_schema,
    help="Print the schema of the JSON and exit.",
)  # fmt: skip
@click.option("--output", type=_FILE, help="Write to a file.")
@click.option(
    "--policy",
    "policy_path",
    type=_FILE,
    help="The licence policy; by default the starcite.toml of the repository, if it has one.",
)
@click.option("--no-policy", "ignores_policy", is_flag=True, help="Look for no policy.")
@click.option("--dry-run", is_flag=True, help="Show what the policy says, but do not exit by it.")
@click.option("--explain", is_flag=True, help="Print why each match is what it is, as a tree.")
@click.option("--leads", is_flag=True, help="List files worth a look, of which nothing is claimed.")
@click.option(
    "--fail-on-match", is_flag=True, help="Exit with 1 if anything but common code is found."
)
def trace(*, targets: tuple[str, ...], revision: str | None, **options: Any) -> None:
    """Say which indexed packages hold this code: file, lines, licence.

    FILE may name lines, counting from 1 and inclusive; - is standard input. Of a DIR, git says
    which files count; elsewhere its .gitignore files do.

    Example: starcite trace src/app.py:10-40
    """
    if not targets and revision is None:
        raise click.UsageError("name a file to trace, - for standard input, or --diff REV")
    try:
        code = _run(targets, revision, **options)
    except KeyboardInterrupt:
        code = _complain("interrupted", exit_code.INTERRUPTED)
    except (IndexerError, LookError) as error:
        code = _complain(str(error), exit_code.COULD_NOT)
    except AttributionFailure as error:
        code = _complain(str(error), exit_code.BAD_INPUT)
    sys.exit(code)


def _run(
    targets: tuple[str, ...],
    revision: str | None,
    *,
    index_path: Path | None,
    urls: tuple[str, ...],
    alias: str,
    language: str | None,
    excluded: tuple[str, ...],
    n_jobs: int | None,
    form: str,
    output: Path | None,
    policy_path: Path | None,
    ignores_policy: bool,
    dry_run: bool,
    explain: bool,
    leads: bool,
    fail_on_match: bool,
) -> int:
    judge = no_policy if ignores_policy else judge_in(Path.cwd(), policy_path)
    changed = None if revision is None else changed_lines(revision, folder=Path.cwd())
    complaints: list[str] = []
    items = gather(
        targets, language=language, excluded=excluded, changed=changed, complain=complaints.append
    )
    for complaint in complaints:
        _complain(complaint, exit_code.BAD_INPUT)
    if complaints:
        return exit_code.BAD_INPUT
    tally = Tally()
    with opened(output) as file, contextlib.closing(_tracer(index_path, urls, alias)) as tracer:
        context = Context(
            n_documents=tracer.index.manifest.n_live,
            min_lexemes=tracer.config.min_lexemes,
            corpus_digest=tracer.index.manifest.corpus_digest,
            version=version("starcite"),
            judge=judge,
            explain=explain,
        )
        n_processes = 1 if urls else n_jobs or os.cpu_count() or 1
        outcomes = look(items, tracer, leads=leads, n_jobs=n_processes)
        is_shown = file is None and sys.stdout.isatty()
        with progress(outcomes, len(items), is_report_shown=is_shown) as told:
            kept = told if changed is None else (_only_changed(one, changed) for one in told)
            counted = tally.of(kept, judge, complain=lambda told: _complain(told, 0))
            for line in forms.form_of(form)(counted, context):
                click.echo(line, file=file)
    if tally.n_skipped:
        _complain(f"{tally.n_looked:,} files looked at, {tally.n_skipped:,} left out", 0)
    return tally.exit_code(fails_on_match=fail_on_match, heeds_policy=not dry_run)


def _tracer(index_path: Path | None, urls: tuple[str, ...], alias: str) -> Tracer:
    if not urls:
        return Tracer.open(index_path)
    if index_path is not None:
        raise click.UsageError("--index and --elasticsearch are two indexes: name one")
    from attribution.elastic import ElasticTracer  # noqa: PLC0415 - its client takes 0.3 s to load

    return ElasticTracer.open(urls, name=alias).newest()


def _only_changed(outcome: Outcome, changed: Changed) -> Outcome:
    """Without the matches that touch no changed line."""
    if not isinstance(outcome, Looked):
        return outcome
    target, told = outcome.target, outcome.trace
    lines = changed.get(Path(target.name).resolve(), [])
    spans = [(match, shifted(match.query, target)) for match in told.matches]
    kept = tuple(one for one, span in spans if touches(lines, span.start_line, span.end_line))
    verdict = told.verdict if told.verdict is Verdict.UNKNOWN or kept else Verdict.NONE
    return replace(outcome, trace=replace(told, matches=kept, verdict=verdict))


def _complain(message: str, code: int) -> int:
    click.echo(f"starcite trace: {printable(message)}", err=True)
    return code
