"""Recipes: everything that decides a run, as frozen values read from one TOML file.

A recipe has five tables: `model`, `data`, `optim`, `schedule` and `run`. With a sixth, `objective`,
it trains an encoder. An unknown key is refused with the nearest known one. What stands in `run`
changes speed and safety, never what is learnt beyond rounding; the others are the recipe's digest.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

from stareencoder.config import EncoderConfig
from training.errors import RecipeError

RECIPES = resources.files("training") / "recipes"
Table = TypeVar("Table")


def _knob(default: Any, doc: str, bounds: tuple[float, float] | tuple[str, ...]) -> Any:
    return field(default=default, metadata={"doc": doc, "bounds": bounds})


@dataclass(frozen=True, kw_only=True, slots=True)
class DecoderConfig:
    """The shape of a GPTBigCode decoder (StarCoder paper, table 5; transformers' `gpt_bigcode`)."""

    n_layer: int = _knob(6, "blocks", (1, 200))
    n_embd: int = _knob(320, "width of the residual stream", (8, 65536))
    n_head: int = _knob(5, "query heads; keys and values have one head", (1, 1024))
    n_inner: int = _knob(0, "width of the feed-forward part; 0: four times n_embd", (0, 262144))
    n_positions: int = _knob(1024, "learned positions", (8, 1 << 20))
    vocab_size: int = _knob(8192, "tokens, the 19 sentinels included", (275, 65536))
    dropout: float = _knob(0.0, "on embeddings, attention and residuals", (0, 0.9))
    init_std: float = _knob(0.0, "of the initial weights; 0: 1/sqrt(n_embd)", (0, 1))

    def __post_init__(self) -> None:
        if self.n_embd % self.n_head:
            raise RecipeError(
                f"n_embd is {self.n_embd}, which {self.n_head} heads cannot share evenly; "
                "choose an n_head that divides it"
            )

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.n_embd // self.n_head

    @property
    def inner(self) -> int:
        """Width of the feed-forward part."""
        return self.n_inner or 4 * self.n_embd

    @property
    def std(self) -> float:
        """Standard deviation of the initial weights."""
        return self.init_std or self.n_embd**-0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """What is read, in which order and how it is permuted."""

    block_size: int = _knob(1024, "tokens that a sample predicts", (8, 1 << 20))
    fim_rate: float = _knob(0.5, "of segments that are permuted for infilling", (0, 1))
    spm_rate: float = _knob(0.5, "of permuted segments with the suffix first", (0, 1))
    fim_overflow: Literal["prefix", "middle"] = _knob(
        "prefix", "what is cut where sentinels need room; published: middle", ("prefix", "middle")
    )
    seed: int = _knob(0, "of the order and of the permutations", (0, 1 << 62))
    weights: Mapping[str, float] = field(
        default_factory=dict,
        metadata={"doc": "share of each packed source by folder name; none: by size"},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectiveConfig:
    """What an encoder learns from a sample; the views are those of `retrieval`."""

    kind: Literal["mlm", "lexical", "retrieval"] = _knob(
        "mlm",
        "masked tokens and next segment; or vectors that find, of the words alone or of all",
        ("mlm", "lexical", "retrieval"),
    )
    mask_rate: float = _knob(0.15, "of tokens that are to be predicted", (0.01, 0.9))
    next_weight: float = _knob(1.0, "of the loss of the next segment", (0, 100))
    temperature: float = _knob(0.05, "by which similarities are divided", (1e-3, 10))
    min_dim: int = _knob(64, "shortest prefix of a vector that has to find, too", (1, 65536))
    changed: float = _knob(0.6, "share of code that was renamed, laid out anew, edited", (0, 1))
    documented: float = _knob(0.3, "share of docstrings with their function", (0, 1))
    neighbour: float = _knob(0.1, "share of lines with those that follow them", (0, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimConfig:
    """The optimiser."""

    optimizer: Literal["adamw", "muon"] = _knob("muon", "of the matrices", ("adamw", "muon"))
    lr: float = _knob(2e-3, "peak learning rate of AdamW", (1e-8, 1))
    muon_lr: float = _knob(3e-3, "peak learning rate of Muon", (1e-8, 1))
    beta1: float = _knob(0.9, "AdamW", (0, 0.9999))
    beta2: float = _knob(0.95, "AdamW", (0, 0.99999))
    eps: float = _knob(1e-8, "AdamW", (1e-16, 1e-2))
    weight_decay: float = _knob(0.1, "of matrices", (0, 10))
    clip: float = _knob(1.0, "norm to which gradients are clipped; 0: never", (0, 1e6))


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleConfig:
    """How long, and how the learning rate moves."""

    kind: Literal["wsd", "cosine"] = _knob(
        "wsd", "warm-up, stable, decay; or cosine after the warm-up", ("wsd", "cosine")
    )
    tokens: int = _knob(20_000_000, "tokens of the whole run", (1, 1 << 62))
    batch_tokens: int = _knob(16_384, "tokens of one step", (8, 1 << 32))
    warmup_tokens: int = _knob(400_000, "tokens of the linear warm-up", (0, 1 << 62))
    decay_tokens: int = _knob(3_000_000, "tokens of the final decay (wsd)", (0, 1 << 62))
    final_lr_ratio: float = _knob(0.0, "learning rate at the end, of the peak", (0, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """Speed and safety."""

    device: Literal["auto", "cpu", "cuda"] = _knob("auto", "where", ("auto", "cpu", "cuda"))
    precision: Literal["auto", "fp32", "bf16"] = _knob(
        "auto", "auto: bf16 where the hardware multiplies in it", ("auto", "fp32", "bf16")
    )
    micro_batch_tokens: int = _knob(8192, "tokens of one forward pass", (8, 1 << 32))
    compile: bool = _knob(False, "torch.compile", (0, 1))  # noqa: FBT003
    parallel: Literal["none", "ddp", "fsdp"] = _knob(
        "none", "of several processes that torchrun starts", ("none", "ddp", "fsdp")
    )
    checkpoint_s: int = _knob(600, "seconds between checkpoints", (0, 1 << 31))
    keep: int = _knob(2, "checkpoints that stay", (1, 1000))
    eval_tokens: int = _knob(131_072, "held-out tokens that are predicted each time", (0, 1 << 40))
    eval_every_tokens: int = _knob(1_000_000, "tokens between two looks at them", (1, 1 << 62))


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """One run."""

    model: DecoderConfig | EncoderConfig = field(default_factory=DecoderConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    run: RunConfig = field(default_factory=RunConfig)
    objective: ObjectiveConfig | None = None  # an encoder's

    def __post_init__(self) -> None:
        if self.data.block_size > self.model.n_positions:
            raise RecipeError(
                f"data.block_size is {self.data.block_size}, more than the model's "
                f"{self.model.n_positions} positions; lower it or raise model.n_positions"
            )
        if self.schedule.batch_tokens < self.data.block_size:
            raise RecipeError(
                f"schedule.batch_tokens is {self.schedule.batch_tokens}, less than one block of "
                f"{self.data.block_size}; raise it"
            )

    @property
    def samples_per_step(self) -> int:
        """Samples of one step."""
        return self.schedule.batch_tokens // self.data.block_size

    @property
    def tokens_per_step(self) -> int:
        """Tokens of one step, in whole samples."""
        return self.samples_per_step * self.data.block_size

    @property
    def n_steps(self) -> int:
        """Steps of the whole run."""
        return max(1, self.schedule.tokens // self.tokens_per_step)

    def digest(self) -> str:
        """Equal for recipes that differ in `run` alone."""
        table = asdict(self)
        del table["run"]
        if self.objective is None:
            del table["objective"]
        return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()


def recipe_names() -> list[str]:
    """The recipes that are shipped."""
    return sorted(entry.name.removesuffix(".toml") for entry in RECIPES.iterdir())


def read_recipe(name_or_path: str, overrides: Mapping[str, str] | None = None) -> Recipe:
    """A shipped recipe by name, or one of the user's by path, with single keys changed.

    Args:
        name_or_path: "tiny", or a TOML file.
        overrides: "table.key" → TOML value, as the command line has them.

    Raises:
        RecipeError: it cannot be read or says what no recipe says.
    """
    source = (
        Path(name_or_path) if name_or_path.endswith(".toml") else RECIPES / f"{name_or_path}.toml"
    )
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"no recipe {name_or_path!r}: {error.strerror}; there are {', '.join(recipe_names())}, "
            "or give a .toml file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{name_or_path} is no TOML file: {error}") from error
    for key, value in (overrides or {}).items():
        _override(tables, key, value)
    return parse_recipe(tables, name=name_or_path)


def parse_recipe(tables: Mapping[str, Any], *, name: str = "recipe") -> Recipe:
    """The recipe that tables of some of its keys stand for.

    Raises:
        RecipeError: a table or a key is unknown, or a value is of another type or out of bounds.
    """
    sections: dict[str, Any] = {
        "model": EncoderConfig if tables.get("objective") is not None else DecoderConfig,
        "objective": ObjectiveConfig,
        "data": DataConfig,
        "optim": OptimConfig,
        "schedule": ScheduleConfig,
        "run": RunConfig,
    }
    values: dict[str, Any] = {}
    for table, keys in tables.items():
        if table not in sections:
            raise RecipeError(f"{name}: unknown table [{table}]; {_nearest(table, sections)}")
        if table == "objective" and keys is None:
            continue  # a decoder's, as a manifest holds it
        if not isinstance(keys, Mapping):
            raise RecipeError(f"{name}: {table} is {keys!r}, not a table")
        values[table] = parse_table(sections[table], keys, name=f"{name}: {table}")
    return Recipe(**values)


def parse_table(kind: type[Table], keys: Mapping[str, Any], *, name: str) -> Table:
    """One frozen value from a table of some of its keys.

    Raises:
        RecipeError: as `parse_recipe`.
    """
    known = {entry.name: entry for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {}
    for key, value in keys.items():
        if key not in known:
            raise RecipeError(f"{name}: unknown key {key!r}; {_nearest(key, known)}")
        values[key] = _checked(value, known[key], f"{name}.{key}")
    try:
        return kind(**values)
    except ValueError as error:
        raise RecipeError(f"{name}: {error}") from error


def _checked(value: Any, entry: dataclasses.Field[Any], name: str) -> Any:
    bounds = entry.metadata.get("bounds")
    if bounds is None:
        return _weights(value, name)
    if isinstance(bounds[0], str):
        if value not in bounds:
            raise RecipeError(f"{name} is {value!r}, not one of {', '.join(bounds)}")
        return value
    default: Any = entry.default
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise RecipeError(f"{name} is {value!r}, not true or false")
        return value
    wanted = (int,) if isinstance(default, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise RecipeError(f"{name} is {value!r}, not a {'whole ' * (len(wanted) == 1)}number")
    if not bounds[0] <= value <= bounds[1]:
        raise RecipeError(f"{name} is {value!r}, not from {bounds[0]:g} to {bounds[1]:g}")
    return float(value) if isinstance(default, float) else value


def _weights(value: Any, name: str) -> Mapping[str, float]:
    is_table = isinstance(value, Mapping) and all(
        isinstance(share, int | float) and not isinstance(share, bool) and share > 0
        for share in value.values()
    )
    if not is_table:
        raise RecipeError(f"{name} is {value!r}, not a table of folder names and positive shares")
    return dict(value)


def _override(tables: dict[str, Any], key: str, value: str) -> None:
    table, dot, name = key.partition(".")
    if not dot:
        raise RecipeError(
            f"{key!r} names no table; write it as table.key=value, as in optim.lr=1e-3"
        )
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        parsed = value  # a bare word
    tables.setdefault(table, {})[name] = parsed


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    return f"the nearest is {difflib.get_close_matches(word, known, n=1, cutoff=0)[0]!r}"
