"""Options that say how sources are read, for every command that reads some."""

from __future__ import annotations

import click

notebooks_option = click.option(
    "--notebooks",
    default="script",
    show_default=True,
    type=click.Choice(["script", "structured"]),
    help="As a script with its text in comments, or as cells with their outputs.",
)
license_option = click.option(
    "--license",
    "stated_license",
    default="",
    metavar="SPDX",
    help="The licence of files that come without one, such as a lone notebook; on your word.",
)
