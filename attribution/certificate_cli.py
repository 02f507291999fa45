"""`starcite certify` and `starcite verify-certificate`: that code is in no document of an index."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from attribution import exit_code
from attribution.absence import shortest_provable
from attribution.certificate import (
    Certificate,
    check_text,
    issue,
    prove,
    read_certificate,
    state_of,
    text_of,
)
from attribution.config import TraceConfig
from attribution.errors import AttributionFailure, CertificateError, TargetError
from attribution.gather import Found, Item, gather
from attribution.output import opened, progress
from attribution.reporting import printable
from attribution.target import Target, read_target
from indexer import Index, IndexerError, default_index_path
from indexer.optout.keys import key_path, open_key, parse_public_key

_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    epilog="Exit codes: 0 issued; 1 such a run is in the index: nothing is issued; 2 wrong usage "
    "or a file that cannot be read; 3 it could not be proved, or no index; 130 interrupted."
)
@click.argument("targets", metavar="[FILE[:A-B]|DIR]...", nargs=-1, required=True)
@click.option("--index", "index_path", type=_PATH, help="The index; by default your own.")
@click.option("--language", help="The language; by default told by the file's name.")
@click.option(
    "--lexemes",
    "min_lexemes",
    type=click.IntRange(min=1),
    default=TraceConfig().min_lexemes,
    show_default=True,
    help="No run of so many lexemes or more is shared.",
)
@click.option("--sign", is_flag=True, help="Sign it with the key of `index receipt-key`.")
@click.option("--output", type=_FILE, help="Write to a file.")
def certify(
    *,
    targets: tuple[str, ...],
    index_path: Path | None,
    language: str | None,
    min_lexemes: int,
    sign: bool,
    output: Path | None,
) -> None:
    """Certify that no run of N lexemes of this code is in the index.

    Every document that could hold one is compared; nothing is sampled. The certificate holds
    digests and no code.

    Example: starcite certify src/app.py --output app.certificate.json
    """
    with _one_line_errors("certify"):
        items = _items(targets, language)
        key = open_key(key_path()) if sign else None
        with closing(Index.open(index_path or default_index_path())) as index:
            if min_lexemes < shortest_provable(index):
                raise click.BadParameter(
                    f"this index can prove runs absent from {shortest_provable(index)} lexemes on",
                    param_hint="--lexemes",
                )
            proved = _proved(items, index, min_lexemes)
            certificate = Certificate(
                min_lexemes=min_lexemes,
                index=state_of(index),
                texts=tuple(text_of(one, k=index.manifest.k, w=index.manifest.w) for one in proved),
                tool=f"starcite {version('starcite')}",
                issued_at=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        with opened(output) as file:
            click.echo(issue(certificate, key=key).decode(), nl=False, file=file)


@click.command(
    "verify-certificate",
    epilog="Exit codes: 0 it holds as far as it was checked; 2 wrong usage or a file that cannot "
    "be read; 3 it does not hold, or could not be checked; 130 interrupted.",
)
@click.argument("certificate_path", metavar="CERTIFICATE", type=_FILE)
@click.argument("targets", metavar="[FILE[:A-B]|DIR]...", nargs=-1)
@click.option("--index", "index_path", type=_PATH, help="The index: the proof is repeated on it.")
@click.option("--language", help="The language; by default told by the file's name.")
@click.option("--key", help="The public key that must have signed it, or a file of it.")
@click.option("--json", "as_json", is_flag=True, help="Print what was checked as JSON.")
def verify_certificate(
    *,
    certificate_path: Path,
    targets: tuple[str, ...],
    index_path: Path | None,
    language: str | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Check a certificate, without any network.

    Alone, that not a byte of it was changed since it was issued. With FILE, that it is about this
    code. With FILE and --index, the whole proof once more.

    Example: starcite verify-certificate app.certificate.json src/app.py --index ~/index
    """
    with _one_line_errors("verify-certificate"):
        public_key = None if key is None else parse_public_key(key)
        try:
            data = certificate_path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise TargetError(f"{certificate_path} cannot be read: {reason}") from error
        items = _items(targets, language) if targets else []
        with _naming(certificate_path):
            certificate = read_certificate(data, public_key=public_key)
            for target in items:
                check_text(certificate, target)
            if index_path is not None:
                _prove_again(certificate, items, index_path)
    _report(certificate, certificate_path, items, index_path, as_json=as_json)


