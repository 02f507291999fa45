"""The model card: what stands in a served folder's manifest and in its scores, as Markdown.

Nothing in it is written by hand: figures come from `manifest.json` and from the JSON of
`starcite eval model`, and scores of other weights are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer.curate.shards import write_durably
from indexer.source_file import SourceFile
from training import checkpoint
from training.checkpoint import json_text
from training.config import DecoderConfig
from training.errors import CheckpointError
from training.evaluate.model_digest import model_digest
from training.plan import duration, n_parameters

CARD = "README.md"
N_CURVE_POINTS = 12
_RECIPE = (
    ("optim", "optimizer"),
    ("optim", "muon_lr"),
    ("optim", "lr"),
    ("schedule", "kind"),
    ("schedule", "batch_tokens"),
    ("schedule", "decay_tokens"),
    ("data", "block_size"),
    ("data", "fim_rate"),
    ("data", "spm_rate"),
)
_LIMITS = """\
- It is small. It knows common idioms of Python and what stands in the text before and after the
  cursor; it does not know what a program is for. Read what it proposes before you keep it.
- It was trained on Python packages alone; in other languages it mostly repeats what it sees.
- It can repeat lines of its training data word for word. Starcite marks them in the editor, and
  `starcite trace` finds them in files; their licences are those listed above.
- It was never taught to follow instructions, and nothing filters what it writes."""


def licenses_of(files: Iterable[SourceFile]) -> dict[str, Any]:
    """How many files and bytes of each licence there are; of a file's first origin."""
    n_files: Counter[str] = Counter()
    n_bytes: Counter[str] = Counter()
    for file in files:
        n_files[file.origin.spdx_id] += 1
        n_bytes[file.origin.spdx_id] += len(file.text.encode("utf-8", "replace"))
    return {name: {"n_files": n_files[name], "n_bytes": n_bytes[name]} for name in sorted(n_files)}


