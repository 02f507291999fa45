"""Scores a tagger of personal data beside the rules, on templates that neither has seen.

    python tests/bench/bench_tagger.py --tagger FOLDER --heldout HELDOUT --json RESULT

Both are asked for what they find alone; curation runs the tagger after the rules. The templates are
`redact_unseen.py` and the unseen ones of `tagger_templates.py`; values come from lists that the
tagger was not trained on. How often they alarm on real code is counted on held-out packages, in
which some alarms are right: nobody has labelled them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redact_unseen
import redact_values
import tagger_templates
from bench_redact import Sample, overlap, prf
from machine import cpu_name
from make_tagger_samples import filled

from indexer.curate.redact import Kind, Span, find
from indexer.curate.redact.tagging import tagged
from indexer.curate.sources import Sources
from stareencoder.tagger import Tagger, open_tagger

Finder = Callable[[str], Sequence[Span]]
NAMES = ("Aino", "Bruno", "Deepak", "Farah", "Gustav", "Hiromi", "Ingrid", "Kofi", "Lucia", "Tariq")
SURNAMES = (
    "Abebe",
    "Bianchi",
    "Dupont",
    "Eriksson",
    "Fujita",
    "Gupta",
    "Horvat",
    "Okafor",
    "Silva",
)


class OwnValues(redact_values.Values):
    """The benchmark's values, with names."""

    def draw_name(self) -> str:
        return f"{self.rng.choice(NAMES)} {self.rng.choice(SURNAMES)}"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tagger", type=Path, required=True, help="of `starcite train tagger`")
    parser.add_argument("--heldout", type=Path, required=True, help="packages outside the corpus")
    parser.add_argument("--n-each", type=int, default=20, help="how often each template is filled")
    parser.add_argument("--files", type=int, default=150)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tagger = open_tagger(options.tagger)
    finders: dict[str, Finder] = {
        "rules": find,
        "tagger": lambda text: list(tagged(text, tagger)),
        "rules, then tagger": lambda text: _both(text, tagger),
    }
    samples = _samples(options.n_each)
    files = [file.text for file in Sources([options.heldout], standard_library=False).read()]
    texts = files[:: max(1, len(files) // options.files)]
    result = {
        "what": "redaction of synthetic samples from unseen templates (not StarPII's set)",
        "command": f"python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "tagger_sha256": tagger.digest,
        "n_samples": len(samples),
        "unseen_templates": {name: score(samples, one) for name, one in finders.items()},
        "alarms_per_mb_of_heldout_code": {
            name: _alarms(texts, one) for name, one in finders.items() if "then" not in name
        },
    }
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


def score(samples: Sequence[Sample], finder: Finder) -> dict[str, Any]:
    """P, R, F1 per kind: a find counts if it covers the labelled span and has its kind."""
    counts: Counter[tuple[str, Kind]] = Counter()
    for sample in samples:
        found = finder(sample.text)
        for gold in sample.gold:
            covered = any(
                one.kind == gold.kind and one.start <= gold.start and gold.end <= one.end
                for one in found
            )
            counts["hit" if covered else "miss", gold.kind] += 1
        for one in found:
            if not any(overlap(one, gold) and one.kind == gold.kind for gold in sample.gold):
                counts["extra", one.kind] += 1
    return {str(kind): prf(counts, kind) for kind in Kind}


def _samples(n_each: int) -> list[Sample]:
    values = OwnValues(5)
    made = []
    for template in (*redact_unseen.TEMPLATES, *tagger_templates.UNSEEN) * n_each:
        text, spans = filled(template, values)
        gold = tuple(
            Span(start, end, Kind(kind), "gold")
            for kind, start, end in spans
            if kind in Kind.__members__
        )
        made.append(Sample(template, text, gold))
    return made


def _both(text: str, tagger: Tagger) -> list[Span]:
    by_rules = list(find(text))
    more = tagged(text, tagger)
    return [*by_rules, *(s for s in more if not any(overlap(s, one) for one in by_rules))]


def _alarms(texts: Sequence[str], finder: Finder) -> dict[str, Any]:
    started = time.process_time()
    kinds = Counter(span.kind for text in texts for span in finder(text))
    took = time.process_time() - started
    megabytes = sum(len(text.encode(errors="replace")) for text in texts) / 1e6
    per_kind = {str(kind): round(kinds[kind] / megabytes, 2) for kind in Kind}
    return {
        "megabytes": round(megabytes, 2),
        "mb_per_cpu_s": round(megabytes / took, 3),
        **per_kind,
    }


if __name__ == "__main__":
    main()