def _items(targets: Sequence[str], language: str | None) -> list[Target]:
    complaints: list[str] = []
    items = gather(targets, language=language, complain=complaints.append)
    if complaints:
        raise TargetError("; ".join(complaints))
    return [one for item in items if (one := _read(item)) is not None]


def _read(item: Item) -> Target | None:
    """The text of an item; None, and a word about it, for a file of a folder that holds none."""
    if not isinstance(item, Found):
        return item
    try:
        return read_target(item.name, language=item.language, is_path=True)
    except TargetError as error:
        if not error.is_nothing_to_trace:
            raise
        click.echo(f"left out: {printable(str(error))}", err=True)
        return None


def _proved(items: Sequence[Target], index: Index, min_lexemes: int) -> list[Target]:
    """The texts, if all are proved; else it is said of each other one what stands against it."""
    if not items:
        raise TargetError("there is no text to certify")
    is_shared = is_open = False
    with progress(items, len(items), is_report_shown=False) as told:
        for target in told:
            absence = prove(index, target, min_lexemes=min_lexemes)
            if absence.is_shared:
                is_shared = True
                what = f"shares a run of {min_lexemes} lexemes or more with {absence.reason}"
            elif not absence.is_proved:
                is_open = True
                what = f"nothing is proved: {absence.reason}"
            else:
                continue
            _complain("certify", f"{target.name}: {what}")
    if is_shared or is_open:
        sys.exit(exit_code.MATCH if is_shared else exit_code.COULD_NOT)
    return list(items)


def _prove_again(certificate: Certificate, items: Sequence[Target], index_path: Path) -> None:
    with closing(Index.open(index_path)) as index:
        if state_of(index) != certificate.index:
            raise CertificateError(
                f"it is about the index with the manifest {certificate.index.manifest_sha256}, "
                f"not about {index_path} as it stands now ({index.manifest.checksum})"
            )
        with progress(items, len(items), is_report_shown=False) as told:
            for target in told:
                absence = prove(index, target, min_lexemes=certificate.min_lexemes)
                if not absence.is_proved:
                    raise CertificateError(f"{target.name}: {absence.reason}")


def _report(
    certificate: Certificate,
    path: Path,
    items: Sequence[Target],
    index_path: Path | None,
    *,
    as_json: bool,
) -> None:
    n_texts, n_proved = len(certificate.texts), len(items) if index_path is not None else 0
    n_same = len({one.text for one in items})
    if as_json:
        checked = {"n_texts": n_texts, "n_same": n_same, "n_proved_again": n_proved}
        click.echo(json.dumps({**asdict(certificate), "checked": checked}))
        return
    click.echo(f"{path}: not a byte was changed since it was issued")
    click.echo(
        f"Says       no run of {certificate.min_lexemes} lexemes or more is in the index "
        f"{certificate.index.manifest_sha256[:16]}… of {certificate.index.n_documents:,} documents"
    )
    click.echo(f"About      {n_texts:,} texts, of which {n_same:,} were given and are the same")
    click.echo(f"Proved     {n_proved:,} of them once more")
    click.echo(f"Signed by  {certificate.public_key or 'nobody: only trust it from its issuer'}")
    if index_path is None or n_same < n_texts:
        click.echo("To check it wholly, give every text and --index.")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except CertificateError as error:
        raise CertificateError(f"{path} does not hold: {error}") from error


@contextmanager
def _one_line_errors(command: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _complain(command, "interrupted")
        sys.exit(exit_code.INTERRUPTED)
    except IndexerError as error:
        _complain(command, str(error))
        sys.exit(error.exit_code)
    except CertificateError as error:
        _complain(command, str(error))
        sys.exit(exit_code.COULD_NOT)
    except AttributionFailure as error:
        _complain(command, str(error))
        sys.exit(exit_code.BAD_INPUT)


def _complain(command: str, message: str) -> None:
    click.echo(f"starcite {command}: {printable(message)}", err=True)
