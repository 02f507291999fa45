"""Fit the probability that a match is a copy, on one split, and report it on another.

    python tests/bench/fit_probability.py --heldout DIR --json OUT.json [--write]

Positives are matches of windows cut from indexed files, as they are, stripped, renamed, with lines
put in or taken out, whose first source holds the window's file or the same text. Negatives are the
matches of windows of held-out packages, and those of the first kind that name another source. For
this the thresholds of a claim are lowered, so that weak matches are among them. What is fitted on
the owners of one half (`split_of`: dev) is scored on those of the other. Both the map and the ECE
have 15 bins of equal count (Guo et al., ICML 2017), a number that was fixed before this was run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bench_attribution as windows
import numpy as np
from machine import cpu_name
from numpy.typing import NDArray

from attribution import Match, Tracer
from attribution.config import TraceConfig
from attribution.evaluate.judge import split_of
from attribution.probability import FEATURES, features_of, interpolated
from indexer import Index, default_index_path
from indexer.corpus import read_corpus
from indexer.text.keywords import keywords_of

SIZES = (3, 5, 10, 20)
KINDS = ("verbatim", "stripped", "renamed", "edited")
LOWERED = replace(
    TraceConfig(),
    min_lexemes=20,
    min_covering_lexemes=12,
    min_coverage=0.3,
    min_renamed_lexemes=24,
    min_renamed_pairs=8,
    min_renamed_coverage=0.3,
    min_edited_lexemes=16,
    min_edited_piece=6,
    min_edited_density=0.3,
    min_edited_coverage=0.25,
    min_edited_bits=4.0,
    min_told_bits=20.0,
    min_told_coverage=0.25,
    min_renamed_whole=20,
)
_WORD = re.compile(r"\b[A-Za-z_]\w*")
_L2 = 1e-3
N_BINS = 15
Row = tuple[int, tuple[float, ...], float]  # split, features, label


def variant(window: windows.Window, kind: str, rng: random.Random) -> str | None:
    """The window as it is, or changed in one way."""
    if kind == "verbatim":
        return window.text
    if kind == "stripped":
        left = windows.strip(window)
        return left[0] if left else None
    if kind == "renamed":
        keep = {word.decode() for word in keywords_of("python")}
        names = [one for one in dict.fromkeys(_WORD.findall(window.text)) if one not in keep]
        fresh = dict(zip(names, rng.sample(range(1000), min(len(names), 1000)), strict=False))
        renamed = {name: f"n{number}" for name, number in fresh.items()}
        return _WORD.sub(lambda one: renamed.get(one[0], one[0]), window.text)
    lines = window.text.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    if rng.random() < 0.5:
        return "".join(lines[:at] + lines[at + 1 :])
    return "".join([*lines[:at], f"    checked_{at} = verify({at})\n", *lines[at:]])


def split_number(owner: str) -> int:
    """0 for an owner that is fitted on, 1 for one that is scored on."""
    return int(split_of(owner) == "test")


def is_right(match: Match, tracer: Tracer, window: windows.Window) -> bool:
    """Whether the first source is the window's file, or holds the same text."""
    source = match.sources[0].document_id
    squeezed = "".join(window.text.split())
    return str(source) == window.name or squeezed in "".join(tracer.source(source)[1].split())


