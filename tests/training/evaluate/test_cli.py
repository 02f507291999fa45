"""`starcite eval model` from end to end, on a small corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import starcite
from indexer import SourceFile
from indexer.build import build_index


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(starcite.main, ["eval", "model", *map(str, arguments)])


def options(corpus: Path, tmp_path: Path) -> list[str | Path]:
    return ["--heldout", corpus, "--train", corpus, "--out", tmp_path / "out", "--cursors", "4"]


def test_lanes_and_baselines_stand_in_one_table(corpus: Path, tmp_path: Path) -> None:
    """Text for people, JSON for machines, raw figures kept; a second run measures nothing anew."""
    arguments = [*options(corpus, tmp_path), "--json", tmp_path / "a.json", "--lane", "copy"]
    result = run("lines", "fim", *arguments)

    assert result.exit_code == 0, result.stderr
    assert "copy lane" in result.stdout
    assert "previous line" in result.stdout
    table = json.loads((tmp_path / "a.json").read_text())["table"]
    rows = {(cell["task"], cell["row"], cell["column"]): cell for cell in table}
    copied = rows["fim", "copy lane", "first_line"]
    assert copied["n"] == 4
    assert 0 <= copied["low"] <= copied["value"] <= copied["high"] <= 1
    raw = (tmp_path / "out" / "records.jsonl").read_bytes()

    again = run("lines", "fim", *arguments)

    assert again.stdout == result.stdout
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == raw


def test_canonical_solutions_pass_in_the_sandbox(tmp_path: Path) -> None:
    """The first of them, and the isolation that there was stands in the result."""
    result = run(
        "canonical", "--problems", "6", "--out", tmp_path / "out", "--json", tmp_path / "a.json"
    )
    found = json.loads((tmp_path / "a.json").read_text())

    assert result.exit_code == 0, result.stderr
    assert (found["table"][0]["value"], found["table"][0]["n"]) == (1.0, 6)
    assert set(found["sandbox"]) == {"network", "files", "processes", "user"}


def test_a_model_does_every_task(
    corpus: Path, files: list[SourceFile], tiny_model: Path, tmp_path: Path
) -> None:
    """A random model by path gets a figure in every block, beside the n-gram model."""
    build_index(files, tmp_path / "index")
    arguments = [*options(corpus, tmp_path), "--model", tiny_model, "--json", tmp_path / "a.json"]
    arguments += ["--index", tmp_path / "index", "--problems", "1", "--prompts", "2"]
    result = run(*arguments, "--files", "3", "--variants")

    assert result.exit_code == 0, result.stderr
    table = json.loads((tmp_path / "a.json").read_text())["table"]
    rows = {(cell["task"], cell["row"]) for cell in table}
    assert {(task, "tiny") for task in ("bits", "humaneval", "memorization")} <= rows
    variants = {
        f"tiny ({layout}{heal})" for layout in ("prefix", "psm", "spm") for heal in ("", ", healed")
    }
    assert {("infilling", variant) for variant in variants} <= rows
    assert ("bits", "5-gram Kneser-Ney") in rows
    bits = next(cell for cell in table if (cell["task"], cell["row"]) == ("bits", "tiny"))
    assert 2 < bits["value"] < 12  # a random model spreads over all tokens


def test_results_of_another_model_of_the_same_name_are_refused(
    corpus: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """A table never mixes two models, even if their folders have one name."""
    other = tmp_path / "other" / tiny_model.name
    other.mkdir(parents=True)
    for path in tiny_model.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    arguments = ["bits", *options(corpus, tmp_path), "--files", "1", "--no-baselines"]
    assert run(*arguments, "--model", tiny_model).exit_code == 0
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    (other / "tokenizer.json").write_text(json.dumps(tokenizer, indent=3))

    result = run(*arguments, "--model", other)

    assert result.exit_code == 3
    assert "another 'tiny'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["frobnicate"], 2, "no task 'frobnicate'"),
        (["lines", "--cursors", "0"], 2, "n_cursors is 0"),
        (["lines", "--temperature", "-1"], 2, "outside 0 to 10"),
        (["lines", "--lane", "copy", "--no-baselines", "--heldout", "nowhere"], 3, "nowhere"),
        (["lines", "--lane", "no-such-model", "--no-baselines"], 3, "no-such-model"),
    ],
)
def test_bad_input_is_told_in_one_line(
    arguments: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong and the exit code for it, no traceback."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    result = run(*arguments, "--out", tmp_path / "out")

    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
