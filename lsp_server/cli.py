"""`starcite lsp`: the language server on standard input and output."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import click

LEVELS = ("debug", "info", "warning", "error")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stdio", is_flag=True, help="Talk over standard input and output.")
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="warning",
    show_default=True,
    help="What is written to standard error.",
)
def lsp(*, stdio: bool, log_level: str) -> None:
    """Run the language server for an editor.

    Exit codes: 0 after `shutdown` and `exit` or when the editor is gone, 1 after `exit` alone,
    130 after Ctrl-C.

    Example: starcite lsp --stdio
    """
    if not stdio:
        raise click.UsageError("an editor starts the server as: starcite lsp --stdio")
    from lsp_server.server import Server  # noqa: PLC0415 - `starcite lsp --help` loads no pygls
    from lsp_server.wire import take_stdout  # noqa: PLC0415

    _log_to_stderr(log_level)
    try:
        with take_stdout() as stdout:
            asyncio.run(Server().run(sys.stdin.buffer, stdout))
    except BrokenPipeError:
        pass  # the editor is gone
    except KeyboardInterrupt:
        os._exit(130)  # not sys.exit: it would wait for the thread that reads standard input


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level.upper(), stream=sys.stderr, format="%(levelname)s %(message)s")
    # pygls logs whole messages, source code in them: below WARNING everywhere, above it here.
    logging.getLogger("pygls").setLevel(logging.WARNING)
    logging.getLogger("pygls.protocol.json_rpc").setLevel(logging.CRITICAL)
