"""The command line's front door."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

import starcite

HEAVY = ("torch", "transformers", "faiss", "pyarrow", "numpy", "tantivy", "pygls", "xllamacpp")


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    """`starcite --help` answers from the table alone, so that it is instant."""
    script = (
        "import sys, starcite\n"
        "from click.testing import CliRunner\n"
        "print(CliRunner().invoke(starcite.main, ['--help']).output)\n"
        f"print('heavy:', [m for m in {HEAVY} if m in sys.modules])\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout

    assert [name for name in starcite.COMMANDS if f"  {name} " not in output] == []
    assert "heavy: []" in output


def test_every_command_has_help_with_an_example() -> None:
    """Each subcommand can be imported and says how it is used."""
    results = {
        name: CliRunner().invoke(starcite.main, [name, "--help"]) for name in starcite.COMMANDS
    }

    assert [name for name, result in results.items() if result.exit_code != 0] == []
    assert [name for name, result in results.items() if "Example" not in result.output] == []


def test_an_unknown_command_is_refused() -> None:
    """A wrong name is an error with exit code 2, not a traceback."""
    result = CliRunner().invoke(starcite.main, ["frobnicate"])

    assert result.exit_code == 2
    assert "frobnicate" in result.output