def curve_of(rows: Iterable[Mapping[str, Any]], n_before: int = 0) -> list[tuple[int, float]]:
    """Tokens and held-out bits per byte each time they were measured, thinned.

    Args:
        rows: of `metrics.jsonl`.
        n_before: tokens of the runs that this one went on from.
    """
    points: list[tuple[int, float]] = []
    for row in rows:
        bpb = row.get("heldout_bpb")
        if isinstance(bpb, float) and (not points or points[-1][1] != bpb):
            points.append((int(row["tokens"]) + n_before, bpb))
    step = max(1, -(-len(points) // N_CURVE_POINTS))
    return points[::-1][::step][::-1]  # the newest is always there


def write_card(folder: Path, scores: Path | None = None) -> Path:
    """Write the card of a served folder, and its digest into the manifest.

    Args:
        folder: that `starcite train export` has written.
        scores: the JSON of `starcite eval model` or `tests/bench/bench_eval.py`.

    Raises:
        CheckpointError: there is no such model, the scores cannot be read or are of another model,
            or the folder cannot be written.
    """
    manifest = checkpoint.read_manifest(folder)
    rows = _scores(folder, scores) if scores else []
    text = card_text(manifest, checkpoint.read_decoder_config(folder), rows)
    try:
        write_durably(folder / CARD, text)
        files = {**manifest.get("files", {}), CARD: hashlib.sha256(text.encode()).hexdigest()}
        write_durably(folder / checkpoint.MANIFEST, json_text({**manifest, "files": files}))
    except OSError as error:
        raise CheckpointError(f"cannot write {folder}: {error.strerror}; free space") from error
    return folder / CARD


def card_text(
    manifest: Mapping[str, Any], config: DecoderConfig, scores: Sequence[Mapping[str, Any]]
) -> str:
    """The card of a manifest, a shape and rows of the table of `starcite eval model`."""
    parts = [
        f"# {manifest.get('name', 'model')}\n\n{_summary(manifest, config)}",
        f"## Training\n\n{_training(manifest)}",
        f"## Held-out text while it was trained\n\n{_curve(manifest)}",
        f"## Scores\n\n{_score_table(scores)}",
        f"## Data and its licences\n\n{data_part(manifest)}",
        f"## Limits\n\n{_LIMITS}",
    ]
    return "\n\n".join(parts) + "\n"


def _summary(manifest: Mapping[str, Any], config: DecoderConfig) -> str:
    return (
        f"A StarCoder-type decoder (GPTBigCode, multi-query attention, learned positions) with "
        f"{n_parameters(config):,} parameters: {config.n_layer} layers of width {config.n_embd}, "
        f"{config.n_head} query heads, {config.n_positions:,} positions, {config.vocab_size:,} "
        f"tokens. It completes Python between a prefix and a suffix. The "
        f"graph is {manifest.get('graph', 'not exported')}, {manifest.get('bytes', 0) / 1e6:.1f} "
        f"MB, under {manifest.get('license', 'unknown')}. Trained from nothing by Starcite; this "
        "card was generated by `starcite train card`."
    )


def _training(manifest: Mapping[str, Any]) -> str:
    if "recipe" not in manifest:
        return "Not recorded: Starcite did not train it."
    before = manifest.get("before", {"tokens": 0, "seconds": 0.0})
    sources = manifest["data_order"]["sources"]
    n_tokens = manifest["tokens"] + before["tokens"]
    passes = n_tokens / max(1, sum(source["n_tokens"] for source in sources))
    facts = [
        ("corpus", f"`{manifest['corpus_digest'] or 'several'}`"),
        ("text", f"{sum(source['n_bytes'] for source in sources):,} bytes in "
                 f"{sum(source['n_documents'] for source in sources):,} documents"),
        ("tokens read", f"{n_tokens:,} ({passes:.2f} passes)"),
        ("time", f"{duration(manifest['seconds'] + before['seconds'])} on {manifest['machine']}"),
        ("recipe", ", ".join(_recipe(manifest["recipe"]))),
        ("recipe digest", f"`{manifest['recipe_digest'][:16]}`"),
    ]  # fmt: skip
    facts += [
        (f"{one['kind']} against the checkpoint", f"{one['n_bytes'] / 1e6:.1f} MB, same next token "
         f"{one['top1']:.1%}, divergence {one['kl']:.4f} nats")
        for one in manifest.get("agreement", [])
    ]  # fmt: skip
    return rows_as_table(("", ""), facts)


def _recipe(recipe: Mapping[str, Any]) -> list[str]:
    return [f"{name} {recipe[table][name]}" for table, name in _RECIPE]


def _curve(manifest: Mapping[str, Any]) -> str:
    points = [(f"{tokens / 1e6:.1f} M", f"{bpb:.3f}") for tokens, bpb in manifest.get("curve", [])]
    if not points:
        return "Not recorded."
    return rows_as_table(("tokens", "bits per byte"), points)


def _score_table(scores: Sequence[Mapping[str, Any]]) -> str:
    if not scores:
        return "These weights have not been scored: run `starcite eval model`."
    rows = [
        (f"{one['task']}: {one['row']}", str(one["column"]), _estimate(one), f"{one['n']:,}")
        for one in scores
    ]
    return rows_as_table(("what", "figure", "value (95 % interval)", "n"), rows)


def _estimate(one: Mapping[str, Any]) -> str:
    scale, digits, unit = (1, 3, "") if one["task"] == "bits" else (100, 1, " %")
    value, low, high = (
        None if one.get(key) is None else f"{one[key] * scale:.{digits}f}"
        for key in ("value", "low", "high")
    )
    return f"{value}{unit}" + (f" ({low}-{high})" if low and high else "")


def data_part(manifest: Mapping[str, Any]) -> str:
    """Files and text of each licence, as Markdown."""
    licenses = manifest.get("data_licenses")
    if not licenses:
        return "Not recorded: the shards were not at hand when the model was exported."
    rows = [
        (name or "unknown", f"{count['n_files']:,}", f"{count['n_bytes'] / 1e6:.1f} MB")
        for name, count in sorted(licenses.items(), key=lambda one: -one[1]["n_bytes"])
    ]
    text = "Packages whose metadata and licence file agree; Starcite's lock names each of them."
    return f"{text}\n\n{rows_as_table(('licence', 'files', 'text'), rows)}"


def rows_as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _scores(folder: Path, path: Path) -> list[dict[str, Any]]:
    """The rows of this model; what other answerers scored is not part of its card."""
    try:
        result = json.loads(path.read_bytes())
        identity = result["identities"].get(folder.name)
        rows = [row for row in result["table"] if _is_of(row, folder.name)]
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(
            f"{path} holds no scores: {error!r}; give the JSON of `starcite eval model`"
        ) from error
    if identity != model_digest(folder):
        raise CheckpointError(
            f"{path} holds scores of other weights than those in {folder}; run again: "
            f"starcite eval model --model {folder}"
        )
    return rows


def _is_of(row: Mapping[str, Any], name: str) -> bool:
    is_own = row["row"] == name or str(row["row"]).startswith(f"{name} (")
    return is_own and isinstance(row["value"], float | int)
