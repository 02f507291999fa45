"""`starcite serve`: an index as a service for browsers, editors and a team."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
from pathlib import Path

import click
import uvicorn

from attribution.config import TOKEN_VARIABLE, ServiceConfig, token_of_environment
from attribution.errors import ServeError
from attribution.reporting import printable
from attribution.service import Service, create_app
from attribution.service.connection import Connection, Server
from attribution.service.place import Cluster, Place
from indexer import IndexerError, default_index_path
from indexer.config import ELASTIC_NAME

EXIT_BAD_INPUT, EXIT_COULD_NOT, EXIT_INTERRUPTED = 2, 3, 130
_MIN_TOKEN_CHARS = 16
_MAX_TOKEN_CHARS = 512


@click.command(
    epilog="Exit codes: 0 stopped by SIGTERM, after the answers under way; 2 wrong usage, or an "
    "address other than loopback without a token; 3 the address cannot be listened on; 130 stopped "
    "by Ctrl-C, likewise."
)
@click.option(
    "--index",
    "index_path",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of the index. Default: the default index.",
)
@click.option(
    "--elasticsearch",
    "urls",
    metavar="URL",
    multiple=True,
    help="Serve the index in this cluster instead; repeat it for further nodes. What `starcite "
    "elastic` says of logins holds here, too.",
)
@click.option("--elasticsearch-name", "alias", default=ELASTIC_NAME, show_default=True,
              help="The index's alias there.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True,
              help="0 takes a free one.")  # fmt: skip
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with the token that every client must send; needed for any other address. "
    f"Without it the environment's {TOKEN_VARIABLE} counts.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 256),
    default=max(2, os.cpu_count() or 1),
    show_default="one a processor, at least 2",
    help="Processes that trace; 0 traces in threads of this one.",
)
def serve(
    *,
    index_path: Path | None,
    urls: tuple[str, ...],
    alias: str,
    host: str,
    port: int,
    token_file: Path | None,
    workers: int,
) -> None:
    """Serve an index to browsers, editors and programs, until Ctrl-C.

    A page on / traces what is pasted into it; /ask answers "Am I in it?"; /docs lists what programs
    may ask. What is added to the index or forgotten meanwhile counts from the next question on.
    With a token, every address but /health asks for the header Authorization: Bearer TOKEN; a
    browser asks for it as a password. An index in Elasticsearch answers all questions but those of
    membership, and proves no absence.

    Example: starcite serve --port 8700 --elasticsearch http://127.0.0.1:9200
    """
    config = ServiceConfig()
    try:
        token = _token(token_file)
        service = Service(
            index=_place(index_path, urls, alias),
            token=token,
            hosts=frozenset() if token else _loopback_names(host),
            n_workers=workers,
            config=config,
        )
    except ServeError as error:
        sys.exit(_complain(str(error), EXIT_BAD_INPUT))
    try:
        listener = _listen(host, port)
    except (OSError, UnicodeError) as error:  # the latter: no name of a host
        what = f"cannot listen on {host} port {port}: {getattr(error, 'strerror', '') or error}"
        sys.exit(_complain(f"{what}; choose another with --port or --host", EXIT_COULD_NOT))
    with listener:
        _run(service, listener)


def _place(index_path: Path | None, urls: tuple[str, ...], alias: str) -> Place:
    if not urls:
        return (index_path or default_index_path()).absolute()
    if index_path is not None:
        raise ServeError("--index and --elasticsearch are two indexes: name one")
    from indexer.elastic.server import check_settings  # noqa: PLC0415 - its client takes 0.3 s

    try:
        check_settings(urls, name=alias)
    except IndexerError as error:
        raise ServeError(str(error)) from error
    return Cluster(urls=urls, name=alias)


def _run(service: Service, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Serving {printable(str(service.index))} on http://{shown}:{port}/ (Ctrl-C stops)")
    config = service.config
    server = Server(
        uvicorn.Config(
            create_app(service),
            loop="asyncio",
            http=Connection,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=config.max_connections,
            h11_max_incomplete_event_size=config.max_head_bytes,
            timeout_graceful_shutdown=config.stop_s,
        )
    )
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # uvicorn passes it on when it is done
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        is_asked_to = signal.SIGTERM in server.captured
        sys.exit(0 if is_asked_to else _complain("stopped", EXIT_INTERRUPTED))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _loopback_names(host: str) -> frozenset[str]:
    """What a service without a token may be called; no other address is served without one.

    Raises:
        ServeError: others could reach it.
    """
    if not _is_loopback(host):
        raise ServeError(
            f"{host!r} can be reached by others, and anybody could ask; write a secret into a file "
            "and give it: --token-file FILE"
        )
    return frozenset({"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host})


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(path: Path | None) -> str:
    """The token of the file, else of the environment; empty without either.

    Raises:
        ServeError: it cannot be read, or is none.
    """
    if path is None:
        token = token_of_environment()
        return _checked(token, f"the environment's {TOKEN_VARIABLE}") if token else ""
    try:
        return _checked(path.read_text("utf-8").strip(), str(path))
    except OSError as error:
        raise ServeError(f"cannot read the token in {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ServeError(f"the token in {path} is no text; write letters and digits") from error


def _checked(token: str, place: str) -> str:
    if not _MIN_TOKEN_CHARS <= len(token) <= _MAX_TOKEN_CHARS:
        raise ServeError(
            f"the token in {place} has {len(token)} characters; write {_MIN_TOKEN_CHARS} to "
            f"{_MAX_TOKEN_CHARS}, for example: openssl rand -hex 32"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ServeError(
            f"the token in {place} holds a space or a character that no header can; write letters "
            "and digits"
        )
    return token


def _complain(message: str, code: int) -> int:
    click.echo(f"starcite serve: {printable(message)}", err=True)
    return code
