"""`starcite trace`: where does this code come from, and what does the team's policy say of it?"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

import click

from attribution.errors import AttributionFailure, OutputError
from attribution.git_diff import Lines, changed_lines, touches
from attribution.license_policy import Action, Decision, decide
from attribution.notice import as_notice
from attribution.policy_file import find_policy, read_policy
from attribution.render import Judge, Scope, as_json, as_text, no_policy, printable, shifted
from attribution.sarif import as_sarif
from attribution.target import Target, read_target
from attribution.tracer import Tracer
from attribution.types import Match, Trace, Verdict
from indexer import IndexerError

EXIT_MATCH = 1
EXIT_BAD_INPUT = 2
EXIT_COULD_NOT = 3
EXIT_POLICY_ASKS = 4
EXIT_POLICY_BLOCKS = 5
EXIT_INTERRUPTED = 130

Results = list[tuple[Target, Trace]]


@click.command(
    epilog="Exit codes: 0 looked; 1 a match was found and --fail-on-match given; 2 wrong usage or "
    "a file that cannot be read; 3 could not look (no index, a damaged one); 4 the policy asks; "
    "5 the policy blocks; 130 interrupted."
)
@click.argument("targets", metavar="[FILE[:A-B]]...", nargs=-1)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path),
    help="The folder of the index; by default the one that `starcite index build` writes.",
)
@click.option("--language", help="The language; by default told by the file's name, python for -.")
@click.option(
    "--diff",
    "revision",
    metavar="REV",
    help="Judge only lines added or changed since REV; REV... is where this branch left REV. "
    "Without FILE: every changed file.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "notice"]),
    default="text",
    show_default=True,
    help="JSON counts lines from 0, half-open; SARIF 2.1.0 is for code hosts.",
)
@click.option("--json", "as_json_", is_flag=True, help="The same as --format json.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.option(
    "--policy",
    "policy_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The licence policy; by default the starcite.toml of the repository, if it has one.",
)
@click.option("--no-policy", "ignores_policy", is_flag=True, help="Look for no policy.")
@click.option("--dry-run", is_flag=True, help="Show what the policy says, but do not exit by it.")
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
    revision: str | None,
    form: str,
    as_json_: bool,
    output: Path | None,
    policy_path: Path | None,
    ignores_policy: bool,
    dry_run: bool,
    explain: bool,
    leads: bool,
    fail_on_match: bool,
) -> None:
    """Say which indexed packages hold this code: file, lines, licence.

    FILE may name lines, counting from 1 and inclusive; - is standard input.

    Example: starcite trace src/app.py:10-40
    """
    if not targets and revision is None:
        raise click.UsageError("name a file to trace, - for standard input, or --diff REV")
    form = "json" if as_json_ else form
    try:
        judge = no_policy if ignores_policy else _judge(policy_path)
        changed = None if revision is None else changed_lines(revision, folder=Path.cwd())
        with _opened(output) as file:
            queries = _read_all(targets, language) if targets else _changed_files(changed or {})
            results, scope = _traced(queries, index_path, leads=leads)
            if changed is not None:
                results = [(one, _only_changed(one, told, changed)) for one, told in results]
            for line in _lines(results, scope, judge, form=form, explain=explain):
                click.echo(line, file=file)
    except KeyboardInterrupt:
        sys.exit(_complain("interrupted", EXIT_INTERRUPTED))
    except AttributionFailure as error:
        sys.exit(_complain(str(error), EXIT_BAD_INPUT))
    except IndexerError as error:
        sys.exit(_complain(str(error), EXIT_COULD_NOT))
    for target, told in results:
        if told.verdict is Verdict.UNKNOWN:
            _complain(f"{target.name}: {told.reason}", EXIT_COULD_NOT)
    sys.exit(_exit_code(results, no_policy if dry_run else judge, fail_on_match=fail_on_match))


def _judge(path: Path | None) -> Judge:
    """The policy in a file, or of the repository that the command runs in."""
    chosen = path or find_policy(Path.cwd())
    if chosen is None:
        return no_policy
    policy = read_policy(chosen)
    root, today = chosen.absolute().parent, datetime.now(UTC).date()

    def judge(target: Target, match: Match) -> Decision:
        inside = os.path.relpath(Path(target.name).absolute(), root).replace(os.sep, "/")
        return decide(policy, match, path=inside, today=today)

    return judge


def _changed_files(changed: dict[Path, Lines]) -> list[Target]:
    """The changed files; one that is no text is told of, and the others are traced."""
    queries = []
    for path in changed:
        try:
            queries.append(read_target(os.path.relpath(path)))
        except AttributionFailure as error:
            _complain(f"left out: {error}", 0)
    return queries


def _only_changed(target: Target, told: Trace, changed: dict[Path, Lines]) -> Trace:
    """Without the matches that touch no changed line."""
    lines = changed.get(Path(target.name).resolve(), [])
    spans = [(match, shifted(match.query, target)) for match in told.matches]
    kept = tuple(one for one, span in spans if touches(lines, span.start_line, span.end_line))
    verdict = told.verdict if told.verdict is Verdict.UNKNOWN or kept else Verdict.NONE
    return replace(told, matches=kept, verdict=verdict)


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


def _lines(
    results: Results, scope: Scope, judge: Judge, *, form: str, explain: bool
) -> Iterator[str]:
    if form == "json":
        yield json.dumps(as_json(results, scope, judge), indent=2)
    elif form == "sarif":
        yield json.dumps(as_sarif(results, version=version("starcite"), judge=judge), indent=2)
    elif form == "notice":
        yield from as_notice(results)
    else:
        for target, told in results:
            yield from as_text(target, told, scope, judge, explain=explain)


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[TextIO | None]:
    """The file to write to, put in its place when it is whole; None is standard output."""
    if path is None:
        yield None
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="replace") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _exit_code(results: Results, judge: Judge, *, fail_on_match: bool) -> int:
    if any(told.verdict is Verdict.UNKNOWN for _, told in results):
        return EXIT_COULD_NOT
    decisions = [judge(target, match) for target, told in results for match in told.matches]
    action = max((one.action for one in decisions if one is not None), default=Action.ALLOW)
    if action is Action.BLOCK:
        return EXIT_POLICY_BLOCKS
    if action is Action.ASK:
        return EXIT_POLICY_ASKS
    return EXIT_MATCH if fail_on_match and any(told.alarms for _, told in results) else 0


def _complain(message: str, code: int) -> int:
    click.echo(f"starcite trace: {printable(message)}", err=True)
    return code
