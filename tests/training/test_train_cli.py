"""`starcite train` from shards to a checkpoint, and what it says when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.curate.curation import Task, curate_corpus
from indexer.source_file import SourceFile
from training.cli import train
from training.metrics import read_metrics
from training.report import line_chart


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(train, list(arguments))
    return result.exit_code, result.output


def _fit(folder: Path, run: str, *more: str) -> tuple[int, str]:
    tokens = folder
    return _run(
        *("fit", run, "--recipe", "nano", "--tokenizer", str(tokens)),
        *("--packed", str(tokens / "train"), "--heldout", str(tokens / "other"), "--threads", "1"),
        *("--set", "model.n_layer=1", "--set", "model.n_embd=16", "--set", "model.n_head=2"),
        *("--set", "model.vocab_size=320", "--set", "data.block_size=32"),
        *("--set", "schedule.batch_tokens=64", "--set", "run.eval_tokens=64"),
        *("--set", "run.eval_every_tokens=128", "--set", "run.device=cpu"),
        *more,
    )


def test_a_model_is_trained_reported_and_gone_on_with(tokens: Path, tmp_path: Path) -> None:
    """fit writes a checkpoint and figures, fit again goes on, report draws the curves."""
    run = str(tmp_path / "run")
    code, text = _fit(tokens, run, "--tokens", "256", "--json")
    assert code == 0, text
    outcome = json.loads(text[text.index("{") :])
    code, text = _fit(tokens, run, "--tokens", "0.512k")
    assert code == 0, text
    page = tmp_path / "run.html"
    code, text = _run("report", run, "--html", str(page))
    assert code == 0, text

    assert outcome["step"] == 4
    assert [row["step"] for row in read_metrics(tmp_path / "run")] == list(range(1, 9))
    html = page.read_text(encoding="utf-8")
    assert html.count("<polyline") == 3
    assert "bits a byte" in html
    assert "<script" not in html


def test_an_encoder_is_trained_by_the_same_commands(tokens: Path, tmp_path: Path) -> None:
    """docstrings, fit with an encoder's recipe, report: figures under their own names."""
    code, text = _run("docstrings", str(tokens / "train"), "--tokenizer", str(tokens))
    assert code == 0, text
    run, page = str(tmp_path / "run"), tmp_path / "run.html"
    shape = ("--recipe", "encoder-nano", "--set", "model.vocab_size=324", "--tokens", "256")
    code, text = _fit(tokens, run, *shape)
    assert code == 0, text
    code, report = _run("report", run, "--html", str(page))
    assert code == 0, report

    assert "nats a masked token" in text
    assert "Held-out text, share of right next segments" in page.read_text(encoding="utf-8")


def test_training_goes_on_from_a_copy_in_half_precision(tokens: Path, tmp_path: Path) -> None:
    """keep writes half as many bytes, from which a new run begins."""
    run, copy = tmp_path / "run", tmp_path / "copy"
    code, text = _fit(tokens, str(run), "--tokens", "128")
    assert code == 0, text
    last = run / "step-00000002"
    code, text = _run("keep", str(last), "--to", str(copy))
    assert code == 0, text
    code, text = _fit(tokens, str(tmp_path / "next"), "--tokens", "128", "--from", str(copy))

    assert code == 0, text
    assert not (copy / "optimizer.pt").exists()
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (copy, last)]
    assert sizes[0] < 0.7 * sizes[1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["plan", "--recipe", "tinny"], 2, "no recipe 'tinny'"),
        (["plan", "--set", "optim.lrr=1"], 2, "the nearest is 'lr'"),
        (["plan", "--set", "lr=1"], 2, "write it as table.key=value"),
        (["plan", "--tokens", "many"], 2, "write 500k, 20M or 1.5B"),
        (["plan", "--packed", "NOWHERE"], 3, "run: starcite train pack"),
        (["tokenizer", "--from", "NOWHERE", "--to", "OUT"], 3, "no shards in"),
        (["report", "NOWHERE", "--html", "OUT"], 3, "no step is recorded"),
    ],
)
def test_a_slip_ends_in_one_line(
    arguments: list[str], code: int, said: str, tmp_path: Path
) -> None:
    """The exit code is the documented one, and the line names value and next step."""
    places = {"NOWHERE": str(tmp_path / "nowhere"), "OUT": str(tmp_path / "out")}
    found, text = _run(*(places.get(word, word) for word in arguments))

    assert found == code
    assert said in text
    assert "Traceback" not in text


def test_a_plan_is_arithmetic_that_can_be_piped() -> None:
    """The JSON has the published size of the largest model."""
    code, text = _run("plan", "--recipe", "starcoderbase-15b", "--json")

    assert code == 0
    assert json.loads(text)["n_parameters"] == 15_517_456_384


def test_shards_become_a_tokenizer_and_packed_tokens(
    files: list[SourceFile], tmp_path: Path
) -> None:
    """tokenizer and pack read curated shards; what is packed names their digest."""
    shards = tmp_path / "shards"
    manifest = curate_corpus(Task(read=lambda: iter(files), folder=shards))
    code, text = _run(
        "tokenizer", "--from", str(shards), "--to", str(tmp_path), "--vocab-size", "300"
    )
    assert code == 0, text
    code, text = _run(
        *("pack", "--from", str(shards), "--tokenizer", str(tmp_path)),
        *("--to", str(tmp_path / "train"), "--language", "python"),
    )
    assert code == 0, text
    packed = json.loads((tmp_path / "train" / "packed.json").read_text(encoding="utf-8"))

    assert packed["corpus_digest"] == manifest.corpus_digest
    assert packed["n_documents"] == manifest.n_files


def test_a_curve_of_one_point_is_none() -> None:
    """A run of one step has nothing to draw."""
    assert "<svg" not in line_chart("Loss", [(1.0, 2.0)])
