"""An encoder in the loop: all stages learn, resume bit for bit, may begin with a decoder."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from stareencoder.checkpoint import load_encoder
from stareencoder.config import EncoderConfig
from stareencoder.model import StarEncoder
from training import checkpoint
from training.config import ObjectiveConfig, Recipe
from training.docstrings import write_docstrings
from training.encoder_trainee import take_embedding
from training.errors import RecipeError, TokenizerError
from training.fit import Progress, Task, fit
from training.tokenizer import save_tokenizer, train_tokenizer

Kind = Literal["mlm", "lexical", "retrieval"]
MODEL = EncoderConfig(n_layer=2, n_embd=32, n_head=2, n_positions=64, vocab_size=324)
KINDS: tuple[Kind, ...] = ("mlm", "lexical", "retrieval")


@pytest.fixture
def task(recipe: Recipe, tokens: Path, tokenizer: Tokenizer, tmp_path: Path) -> Task:
    write_docstrings(tokens / "train", tokenizer)
    write_docstrings(tokens / "other", tokenizer)
    schedule = replace(recipe.schedule, tokens=12 * 512, batch_tokens=512)
    run = replace(recipe.run, micro_batch_tokens=512, eval_tokens=1024, eval_every_tokens=1024)
    encoder = replace(recipe, model=MODEL, objective=ObjectiveConfig(), schedule=schedule, run=run)
    return Task(
        run=tmp_path / "run",
        recipe=encoder,
        packed=(tokens / "train",),
        tokenizer=tokens,
        heldout=tokens / "other",
    )


def _of(task: Task, kind: Kind, **changes: object) -> Task:
    objective = ObjectiveConfig(kind=kind, **changes)  # type: ignore[arg-type]
    model = replace(MODEL, n_lexical=0 if kind == "mlm" else 48)
    return replace(task, recipe=replace(task.recipe, model=model, objective=objective))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_learns(kind: Kind, task: Task) -> None:
    """The loss falls, and what was held out is measured under the names of the stage."""
    seen: list[Progress] = []
    fit(_of(task, kind), seen.append)
    names = {"heldout_mlm", "heldout_next"} if kind == "mlm" else {"heldout_mrr"}

    assert seen[-1].loss < seen[0].loss - 0.2
    assert set(seen[-1].measured) == names
    assert seen[-1].heldout_bpb is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_was_stopped_ends_with_the_same_bits(
    kind: Kind, task: Task, tmp_path: Path
) -> None:
    """A signal in the middle, then gone on with: as if nothing had happened."""
    whole = _of(task, kind)
    broken = replace(whole, run=tmp_path / "broken")

    def stop(now: Progress) -> None:
        if now.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        fit(broken, stop)
    one, other = fit(broken), fit(whole)
    weights, others = (load_file(folder / checkpoint.WEIGHTS) for folder in (one, other))

    assert all(torch.equal(weights[name], others[name]) for name in others)
    assert (one / checkpoint.OPTIMIZER).read_bytes() == (other / checkpoint.OPTIMIZER).read_bytes()


def test_each_stage_begins_where_the_one_before_ended(task: Task, tmp_path: Path) -> None:
    """--from an encoder takes all of its weights; the table of words is added where it had none."""
    first = fit(task)
    words = fit(_of(replace(task, run=tmp_path / "second", start_from=first), "lexical"))
    last = fit(_of(replace(task, run=tmp_path / "third", start_from=words), "retrieval"))
    model, missing = load_encoder(last)
    before, after = (load_file(folder / checkpoint.WEIGHTS) for folder in (first, words))

    assert not missing
    assert checkpoint.read_manifest(last)["before"]["tokens"] == 2 * 12 * 512
    assert isinstance(model, StarEncoder)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_decoder_gives_its_words(task: Task, recipe: Recipe, tmp_path: Path) -> None:
    """--from a decoder with the same tokenizer takes its embedding; one with another is refused."""
    decoder = fit(replace(task, run=tmp_path / "decoder", recipe=recipe))
    begun = replace(task, start_from=decoder)
    fit(begun)
    save_tokenizer(train_tokenizer(["other words"] * 3, 320), decoder)

    with pytest.raises(TokenizerError, match="another tokenizer"):
        fit(replace(begun, run=tmp_path / "other"))


@pytest.mark.parametrize("width", [16, 32, 48])
def test_an_embedding_of_any_width_keeps_who_is_like_whom(width: int) -> None:
    """Narrower, equal or wider: words that were near each other in the decoder stay so."""
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(10, width)).repeat(32, axis=0)
    words = torch.from_numpy(groups + 0.1 * rng.normal(size=groups.shape))
    model = StarEncoder(MODEL)
    take_embedding(model, words)
    own = model.bert.embeddings["word_embeddings"].weight.detach()[:320]
    near = torch.nn.functional.normalize(own, dim=-1)
    scores = near @ near.T

    assert scores[0, 1:32].mean() > scores[0, 32:].mean() + 0.25
    assert float(own.std()) == pytest.approx(MODEL.init_std, rel=0.1)


def test_what_does_not_go_together_is_refused(task: Task) -> None:
    """Without the encoder's own tokens or a table of words; processes that cannot share a loss."""
    small = replace(task.recipe, model=replace(MODEL, vocab_size=320))
    with pytest.raises(RecipeError, match=r"set model\.vocab_size=324"):
        fit(replace(task, recipe=small))
    wordless = replace(task.recipe, objective=ObjectiveConfig(kind="lexical"))
    with pytest.raises(RecipeError, match=r"set model\.n_lexical"):
        fit(replace(task, recipe=wordless))
    spread = replace(task.recipe, run=replace(task.recipe.run, parallel="fsdp"))
    with pytest.raises(RecipeError, match="torchrun"):
        fit(replace(task, recipe=spread))
