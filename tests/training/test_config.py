"""Recipes: the shipped ones are the published ones, and a slip is named with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.config import parse_recipe, read_recipe, recipe_names
from training.errors import RecipeError
from training.plan import make_plan, n_parameters


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_can_be_read(name: str) -> None:
    """None has a key or a value that is refused."""
    assert read_recipe(name).n_steps > 0


@pytest.mark.parametrize(
    ("name", "billions", "n_steps"),
    [
        ("starcoderbase-1b", 1.137, 1_000_000),
        ("starcoderbase-3b", 3.043, 500_000),
        ("starcoderbase-7b", 7.327, 250_000),
        ("starcoderbase-15b", 15.517, 250_000),
        ("starcoder-python", 15.517, 8_500),
    ],
)
def test_the_published_models_have_the_published_sizes(
    name: str, billions: float, n_steps: int
) -> None:
    """Parameters and steps are those of the paper (arXiv 2305.06161, section 5)."""
    recipe = read_recipe(name)

    assert round(n_parameters(recipe.model) / 1e9, 3) == billions
    assert recipe.n_steps == n_steps


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"modle": {}}, "unknown table [modle]; the nearest is 'model'"),
        ({"model": {"n_layers": 3}}, "unknown key 'n_layers'; the nearest is 'n_layer'"),
        ({"model": {"n_layer": 0}}, "n_layer is 0, not from 1"),
        ({"model": {"n_layer": True}}, "n_layer is True"),
        ({"model": {"n_layer": 2.5}}, "n_layer is 2.5, not a whole number"),
        ({"model": {"n_head": 7}}, "which 7 heads cannot share"),
        ({"optim": {"optimizer": "sgd"}}, "'sgd', not one of adamw, muon"),
        ({"data": {"weights": {"a": -1}}}, "positive shares"),
        ({"data": {"block_size": 4096}}, "more than the model's 1024 positions"),
        ({"schedule": {"batch_tokens": 8}}, "less than one block"),
        ({"run": {"compile": 1}}, "not true or false"),
        ({"run": 3}, "not a table"),
    ],
)
def test_a_slip_is_named(tables: dict[str, object], said: str) -> None:
    """The message holds the key, the value and what is possible."""
    with pytest.raises(RecipeError) as raised:
        parse_recipe(tables)

    assert said in str(raised.value)


@pytest.mark.parametrize("text", ["model = ", "\x00", "[model\n", "a = 1\na = 2"])
def test_garbage_is_refused(text: str, tmp_path: Path) -> None:
    """What is no TOML is no recipe."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"mine\.toml"):
        read_recipe(str(path))


def test_a_missing_recipe_names_those_that_are_shipped() -> None:
    """The list stands in the message."""
    with pytest.raises(RecipeError, match="nano, small"):
        read_recipe("tinny")


def test_one_key_can_be_changed() -> None:
    """An override is a TOML value or a bare word."""
    recipe = read_recipe("nano", {"optim.lr": "1e-3", "optim.optimizer": "adamw"})

    assert (recipe.optim.lr, recipe.optim.optimizer) == (1e-3, "adamw")


def test_the_digest_leaves_out_what_changes_speed_only() -> None:
    """Another checkpoint interval is the same run, another seed is not."""
    nano = read_recipe("nano")

    assert read_recipe("nano", {"run.checkpoint_s": "5"}).digest() == nano.digest()
    assert read_recipe("nano", {"data.seed": "5"}).digest() != nano.digest()


def test_a_plan_counts_passes_and_time() -> None:
    """Tokens, passes over the corpus and time follow from each other."""
    plan = make_plan(read_recipe("nano"), packed_tokens=1_000_000, tokens_per_s=1000.0)

    assert plan.tokens == 488 * 4096
    assert plan.epochs == plan.tokens / 1e6
    assert plan.seconds == plan.tokens / 1000
    assert plan.cache_bytes_per_token == 2 * 4 * 64 * 2
