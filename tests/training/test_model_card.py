"""The model card: made of the manifest and of scores of the very same weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.source_file import SourceFile
from lsp_server.models import open_model, verify_model
from training.config import Recipe
from training.errors import CheckpointError
from training.evaluate.model_digest import model_digest
from training.export import export_model
from training.fit import Task, fit
from training.model_card import CARD, curve_of, licenses_of, write_card


@pytest.fixture
def folder(recipe: Recipe, tokens: Path, files: list[SourceFile], tmp_path: Path) -> Path:
    """A run of a few steps, exported."""
    task = Task(
        run=tmp_path / "run",
        recipe=recipe,
        packed=(tokens / "train",),
        tokenizer=tokens,
        heldout=tokens / "other",
    )
    windows = np.random.default_rng(1).integers(19, 320, (2, 17))
    return export_model(
        fit(task), tmp_path / "served", windows, data_licenses=licenses_of(files)
    ).folder


def score(row: str, task: str, value: float | None) -> dict[str, object]:
    figures = {"value": value, "low": value and value / 2, "high": value, "n": 200}
    return {"task": task, "row": row, "column": "exact", **figures}


def write_scores(path: Path, identity: str) -> Path:
    table = [
        score("served", "bits", 1.25),
        score("served (spm, healed)", "lines", 0.25),
        score("served (psm)", "lines", None),
        score("copy lane", "lines", 0.5),
    ]
    path.write_text(json.dumps({"identities": {"served": identity}, "table": table}))
    return path


def test_an_export_has_a_card_of_its_training(folder: Path) -> None:
    """Corpus, shape, time, curve, licences and limits stand in it; scores are not made up."""
    text = (folder / CARD).read_text("utf-8")

    assert "c" * 64 in text
    assert "2 layers of width 16" in text
    assert "| MIT | 30 |" in text
    assert "| 0.0 M | " in text.split("## Held-out")[1]
    assert "have not been scored" in text
    assert "## Limits" in text


def test_scores_of_these_weights_stand_in_the_card(folder: Path, tmp_path: Path) -> None:
    """Its own rows with their intervals, of nobody else; the folder still verifies."""
    scores = write_scores(tmp_path / "scores.json", model_digest(folder))
    text = write_card(folder, scores).read_text("utf-8")

    assert "| bits: served | exact | 1.250 (0.625-1.250) | 200 |" in text
    assert "| lines: served (spm, healed) | exact | 25.0 % (12.5-25.0) | 200 |" in text
    assert "copy lane" not in text
    assert "psm" not in text.split("## Scores")[1]
    verify_model(open_model(str(folder)))


def test_scores_of_other_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    """The message names both files and the command that scores these."""
    before = (folder / CARD).read_bytes()
    with pytest.raises(CheckpointError, match=r"other weights .* starcite eval model"):
        write_card(folder, write_scores(tmp_path / "scores.json", "0" * 64))

    assert (folder / CARD).read_bytes() == before


@pytest.mark.parametrize(
    "garbage", [b"", b"[]", b"{}", b'{"identities": 3, "table": []}', b"\xff\x00", b"[" * 100_000]
)
def test_garbage_for_scores_is_an_error(folder: Path, tmp_path: Path, garbage: bytes) -> None:
    """Whatever the file holds, it is one line that names it."""
    (tmp_path / "scores.json").write_bytes(garbage)
    with pytest.raises(CheckpointError, match=r"scores\.json"):
        write_card(folder, tmp_path / "scores.json")


def test_a_curve_keeps_its_newest_point_and_few_others() -> None:
    """Repeated values are one look; a long run is thinned from its end."""
    rows = [{"tokens": n * 10, "heldout_bpb": 3.0 - n // 2 / 100} for n in range(100)]
    points = curve_of(rows, n_before=7)

    assert len(points) <= 12
    assert points[-1] == (98 * 10 + 7, 3.0 - 49 / 100)
    assert points == sorted(points)
