"""Measures de-duplication: signing, the stages end to end, recall and precision, memory.

Recall and precision are against the exact Jaccard similarity of all pairs of a sample of the
corpus, half of it with an edited copy. Memory is the peak of a process of its own that streams the
corpus through both stages, and again ten times the corpus (letters rotated, so that the copies
have nothing in common).

Example: .venv/bin/python tests/bench/bench_dedup.py --json tests/bench/results/dedup.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from machine import cpu_name, memory_peaks

from indexer.config import default_corpus_path
from indexer.corpus import read_corpus
from indexer.curate.clusters import Forest, band_edges, elect_keepers
from indexer.curate.exact import exact_dedup
from indexer.curate.minhash import N_BANDS, band_keys, jaccard, scheme, shingles, sign
from indexer.curate.near_dedup import near_dedup
from indexer.curate.pipeline import Drop
from indexer.curate.signatures import Signatures, SignatureWriter
from indexer.source_file import SourceFile
from indexer.text.normalize import to_bytes

SEED = 1
SAMPLE = 1000
BATCH = 256
PUBLISHED = {  # bigcode-dataset's README (Java, 80 cores) and its Spark variant
    "bigcode_python_docs_per_core_s": 13,
    "bigcode_spark_docs_per_core_s": 109,
}


def main() -> None:
    """Run all parts, print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default_corpus_path())
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--factor", type=int, default=10, help="of the second memory run; 0: none")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        sys.stdout.write(json.dumps(measure_memory(arguments.corpus, arguments.memory)))
        return
    files = list(read_corpus(arguments.corpus))
    record: dict[str, Any] = {
        "what": "near-de-duplication of the default corpus, one process",
        "command": f".venv/bin/python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "n_cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "seed": SEED,
        "scheme": scheme().as_dict(),
        "published": PUBLISHED,
        "signing": measure_signing(files),
        "stages": measure_stages(files),
        "accuracy": measure_accuracy(files),
        "memory": [
            _memory_of_a_process(arguments.corpus, factor)
            for factor in (1, 3, arguments.factor)
            if factor
        ],
    }
    text = json.dumps(record, indent=2)
    sys.stdout.write(text + "\n")
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


def measure_signing(files: list[SourceFile]) -> dict[str, Any]:
    """From the bytes of texts to band keys."""
    texts = [to_bytes(file.text) for file in files]
    started = time.process_time()
    for batch in _chunks(texts):
        band_keys(sign([shingles(text) for text in batch]))
    cpu_s = time.process_time() - started
    megabytes = sum(map(len, texts)) / 1e6
    return {
        "text_mb": round(megabytes, 1),
        "cpu_s": round(cpu_s, 2),
        "mb_per_cpu_s": round(megabytes / cpu_s, 1),
        "docs_per_cpu_s": round(len(texts) / cpu_s),
    }


def measure_stages(files: list[SourceFile]) -> dict[str, Any]:
    """Both stages, spilling included: what they take and what they find."""
    figures: dict[str, Any] = {}
    total_bytes = sum(len(to_bytes(file.text)) for file in files)
    n_in, cpu_total = len(files), 0.0
    with tempfile.TemporaryDirectory(prefix="starcite-bench-") as scratch:
        for stage in (exact_dedup(Path(scratch)), near_dedup(Path(scratch))):
            gone: list[int] = []

            def on_drop(file: SourceFile, _: Drop, gone: list[int] = gone) -> None:
                gone.append(len(to_bytes(file.text)))

            started = time.process_time()
            n_stage_in = len(files)
            files = list(stage.sweep(files, on_drop))
            cpu_s = time.process_time() - started
            cpu_total += cpu_s
            figures[stage.name] = {
                "n_files": n_stage_in,
                "n_duplicates": len(gone),
                "share_of_files": round(len(gone) / n_in, 4),
                "share_of_bytes": round(sum(gone) / total_bytes, 4),
                "cpu_s": round(cpu_s, 2),
                "docs_per_core_s": round(n_stage_in / cpu_s),
            }
    return figures | {
        "both_docs_per_core_s": round(n_in / cpu_total),
        "both_mb_per_core_s": round(total_bytes / 1e6 / cpu_total, 1),
    }


