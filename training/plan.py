"""What a recipe will cost before it runs: parameters, memory, tokens and compute, by arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from stareencoder.config import EncoderConfig
from training.config import DecoderConfig, Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The arithmetic of a recipe."""

    n_parameters: int
    n_steps: int
    tokens: int
    epochs: float | None  # over the packed tokens, where their number is known
    flop_per_token: float  # forwards and backwards
    flop: float
    weight_bytes: int  # float32
    training_bytes: int  # weights, gradients and the optimisers' states
    activation_bytes: int  # of one micro-batch, without recomputation; an estimate
    cache_bytes_per_token: int  # keys and values in float16
    seconds: float | None  # at the speed that was given


def n_parameters(config: DecoderConfig | EncoderConfig) -> int:
    """Parameters; the tied embedding counts once."""
    width, inner, head = config.n_embd, config.inner, config.head_dim
    is_encoder, lexical = isinstance(config, EncoderConfig), 0
    if isinstance(config, EncoderConfig) and config.n_lexical:  # the table, its weights, a matrix
        lexical = config.n_lexical * (config.vocab_size + width) + config.vocab_size
    keys = width if is_encoder else head  # a decoder's heads share them
    attention = width * (width + 2 * keys) + (width + 2 * keys) + width * width + width
    forward = width * inner + inner + inner * width + width
    norms = 4 * width
    embeddings = (config.vocab_size + config.n_positions) * width
    blocks = config.n_layer * (attention + forward + norms)
    if not is_encoder:
        return embeddings + blocks + 2 * width
    # Segments, their norm, the pooler, the heads of masked tokens and of the next segment.
    heads = 2 * width + 2 * width + 2 * (width * width + width) + 2 * width + 2 * width + 2
    return embeddings + config.vocab_size + blocks + heads + lexical


def make_plan(
    recipe: Recipe, *, packed_tokens: int | None = None, tokens_per_s: float | None = None
) -> Plan:
    """The arithmetic of a recipe.

    Compute is 6 FLOP a parameter and token and 12 · n_layer · n_embd · block_size for attention
    (Kaplan et al., arXiv 2001.08361, section 2.1; positions are looked up, not multiplied). The
    optimisers keep two numbers a parameter (AdamW) or one (Muon, matrices only).

    Args:
        recipe: to look at.
        packed_tokens: how many tokens there are to read.
        tokens_per_s: how fast the machine is.
    """
    model, data = recipe.model, recipe.data
    count = n_parameters(model)
    multiplied = count - model.n_positions * model.n_embd
    per_token = 6.0 * multiplied + 12.0 * model.n_layer * model.n_embd * data.block_size
    tokens = recipe.n_steps * recipe.tokens_per_step
    matrices = count - (model.vocab_size + model.n_positions) * model.n_embd
    states = 2 * count - (matrices if recipe.optim.optimizer == "muon" else 0)
    width = 2 if recipe.run.precision != "fp32" else 4
    per_layer = 14 * model.n_embd + 2 * model.inner
    logits = 3 * 4 * model.vocab_size
    micro = max(recipe.run.micro_batch_tokens, data.block_size)
    return Plan(
        n_parameters=count,
        n_steps=recipe.n_steps,
        tokens=tokens,
        epochs=tokens / packed_tokens if packed_tokens else None,
        flop_per_token=per_token,
        flop=per_token * tokens,
        weight_bytes=4 * count,
        training_bytes=4 * (2 * count + states),
        activation_bytes=micro * (model.n_layer * per_layer * width + logits),
        cache_bytes_per_token=2 * model.n_layer * model.head_dim * 2,
        seconds=tokens / tokens_per_s if tokens_per_s else None,
    )


def plan_rows(plan: Plan) -> list[tuple[str, str]]:
    """The plan for a person: what and how much."""
    rows = [
        ("parameters", f"{plan.n_parameters:,}"),
        ("steps", f"{plan.n_steps:,}"),
        ("tokens", f"{plan.tokens:,}"),
        ("compute", f"{plan.flop:.3g} FLOP, {plan.flop_per_token:.3g} a token"),
        ("weights", _size(plan.weight_bytes)),
        ("weights, gradients, optimiser", _size(plan.training_bytes)),
        ("activations of a micro-batch", f"about {_size(plan.activation_bytes)}"),
        ("cache when serving", f"{plan.cache_bytes_per_token:,} bytes a token (float16)"),
    ]
    if plan.epochs is not None:
        rows.append(("passes over the corpus", f"{plan.epochs:.2f}"))
    if plan.seconds is not None:
        rows.append(("time", duration(plan.seconds)))
    return rows


def duration(seconds: float) -> str:
    """A time for a person: 3 d 4 h, 2 h 10 min, 5 min, 40 s."""
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if days >= 2:
        return f"{int(days)} d {int(hours % 24)} h"
    if hours >= 1:
        return f"{int(hours)} h {int(minutes % 60)} min"
    return f"{int(minutes)} min" if minutes >= 1 else f"{int(seconds)} s"


def _size(n_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
