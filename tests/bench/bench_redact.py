"""Scores redaction on a labelled synthetic set, beside detect-secrets, and measures its speed.

The set is made of our own templates: those that the rules were developed on, and those written
after the rules were finished (one author wrote both). It is no sample of real leaks, and its
figures are no StarPII figures.

Example: .venv/bin/python tests/bench/bench_redact.py --json tests/bench/results/redact.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import cpu_name

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the bench's own modules stand beside it

import redact_anchor  # noqa: E402
import redact_known  # noqa: E402
import redact_rounds  # noqa: E402
import redact_unseen  # noqa: E402
from redact_values import Values  # noqa: E402

from indexer.config import default_corpus_path  # noqa: E402
from indexer.corpus import read_corpus  # noqa: E402
from indexer.curate.redact import Kind, Span, find, redact  # noqa: E402

KINDS = (Kind.EMAIL, Kind.IP_ADDRESS, Kind.KEY, Kind.PASSWORD)
TARGETS_F1 = {Kind.EMAIL: 0.98, Kind.IP_ADDRESS: 0.95, Kind.KEY: 0.90, Kind.PASSWORD: 0.85}
PIECE_CHARS = 8
MARK = re.compile(r"⟦(?:([A-Z_]+):)?(\w+)⟧")
Finder = Callable[[str], Sequence[Span]]


@dataclass(frozen=True)
class Sample:
    """A text and what is to be found in it."""

    template: str
    text: str
    gold: tuple[Span, ...]


def make_samples(templates: Iterable[str], seed: int, n_each: int) -> list[Sample]:
    """Each template filled `n_each` times, between lines of plain code half of the time."""
    values = Values(seed)
    return [fill(template, values) for template in templates for _ in range(n_each)]


def fill(template: str, values: Values) -> Sample:
    """Replace the marks of a template and remember where the labelled values stand."""
    text, at = "", 0
    gold = []
    if values.rng.random() < 0.5:
        text += "x = 1\ndef compute(items):\n    return sum(item.size for item in items)\n\n"
    for mark in MARK.finditer(template):
        text += template[at : mark.start()]
        at = mark.end()
        value = values.draw(mark[2])
        if mark[1]:
            gold.append(Span(len(text), len(text) + len(value), Kind(mark[1]), "gold"))
        text += value
    return Sample(template, text + template[at:], tuple(gold))


def score(samples: Sequence[Sample], finder: Finder) -> dict[str, Any]:
    """P, R, F1 per kind: a find counts if it covers the labelled span and has its kind."""
    counts: Counter[tuple[str, Kind]] = Counter()
    partial, misses, extras = 0, Counter[str](), Counter[str]()
    for sample in samples:
        found = finder(sample.text)
        for gold in sample.gold:
            covered = any(
                one.kind == gold.kind and one.start <= gold.start and gold.end <= one.end
                for one in found
            )
            counts["hit" if covered else "miss", gold.kind] += 1
            if not covered:
                misses[sample.template] += 1
            if gold.kind in (Kind.KEY, Kind.PASSWORD):
                partial += survives_in_part(gold, found)
        for one in found:
            if not any(overlap(one, gold) and one.kind == gold.kind for gold in sample.gold):
                counts["extra", one.kind] += 1
                extras[sample.template] += 1
    result: dict[str, Any] = {str(kind): prf(counts, kind) for kind in KINDS}
    result["partially_surviving"] = partial
    result["missed_in"] = dict(misses.most_common(12))
    result["extra_in"] = dict(extras.most_common(12))
    return result


def prf(counts: Counter[tuple[str, Kind]], kind: Kind) -> dict[str, float]:
    hit, miss, extra = (counts[what, kind] for what in ("hit", "miss", "extra"))
    precision, recall = hit / max(1, hit + extra), hit / max(1, hit + miss)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {
        "n": hit + miss,
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1, 4),
    }


def survives_in_part(gold: Span, found: Sequence[Span]) -> bool:
    """Whether a find touches the secret but leaves eight characters in a row of it."""
    touching = sorted(one for one in found if overlap(one, gold))
    at = gold.start
    for one in touching:
        if one.start - at >= PIECE_CHARS:
            return True
        at = max(at, one.end)
    return bool(touching) and gold.end - at >= PIECE_CHARS


def overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def measure_speed(finder: Callable[[str], object], texts: Sequence[str]) -> float:
    """Megabytes per CPU second."""
    start = time.process_time()
    for text in texts:
        finder(text)
    elapsed_s = time.process_time() - start
    return round(sum(len(text.encode(errors="replace")) for text in texts) / 1e6 / elapsed_s, 2)


def corpus_figures(folder: Path) -> dict[str, Any]:
    """Speed and redactions per kind and MB on all of a fetched corpus."""
    texts = [file.text for file in read_corpus(folder)]
    megabytes = sum(len(text.encode(errors="replace")) for text in texts) / 1e6
    kinds = Counter(span.kind for text in texts for span in redact(text).spans)
    sample = random.Random(1).sample(texts, 150)  # noqa: S311
    small = [text for text in sample if len(text) < 30_000]
    return {
        "n_files": len(texts),
        "megabytes": round(megabytes, 1),
        "mb_per_cpu_s": measure_speed(redact, texts),
        "redactions_per_mb": {str(kind): round(kinds[kind] / megabytes, 3) for kind in KINDS},
        "anchor_mb_per_cpu_s_on_a_sample": measure_speed(redact_anchor.find, small)
        if redact_anchor.AVAILABLE
        else None,
    }


def main() -> None:
    """Score both finders on both sets, measure both speeds, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--n-each", type=int, default=40, help="how often each template is filled")
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--known-only", action="store_true", help="leave the unseen set unseen")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args()
    developed_on = (*redact_known.TEMPLATES, *redact_rounds.ROUND_1, *redact_rounds.ROUND_2)
    known = make_samples(developed_on, arguments.seed, arguments.n_each)
    record: dict[str, Any] = {"known": score(known, find)}
    if arguments.known_only:
        sys.stdout.write(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        return
    unseen = make_samples(redact_unseen.TEMPLATES, arguments.seed + 1, arguments.n_each)
    record = {
        "what": "redaction of synthetic samples from our own templates (not StarPII's set)",
        "command": f".venv/bin/python {' '.join(sys.argv)}",
        "seed": arguments.seed,
        "machine": {"cpu": cpu_name(), "cores": os.cpu_count(), "python": platform.python_version(),
                    "load_average": round(os.getloadavg()[0], 2)},
        "targets_f1": {str(kind): target for kind, target in TARGETS_F1.items()},
        "n_templates": {"known": len(developed_on), "unseen": len(redact_unseen.TEMPLATES)},
        "first_runs_of_earlier_unseen_rounds": redact_rounds.FIRST_RUNS,
        "ours": {"known": record["known"], "unseen": score(unseen, find)},
        "anchor": {"what": redact_anchor.WHAT, "known": score(known, redact_anchor.find),
                   "unseen": score(unseen, redact_anchor.find)}
        if redact_anchor.AVAILABLE else None,
        "corpus": corpus_figures(arguments.corpus),
    }  # fmt: skip
    text = json.dumps(record, indent=2, ensure_ascii=False)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
