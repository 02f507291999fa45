"""A run as one HTML page that needs nothing else: curves of loss and speed, and what it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from indexer.curate.shards import write_text
from training.checkpoint import checkpoints, read_manifest
from training.errors import CheckpointError
from training.metrics import read_metrics
from training.plan import duration

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 260, 56, 30
_SMOOTHING = 0.1  # share of the newest loss in the drawn one
_MOST_POINTS = 600
_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --soft: #59636e;
  --line: #d1d9e0; --curve: #2f6fbb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9198a1;
  --line: #3d444d; --curve: #5b9bea; } }
body { margin: 2rem auto; max-width: 760px; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; } td { padding: .3rem .5rem;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } td:first-child
  { color: var(--soft); width: 13rem; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }
svg .grid { stroke: var(--line); } svg .curve { stroke: var(--curve); fill: none; stroke-width: 2; }
"""

Points = Sequence[tuple[float, float]]


def write_run_report(run: Path, path: Path) -> None:
    """Write the page of a run.

    Raises:
        CheckpointError: the folder holds no run.
        CurateError: the file cannot be written.
    """
    rows = list(read_metrics(run))
    if not rows:
        raise CheckpointError(
            f"no run in {run}: no step is recorded; start one: starcite train fit"
        )
    found = checkpoints(run)
    write_text(path, run_report(run.name, rows, read_manifest(found[-1]) if found else {}))


def run_report(name: str, rows: Sequence[dict[str, Any]], manifest: dict[str, Any]) -> str:
    """The page: what the run is and how its figures moved over millions of tokens."""
    facts = [
        ("tokens", f"{rows[-1]['tokens']:,}"),
        ("time", duration(rows[-1]["seconds"])),
        ("loss of the last step", f"{rows[-1]['loss']:.3f} nats a token"),
        *((title, _figure(rows, key)) for key, title in _measured(rows)),
        *((key, str(manifest[key])) for key in _SHOWN if key in manifest),
    ]
    table = "".join(f"<tr><td>{escape(k)}</td><td>{escape(v)}</td></tr>" for k, v in facts)
    charts = [
        line_chart("Loss, nats a token (smoothed)", _smoothed(rows)),
        *(line_chart(title, list(_heldout(rows, key))) for key, title in _measured(rows)),
        line_chart("Tokens a second", [(_x(row), row["tokens_per_s"]) for row in rows]),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(name)}</h1><table>{table}</table>{''.join(charts)}</body></html>\n"
    )


_HELDOUT = {
    "heldout_bpb": "Held-out text, bits a byte",
    "heldout_mlm": "Held-out text, nats a masked token",
    "heldout_next": "Held-out text, share of right next segments",
    "heldout_mrr": "Held-out text, mean reciprocal rank of the other view",
}
_SHOWN = ("n_parameters", "machine", "corpus_digest", "recipe_digest")


def line_chart(title: str, points: Points) -> str:
    """A curve over millions of tokens as SVG, with its lowest, middle and highest values."""
    points = points[:: max(1, len(points) // _MOST_POINTS)]
    if len(points) < 2:
        return f"<h2>{escape(title)}</h2><p>Not enough measured yet.</p>"
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(ys), max(ys) if max(ys) > min(ys) else min(ys) + 1
    first, last = xs[0], xs[-1] if xs[-1] > xs[0] else xs[0] + 1

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - first) / (last - first) * (_WIDTH - _LEFT - 10)
        down = (high - y) / (high - low) * (_HEIGHT - _BOTTOM - 10)
        return _LEFT + across, 10 + down

    curve = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
    grid = "".join(_grid(place(first, y)[1], f"{y:.4g}") for y in (low, (low + high) / 2, high))
    marks = "".join(
        f'<text x="{place(x, low)[0]:.0f}" y="{_HEIGHT - 8}" text-anchor="{anchor}">'
        f"{x:.3g} M</text>"
        for x, anchor in ((first, "start"), (last, "end"))
    )
    return (
        f'<h2>{escape(title)}</h2><svg role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{grid}{marks}"
        f'<polyline class="curve" points="{curve}"/></svg>'
    )


def _grid(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _x(row: dict[str, Any]) -> float:
    return float(row["tokens"]) / 1e6


def _smoothed(rows: Iterable[dict[str, Any]]) -> list[tuple[float, float]]:
    points, level = [], None
    for row in rows:
        loss = float(row["loss"])
        level = loss if level is None else level + _SMOOTHING * (loss - level)
        points.append((_x(row), level))
    return points


def _measured(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What this run measures on held-out text: the row's key, and what to call it."""
    found = [pair for pair in _HELDOUT.items() if rows[-1].get(pair[0]) is not None]
    return found or [("heldout_bpb", _HELDOUT["heldout_bpb"])]


def _heldout(rows: Iterable[dict[str, Any]], key: str) -> Iterable[tuple[float, float]]:
    """One point for each time that it was measured."""
    before = None
    for row in rows:
        if row.get(key) is not None and row[key] != before:
            before = row[key]
            yield _x(row), float(before)


def _figure(rows: Sequence[dict[str, Any]], key: str) -> str:
    value = rows[-1].get(key)
    return "not measured" if value is None else f"{value:.3f}"
