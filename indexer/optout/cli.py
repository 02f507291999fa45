"""`starcite index find|forget|verify-receipt|receipt-key`: am I in it, and how do I get out?"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from indexer.config import default_index_path
from indexer.console import one_line_errors
from indexer.index import Index
from indexer.optout import forget as forgetting
from indexer.optout.errors import OptoutError, ReceiptError, SelectorError
from indexer.optout.forget import Outcome, Setting, finish_pending, was_asked, write_file
from indexer.optout.intake import intake_path, settle, waiting
from indexer.optout.keys import key_path, open_key, parse_public_key, public_key_of
from indexer.optout.page import PageContext, render_page
from indexer.optout.receipt import verify_receipt
from indexer.optout.render import as_record, as_text
from indexer.optout.requery import IndexProbe, OpenProbe
from indexer.optout.resolve import Resolution, resolve
from indexer.optout.selector import Selector, parse_selector

BAD_INPUT, FAILED, INTERRUPTED = 2, 3, 130
PROBES = "starcite.probes"  # further ways of asking, that the front door puts into click's context
MODELS = "starcite.shipped_models"  # folders of models that the front door names there, too
_NOTHING = "nothing was there, so there is no receipt; the ledger keeps out of later builds"
_Command = TypeVar("_Command", bound=Callable[..., Any])
_SHARED = 0o666  # less the umask: a file that was asked for is nobody's secret
_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


def selecting(command: _Command) -> _Command:
    """Adds the options that say whom or what is meant; `selector_of_options` reads them."""
    options = {
        "--owner": "An account or organisation, or a package's name.",
        "--repo": "owner/name, or a repository's address.",
        "--package": "A package.",
        "--path": "A glob inside of packages and repositories: src/**/*.py.",
        "--content-hash": "sha256:… of a file's text, or sha1-git:….",
        "--swhid": "swh:1:cnt:… of a file.",
    }
    for name, text in reversed(options.items()):
        command = click.option(name, multiple=True, help=text)(command)
    return command


_of_index = click.option("--index", "index_path", type=_FOLDER, help="Default: the default index.")


@click.command()
@_of_index
@selecting
@click.option("--html", type=_FILE, help="Write the answer as a page.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def find(
    *, index_path: Path | None, html: Path | None, as_json: bool, **asked: tuple[str, ...]
) -> None:
    """Say whether an owner, a repository, a package or a file is in the index: am I in it?

    Options of one kind widen the question, different kinds narrow it. Near-duplicates, for which
    a document stands, are found as well.
    Exit codes: 0 answered, also if nothing was found; 2 wrong usage; 3 the index cannot be read.

    Example: starcite index find --owner octocat --html answer.html
    """
    with one_line_errors():
        selector = selector_of_options(asked)
        resolution = _resolve((index_path or default_index_path()).absolute(), selector)
        is_kept_out = was_asked(selector)
        if html is not None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            page = render_page(resolution, PageContext(answered_at=now, is_kept_out=is_kept_out))
            write_file(html, page.encode("utf-8", "replace"), mode=_SHARED)
    if as_json:
        click.echo(json.dumps({**as_record(resolution), "is_kept_out": is_kept_out}))
        return
    click.echo(as_text(resolution))
    if is_kept_out:
        click.echo("The ledger keeps this out: nothing of it is indexed again.")


@click.command()
@_of_index
@selecting
@click.option("--queued", is_flag=True, help="Each request that the service has taken, in order.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--receipt", type=_FILE, help="Where to write a copy of the receipt.")
@click.option("--spans", type=click.IntRange(1, 100),
              help="Pieces of each document to ask for; default: 3, of many fewer.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def forget(
    *,
    index_path: Path | None,
    queued: bool,
    dry_run: bool,
    yes: bool,
    receipt: Path | None,
    spans: int | None,
    as_json: bool,
    **asked: tuple[str, ...],
) -> None:
    """Take somebody out of the index, at once and for good, with a signed receipt.

    Shows what will go, then asks. What is not in the index is kept out of later builds, and there
    is nothing to give a receipt for. No query shows it from then on, and no later build or addition
    takes it in again; `starcite index compact` removes it from the disk. What a killed run began
    is finished first. --queued takes up what was asked of `starcite serve`, one after the other;
    what is not confirmed stays in the queue.
    Exit codes: 0 done, or nothing to do; 1 not confirmed; 2 wrong usage; 3 it could not be done.

    Example: starcite index forget --repo octocat/hello-world --receipt receipt.json
    """
    with one_line_errors(), _progress() as progress:
        selectors = _queued(asked, receipt) if queued else [("", selector_of_options(asked))]
        path = (index_path or default_index_path()).absolute()
        setting = Setting(
            index=path,
            openers=_openers(),
            n_spans=spans,
            shipped_models=tuple(_offered(MODELS)),
            progress=progress,
        )
        outcomes = [] if dry_run else finish_pending(setting)
        for outcome in outcomes:
            click.echo(f"starcite: finished what was begun at {outcome.entry.time}", err=True)
        n_declined = 0
        for key, selector in selectors:
            resolution = _resolve(path, selector)
            if not dry_run and (resolution.found or not was_asked(selector)):
                if not yes and not _is_confirmed(resolution, as_json=as_json):
                    n_declined += 1
                    continue
                outcomes = [*outcomes, forgetting.forget(resolution, setting)]
            _report(resolution, outcomes, receipt, as_json=as_json)
            outcomes = []
            if key and not dry_run:
                settle(intake_path(), key)
    if n_declined:
        click.echo("starcite: nothing was changed where you said no", err=True)
        sys.exit(1)


@click.command("verify-receipt")
@click.argument("file", type=_FILE)
@click.option("--key", help="The public key that must have signed it, or a file of it.")
@click.option("--json", "as_json", is_flag=True, help="Print what it proves as JSON.")
def verify_receipt_command(*, file: Path, key: str | None, as_json: bool) -> None:
    """Check a receipt: its signature and every proof in it; needs no index and no network.

    Exit codes: 0 it holds, 2 wrong usage, 3 it was changed or does not prove what it says.

    Example: starcite index verify-receipt receipt.json --key 3b6a27bc…
    """
    with one_line_errors():
        public_key = None if key is None else parse_public_key(key)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise OptoutError(f"cannot read {file}: {error.strerror or error}") from error
        try:
            proven = verify_receipt(data, public_key=public_key)
        except ReceiptError as error:
            raise ReceiptError(f"{file} does not hold: {error}") from error
    if as_json:
        click.echo(json.dumps({**asdict(proven), "is_key_known": key is not None}))
        return
    click.echo(f"{file}: every proof holds, and not a byte was changed since it was signed")
    click.echo(f"Request    {proven.request}")
    click.echo(f"Absent     {proven.n_removed:,} documents, from the index of {proven.issued_at}")
    click.echo(f"Asked for  {proven.n_asked:,} of them by {proven.n_questions:,} questions: silent")
    click.echo(f"Models     {proven.models}")
    click.echo(f"Signed by  {proven.public_key}")
    if key is None:
        click.echo("Whose key that is, this does not show; give --key with one that you trust.")


@click.command("receipt-key")
def receipt_key() -> None:
    """Print the public key that receipts are signed with; make the key if there is none.

    Example: starcite index receipt-key
    """
    with one_line_errors():
        click.echo(public_key_of(open_key(key_path())))


COMMANDS = (find, forget, verify_receipt_command, receipt_key)


def selector_of_options(asked: Mapping[str, tuple[str, ...]]) -> Selector:
    """What the options of `selecting` say.

    Raises:
        SelectorError: a value cannot be read, or none was given.
    """
    return parse_selector(
        owners=asked["owner"],
        repositories=asked["repo"],
        packages=asked["package"],
        paths=asked["path"],
        content_hashes=asked["content_hash"],
        swhids=asked["swhid"],
    )


def _queued(
    asked: Mapping[str, tuple[str, ...]], receipt: Path | None
) -> list[tuple[str, Selector]]:
    """The key and the selector of each request that waits."""
    if any(asked.values()) or receipt is not None:
        raise SelectorError("--queued takes each request as it was asked: say nothing else of it")
    requests = waiting(intake_path())
    if not requests:
        click.echo("starcite: no request waits", err=True)
    return [(one.key, one.selector) for one in requests]


def _openers() -> list[OpenProbe]:
    """What queries are built on, and the queries themselves where the front door offers them."""
    return [IndexProbe, *_offered(PROBES)]


def _offered(name: str) -> list[Any]:
    """What the front door offers under a name."""
    offered: list[Any] = (click.get_current_context().find_object(dict) or {}).get(name, [])
    return offered


def _resolve(path: Path, selector: Selector) -> Resolution:
    with _progress() as progress, Index.open(path) as index:
        return resolve(
            index, selector, progress=lambda done, total: progress("looking", done, total)
        )


def _is_confirmed(resolution: Resolution, *, as_json: bool) -> bool:
    click.echo(as_text(resolution), err=as_json)
    n = len(resolution.found)
    question = (
        f"Forget these {n:,} documents?" if n else "Keep it out of later builds all the same?"
    )
    try:
        return click.confirm(question, err=True)
    except click.Abort:  # no terminal to ask on, or the end of the input
        return False


def _report(
    resolution: Resolution, outcomes: list[Outcome], receipt: Path | None, *, as_json: bool
) -> None:
    written = outcomes[-1].receipt if outcomes else None
    if receipt is not None and written is not None:
        write_file(receipt, written.read_bytes(), mode=_SHARED)
    if as_json:
        done = [
            {
                "receipt": outcome.receipt and str(outcome.receipt),
                "n_removed": len(outcome.entry.request.removed),
                "tombstone_s": round(outcome.tombstone_s, 3),
            }
            for outcome in outcomes
        ]
        click.echo(json.dumps({**as_record(resolution), "done": done}))
        return
    if not outcomes:
        click.echo(as_text(resolution))
    for outcome in outcomes:
        n = len(outcome.entry.request.removed)
        if not n:
            click.echo(f"{_NOTHING}: {outcome.entry.request.selector}")
            continue
        click.echo(f"{n:,} documents forgotten in {outcome.tombstone_s:.2f} s; {outcome.receipt}")
    if any(outcome.entry.request.removed for outcome in outcomes):
        click.echo("To remove them from the disk as well, run: starcite index compact")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Bars on a terminal; elsewhere nothing, as most requests take a second."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _total: None
        return
    with contextlib.ExitStack() as stack:
        bars: dict[str, Any] = {}
        shown: dict[str, int] = {}  # a bar's own position lags behind between two drawings

        def show(what: str, done: int, total: int) -> None:
            if what not in bars:
                bar = click.progressbar(
                    length=total, label=what, file=sys.stderr, update_min_steps=max(total // 100, 1)
                )
                bars[what] = stack.enter_context(bar)
            bars[what].update(done - shown.get(what, 0))
            shown[what] = done

        yield show