def measure_accuracy(files: list[SourceFile]) -> dict[str, Any]:
    """Every pair of a sample, by exact similarity, against what the clusters say."""
    rng = random.Random(SEED)  # noqa: S311
    sample = rng.sample(files, min(SAMPLE, len(files)))
    texts = [file.text for file in sample]
    texts += [_edited(text, rng.uniform(0, 0.12), rng) for text in texts[: len(texts) // 2]]
    sets = [shingles(to_bytes(text)) for text in texts]

    def similarity(left: int, right: int) -> float:
        return jaccard(sets[left], sets[right])

    with tempfile.TemporaryDirectory(prefix="starcite-bench-") as folder:
        with SignatureWriter(Path(folder)) as writer:
            for text in texts:
                writer.add(to_bytes(text))
        signatures = Signatures([Path(folder)])
        forest = Forest(len(texts))
        for band in range(N_BANDS):
            for left, right in band_edges(signatures, band, similarity, forest):
                forest.union(left, right)
        roots = forest.roots(np.arange(len(texts)))
        keepers = elect_keepers(signatures, similarity, lambda number: number, roots)
    pairs = list(_similar_pairs(sets, at_least=0.7))
    gone = [(number, int(keeper)) for number, keeper in enumerate(keepers) if keeper != number]
    right = sum(similarity(number, keeper) >= 0.7 for number, keeper in gone)
    return {
        "n_docs": len(texts),
        "n_pairs_compared": len(texts) * (len(texts) - 1) // 2,
        "recall": {
            f"{low} <= J < {high}": {
                "n_pairs": len(band),
                "in_one_cluster": _share(roots[left] == roots[right] for left, right in band),
                "not_both_kept": _share(
                    keepers[left] != left or keepers[right] != right for left, right in band
                ),
            }
            for low, high in ((0.7, 0.75), (0.75, 0.8), (0.8, 0.85), (0.85, 1.01))
            for band in [[(left, right) for left, right, j in pairs if low <= j < high]]
        },
        "n_removed": len(gone),
        "precision": round(right / len(gone), 5),
    }


def measure_memory(corpus: Path, factor: int) -> dict[str, Any]:
    """Stream `factor` rotations of the corpus through both stages in this process."""
    n_files = n_bytes = n_kept = 0

    def files() -> Iterator[SourceFile]:
        nonlocal n_files, n_bytes
        for turn in range(factor):
            table = _rotation(turn)
            for file in read_corpus(corpus):
                text = file.text.translate(table) if turn else file.text
                n_files, n_bytes = n_files + 1, n_bytes + len(text)
                path = f"{turn}/{file.origin.path}"
                yield replace(file, text=text, origin=replace(file.origin, path=path))

    started = time.process_time()
    with (
        memory_peaks() as peaks,
        tempfile.TemporaryDirectory(prefix="starcite-bench-") as name,
    ):
        scratch = Path(name)
        unique = exact_dedup(scratch).sweep(files(), lambda *_: None)
        for _ in near_dedup(scratch).sweep(unique, lambda *_: None):
            n_kept += 1
    return {
        "factor": factor,
        "n_files": n_files,
        "n_kept": n_kept,
        "text_mb": round(n_bytes / 1e6, 1),
        "cpu_s_with_reading": round(time.process_time() - started, 1),
        **peaks,
    }


def _memory_of_a_process(corpus: Path, factor: int) -> Any:
    command = [sys.executable, __file__, "--corpus", str(corpus), "--memory", str(factor)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def _similar_pairs(sets: list[Any], at_least: float) -> Iterator[tuple[int, int, float]]:
    """All pairs of a similarity, by size first: J is at most the ratio of the sizes."""
    by_size = sorted((len(one), number) for number, one in enumerate(sets) if len(one))
    for place, (size, left) in enumerate(by_size):
        for other_size, right in by_size[place + 1 :]:
            if size < at_least * other_size:
                break
            found = jaccard(sets[left], sets[right])
            if found >= at_least:
                yield left, right, found


def _edited(text: str, share: float, rng: random.Random) -> str:
    return "\n".join(
        f"edited_{rng.randrange(10**6)} = {rng.randrange(10**6)}" if rng.random() < share else line
        for line in text.split("\n")
    )


def _rotation(turn: int) -> dict[int, str]:
    letters = string.ascii_lowercase
    return str.maketrans(letters, letters[turn:] + letters[:turn])


def _share(outcomes: Iterator[bool]) -> float | None:
    listed = [bool(one) for one in outcomes]
    return round(sum(listed) / len(listed), 4) if listed else None


def _chunks(texts: list[bytes]) -> Iterator[list[bytes]]:
    return (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))


if __name__ == "__main__":
    main()