def own_rows(tracer: Tracer, n_windows: int, seed: int) -> Iterator[Row]:
    """Matches of windows of indexed files."""
    rng = windows.seeded(seed)
    texts, weights = windows.Bench(tracer, seed, n_windows).indexed()
    drawn = windows.draw(texts, weights, rng)
    for number in range(n_windows):
        windows.N_LINES = SIZES[number % len(SIZES)]
        window = next(drawn)
        owner = tracer.index.document(int(window.name)).origins[0].owner
        text = variant(window, KINDS[number // len(SIZES) % len(KINDS)], rng)
        for match in tracer.trace(text or "").matches:
            if match.evidence is not None:
                label = float(is_right(match, tracer, window))
                yield split_number(owner), features_of(match.evidence, match.tier), label


def other_rows(tracer: Tracer, heldout: Path, n_windows: int, seed: int) -> Iterator[Row]:
    """Matches of windows of held-out packages; true copies among them are left out."""
    rng = windows.seeded(seed)
    files = [one for one in read_corpus(heldout) if one.language == "python"]
    texts = [(one.origin.owner, lambda text=one.text: text) for one in files]
    drawn = windows.draw(texts, [len(one.text) for one in files], rng)
    for number in range(n_windows):
        windows.N_LINES = SIZES[number % len(SIZES)]
        window = next(drawn)
        for match in tracer.trace(window.text).matches:
            # A long exact run in rare words is a copy that nobody planned, not a false match.
            if match.evidence is None or (match.n_lexemes >= 60 and match.evidence.bits > 150):
                continue
            yield split_number(window.name), features_of(match.evidence, match.tier), 0.0


def fitted(features: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights of a logistic regression, by Newton's method with a little ridge."""
    weights = np.zeros(features.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (p - labels) + _L2 * len(labels) * weights
        curved = features * (p * (1 - p))[:, None]
        hessian = features.T @ curved + _L2 * len(labels) * np.eye(len(weights))
        weights = weights - np.linalg.solve(hessian, gradient)
    return weights


def knots_of(
    scores: NDArray[np.float64], labels: NDArray[np.float64], *, n_bins: int = N_BINS
) -> list[tuple[float, float]]:
    """A monotone map of scores: mean labels of bins of equal count, pooled where they fall.

    Pool adjacent violators (Ayer et al., 1955). Each mean is drawn to the middle by one positive
    and one negative, so that nothing is certain.
    """
    bins = np.array_split(np.argsort(scores, kind="stable"), n_bins)
    pools = [
        (float(scores[one].mean()), float(labels[one].sum()) + 1, len(one) + 2) for one in bins
    ]
    merged: list[tuple[float, float, int]] = []
    for score, n_positive, n in pools:
        merged.append((score, n_positive, n))
        while len(merged) > 1 and merged[-2][1] / merged[-2][2] >= merged[-1][1] / merged[-1][2]:
            (left, a, n_left), (right, b, n_right) = merged[-2:]
            middle = (left * n_left + right * n_right) / (n_left + n_right)
            merged[-2:] = [(middle, a + b, n_left + n_right)]
    return [(round(score, 4), round(positive / n, 4)) for score, positive, n in merged]


def scored(p: NDArray[np.float64], labels: NDArray[np.float64]) -> dict[str, float]:
    """How well probabilities are calibrated."""
    bins = np.array_split(np.argsort(p, kind="stable"), N_BINS)
    gaps = [abs(p[one].mean() - labels[one].mean()) * len(one) for one in bins if len(one)]
    return {
        "n": len(p),
        "n_positive": int(labels.sum()),
        "ece": round(float(sum(gaps)) / len(p), 4),
        "brier": round(float(((p - labels) ** 2).mean()), 4),
    }


def main() -> None:
    """Fit on split 0, score on split 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, help="folder of the index; the default one if absent")
    parser.add_argument("--heldout", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--windows", type=int, default=1600, help="of each kind")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--write", action="store_true", help="put the weights in their place")
    options = parser.parse_args()
    tracer = Tracer(Index.open(options.index or default_index_path()), LOWERED)
    rows = [
        *own_rows(tracer, options.windows, options.seed),
        *other_rows(tracer, options.heldout, options.windows, options.seed),
    ]
    split = np.array([row[0] for row in rows])
    features = np.array([row[1] for row in rows])
    labels = np.array([row[2] for row in rows])
    weights = fitted(features[split == 0], labels[split == 0])
    scores = features @ weights
    knots = knots_of(scores[split == 0], labels[split == 0])
    p = np.array([interpolated(score, knots) for score in scores.tolist()])
    results: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["python", *sys.argv]),
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count()},
        "corpus_digest": tracer.index.manifest.corpus_digest,
        "seed": options.seed,
        "fitted_on": scored(p[split == 0], labels[split == 0]),
        "scored_on": scored(p[split == 1], labels[split == 1]),
        "weights": dict(zip(FEATURES, weights.round(5).tolist(), strict=True)),
        "knots": knots,
    }
    sys.stdout.write(json.dumps(results, indent=1) + "\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.write:
        home = Path(__file__).parents[2] / "attribution" / "probability.json"
        home.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
