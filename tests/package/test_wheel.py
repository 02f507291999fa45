"""The built wheel in a clean environment, with this checkout out of reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest

import starcite

pytestmark = pytest.mark.package

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "indexer" / "corpus" / "default.lock"
SOURCE = "itsdangerous/signer.py"
# Everything that an installed module could be loaded by, and that a torch would hide behind.
LIST_MODULES = """
import sys, starcite, lsp_server.server, attribution.tracer, indexer.build
print([sys.modules[name].__file__ for name in ("starcite", "lsp_server", "attribution", "indexer")])
print("torch" in sys.modules)
"""


class Installed:
    """An environment that holds the wheel, and an empty folder to run it from."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.cwd = folder / "elsewhere"
        self.cwd.mkdir()
        self.bin = folder / "clean env" / "bin"
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "STARCITE_HOME")
        self.env = {key: value for key, value in os.environ.items() if key not in hidden}
        self.env["STARCITE_HOME"] = str(folder / "home")
        subprocess.run([sys.executable, "-m", "venv", self.bin.parent], check=True)
        self.run("python", "-m", "pip", "install", "--quiet", str(wheel))

    def run(self, program: str, *arguments: str, text: str | None = None) -> str:
        """Run a program of the environment; returns what it printed."""
        result = subprocess.run(
            [self.bin / program, *arguments],
            check=False,
            cwd=self.cwd,
            env=self.env,
            input=text,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert result.returncode == 0, f"{program} {arguments}: {result.stderr}"
        return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel with its base dependencies in an environment of its own."""
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def tiny_index(installed: Installed) -> str:
    """An index of one locked package, fetched and built by the installed program."""
    packages = LOCK.read_text(encoding="utf-8").split("[[package]]\n")
    chosen = next(text for text in packages if 'name = "itsdangerous"' in text)
    lock = installed.cwd / "tiny.lock"
    lock.write_text(f"format = 1\nstandard_library = false\n\n[[package]]\n{chosen}")
    installed.run("starcite", "corpus", "fetch", "--lock", str(lock), "--to", "tiny-corpus")
    installed.run("starcite", "index", "build", "--corpus", "tiny-corpus", "--out", "tiny-index")
    return "tiny-index"


def test_the_wheel_holds_the_packages_the_default_lock_and_nothing_else(wheel: Path) -> None:
    """Code, type markers and the lock are inside; tests and the extension are not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}

    assert "indexer/corpus/default.lock" in names
    assert tops == {
        "starcite.py",
        "lsp_server",
        "attribution",
        "indexer",
        "stareencoder",
        "training",
    }


def test_every_subcommand_has_help(installed: Installed) -> None:
    """`--help` works for the program, each group and each command in it."""
    for path in _commands(starcite.main, ()):
        assert "Usage: starcite" in installed.run("starcite", *path, "--help")


def test_code_comes_from_the_environment_and_without_torch(installed: Installed) -> None:
    """No module is loaded from this checkout, and serving and tracing load no torch."""
    files, has_torch = installed.run("python", "-c", LIST_MODULES).splitlines()

    assert str(ROOT) not in files
    assert has_torch == "False"


def test_a_corpus_is_fetched_indexed_verified_and_traced(
    installed: Installed, tiny_index: str
) -> None:
    """The installed program fetches a corpus, builds its index and finds a copied function."""
    archive = next(installed.cwd.glob("tiny-corpus/packages/*.whl"))
    with zipfile.ZipFile(archive) as opened:
        lines = opened.read(SOURCE).decode().splitlines(keepends=True)
    installed.run("starcite", "index", "verify", tiny_index)
    copied = _trace(installed, tiny_index, "".join(lines[40:60]))
    own = _trace(installed, tiny_index, Path(__file__).read_text(encoding="utf-8"))
    source = copied["matches"][0]["sources"][0]

    assert own["verdict"] == "none"
    assert copied["matches"][0]["tier"] == "E1"
    assert source["origins"][0]["path"] == SOURCE
    assert (source["span"]["start_line"], source["span"]["end_line"]) == (40, 60)


def test_the_language_server_answers_initialize(installed: Installed) -> None:
    """`starcite lsp --stdio` says who it is and that it completes inline."""
    capabilities = {"textDocument": {"inlineCompletion": {"dynamicRegistration": False}}}
    messages = [
        _request(
            1, "initialize", {"processId": None, "rootUri": None, "capabilities": capabilities}
        ),
        _notification("initialized", {}),
        _request(2, "shutdown", None),
        _notification("exit", None),
    ]
    output = installed.run("starcite", "lsp", "--stdio", text="".join(messages))
    answer = json.loads(output[output.index("{") :].split("Content-Length")[0])

    assert answer["result"]["serverInfo"]["name"] == "starcite"
    assert answer["result"]["capabilities"]["inlineCompletionProvider"] is not None


def _trace(installed: Installed, index: str, text: str) -> dict[str, Any]:
    answer = installed.run("starcite", "trace", "--index", index, "--json", "-", text=text)
    result: dict[str, Any] = json.loads(answer)["results"][0]
    return result


def _commands(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = [path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            found += _commands(child, (*path, name))
    return found


def _request(number: int, method: str, params: object) -> str:
    return _framed({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def _notification(method: str, params: object) -> str:
    return _framed({"jsonrpc": "2.0", "method": method, "params": params})


def _framed(message: dict[str, object]) -> str:
    body = json.dumps(message)
    return f"Content-Length: {len(body)}\r\n\r\n{body}"
