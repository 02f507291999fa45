"""The command line's front door: one lazy entry for each subcommand."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

COMMANDS = {
    "corpus": ("indexer.corpus_cli:corpus", "Fetch the source code that an index is built from."),
    "index": ("indexer.cli:index", "Build and verify the attribution index."),
    "elastic": ("indexer.elastic.cli:elastic", "Keep an index in Elasticsearch."),
    "trace": ("attribution.cli:trace", "Trace code back to where it came from."),
    "certify": ("attribution.certificate_cli:certify", "Certify that code is not in an index."),
    "verify-certificate": ("attribution.certificate_cli:verify_certificate", "Check that."),
    "serve": ("attribution.service.cli:serve", "Serve an index to a team or a browser."),
    "train": ("training.cli:train", "Train a model of one's own on what the index holds."),
    "model": ("lsp_server.model_cli:model", "Fetch, add and list completion models."),
    "eval": ("starcite:evaluations", "Measure how good attribution and models are."),
    "lsp": ("lsp_server.cli:lsp", "Run the language server for an editor."),
}
EVALUATIONS = {
    "attribution": ("attribution.evaluate.cli:attribution", "Copies found, false claims, speed."),
    "model": ("training.evaluate.cli:evaluate", "Models, lanes and baselines in one table."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it runs: `starcite lsp` never loads a corpus."""

    table = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands in the order of a newcomer's day."""
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the subcommand, or None if there is no such name."""
        if cmd_name not in self.table:
            return None
        module_name, attribute = self.table[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module_name), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands from the table above, so that help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.table.items()])


class EvaluationGroup(LazyGroup):
    """What `starcite eval` measures."""

    table = EVALUATIONS


def _open_trace_probe(path: Path) -> Any:
    """How `starcite index forget` traces what it removed, though an index knows of no tracer."""
    return importlib.import_module("attribution.probe").TraceProbe(path)


def _read_corpus(path: Path) -> Any:
    """How `starcite eval attribution` reads held-out packages, which no query does."""
    return importlib.import_module("indexer.corpus").read_corpus(path)


def _open_lane(name: str) -> Any:
    """How `starcite eval model` asks a lane of the language server, unknown to training."""
    lane = importlib.import_module("lsp_server.lane")
    try:
        return lane.open_lane(name)
    except lane.ModelError as error:
        failure = click.ClickException(str(error))
        failure.exit_code = 3
        raise failure from error


_CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "obj": {
        "starcite.probes": [_open_trace_probe],
        "starcite.read_corpus": _read_corpus,
        "starcite.lanes": [_open_lane],
        "starcite.shipped_models": [
            Path(__file__).with_name(package) / "shipped"
            for package in ("lsp_server", "stareencoder")
        ],
    },
}


@click.command(cls=LazyGroup, context_settings=_CONTEXT)
@click.version_option(package_name="starcite")
def main(**_: Any) -> None:
    """Code completion that tells you where its code came from.

    Example: starcite trace src/app.py:10-40
    """


@click.command(cls=EvaluationGroup)
def evaluations() -> None:
    """Measure how good the parts are, each with a command of its own.

    Example: starcite eval attribution --sample 20
    """


if __name__ == "__main__":
    main()
