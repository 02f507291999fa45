"""The run: every class and size, every system, one judged line each, kept as it comes.

A run that was stopped goes on where it ended: the queries are drawn again from the seed, and what
the file of results holds already is not asked twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from attribution.errors import AttributionFailure
from attribution.evaluate import baselines, systems
from attribution.evaluate.corpus import LANGUAGE, Progress, documents, read_corpus
from attribution.evaluate.judge import Judge, Record, split_of
from attribution.evaluate.oracle import Oracle
from attribution.evaluate.queries import CLASSES, CodeClass, Sources, queries_of
from attribution.evaluate.systems import System
from attribution.evaluate.windows import Text
from attribution.tracer import Tracer
from indexer import Index, SourceFile

SYSTEMS = {  # in the order of the table; each is built only where it is asked
    "starcite": "trace: verified matches only",
    "layer_e": "fingerprints of exact lexemes, unverified",
    "layer_p": "fingerprints without names, unverified",
    "bm25": "BM25 alone over chunks of 50 lines",
    "data_portraits": "tiles of 50 characters, Bloom filter of error 1e-3",
    "winnowing_30_64": "winnowed letters and digits, two hits",
    "scanoss": "the same, nothing up to 256 bytes",
    "exact_65": "equal runs of 65 lexemes",
    "suffix_array": "every shared run of 15 lexemes, exhaustive",
}
RESULTS_NAME = "queries.jsonl"
SCHEMA = "starcite.eval.attribution/1"


class EvaluationError(AttributionFailure):
    """An evaluation cannot run or go on as it was asked to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is measured; two runs of one plan over one index ask the same questions."""

    seed: int
    sample: int  # queries of each class and size
    split: str = "all"  # of owners that windows are cut from: dev, test, or all
    classes: tuple[str, ...] = tuple(one.name for one in CLASSES)
    systems: tuple[str, ...] = tuple(SYSTEMS)


def evaluate(
    tracer: Tracer, unseen: Iterable[SourceFile], plan: Plan, out: Path, progress: Progress
) -> list[Record]:
    """Ask everything that the plan holds and that `out` has no answer to; all records.

    Raises:
        EvaluationError: `out` holds the results of another plan or index, or no readable ones.
        IndexerError: the index cannot be read.
    """
    corpus_digest = tracer.index.manifest.corpus_digest
    with _results(out, plan, corpus_digest) as (known, file):
        done = {(record["key"], record["system"]) for record in known}
        corpus = read_corpus(tracer.index, progress)
        progress("sorting every run of the index", 0, 1)
        oracle = Oracle.over(corpus)
        progress("sorting every run of the index", 1, 1)
        sources = Sources(
            indexed=_of_split(indexed_texts(tracer.index), plan.split),
            unseen=_of_split(_unseen_texts(unseen), plan.split),
            oracle=oracle,
            with_comments=_screen(tracer.index, progress) if "unseen" in plan.classes else None,
        )
        asked = _systems(plan.systems, tracer, oracle, progress)
        records = [record for record in known if _is_planned(record, plan)]
        judge = Judge(tracer, corpus)
        for record in _asked(plan, sources, asked, judge, done=done, progress=progress):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
            records.append(record)
    return records


def _of_split(texts: list[Text], split: str) -> list[Text]:
    return [text for text in texts if split in {"all", split_of(text.owner)}]


def _screen(index: Index, progress: Progress) -> Oracle:
    """What unseen code must not share with the index, comments included."""
    corpus = read_corpus(index, progress, keep_comments=True)
    return Oracle.over(corpus)


def code_digest() -> str:
    """The sha256 of the code that traces and measures: answers of another version do not count."""
    digest = hashlib.sha256()
    for package in ("attribution", "indexer"):
        for path in sorted(_package(package).rglob("*")):
            if path.suffix in {".py", ".json"}:
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _package(name: str) -> Path:
    return Path(__file__).parents[2] / name


def _is_planned(record: Record, plan: Plan) -> bool:
    """Whether a kept record belongs to this plan; a larger run may have left more."""
    number = int(record["key"].rpartition("/")[2])
    is_asked = record["class"] in plan.classes and record["system"] in plan.systems
    return is_asked and number < plan.sample


def indexed_texts(index: Index) -> list[Text]:
    """Every Python document of an index, to be read when it is drawn."""
    known = (index.document(one) for one in index.live_document_ids())
    return [
        Text(
            name=f"{one.origins[0].name}/{one.origins[0].path}",
            owner=one.origins[0].owner,
            document_id=one.document_id,
            n_bytes=one.n_bytes,
            read=partial(index.text, one.document_id),
        )
        for one in known
        if one.language == LANGUAGE
    ]


def _unseen_texts(files: Iterable[SourceFile]) -> list[Text]:
    return [
        Text(
            name=f"{one.origin.name}/{one.origin.path}",
            owner=one.origin.owner,
            document_id=-1,
            n_bytes=len(one.text.encode("utf-8", "replace")),
            read=partial(str, one.text),
        )
        for one in files
        if one.language == LANGUAGE
    ]


def _asked(
    plan: Plan,
    sources: Sources,
    asked: Sequence[System],
    judge: Judge,
    *,
    done: set[tuple[str, str]],
    progress: Progress,
) -> Iterator[Record]:
    for one, n_lines in _rows(plan, sources):
        label = f"{one.name}, {n_lines} lines"
        queries = queries_of(one, n_lines, n=plan.sample, seed=plan.seed, sources=sources)
        for number, query in enumerate(queries, 1):
            for system in asked:
                if (query.key, system.name) not in done:
                    yield judge.record(query, system.name, systems.timed(system, query.text))
            progress(label, number, plan.sample)


def _rows(plan: Plan, sources: Sources) -> Iterator[tuple[CodeClass, int]]:
    for one in CLASSES:
        if one.name in plan.classes and (sources.unseen or one.kind != "unseen"):
            for n_lines in one.sizes:
                yield one, n_lines


def _systems(
    names: Sequence[str], tracer: Tracer, oracle: Oracle, progress: Progress
) -> list[System]:
    """The systems that are asked, in the order of the table."""

    def texts(what: str) -> Iterator[tuple[int, bytes]]:
        return documents(tracer.index, progress, f"reading for {what}")

    winnowing: list[System] = []

    def winnowed(number: int) -> System:
        if not winnowing:  # both variants look at one table
            winnowing.extend(baselines.scanoss(texts("winnowing")))
        return winnowing[number]

    makers: dict[str, Callable[[], System]] = {
        "starcite": lambda: systems.tracer_system(tracer),
        "layer_e": lambda: systems.fingerprint_layer(tracer, "e"),
        "layer_p": lambda: systems.fingerprint_layer(tracer, "p"),
        "bm25": lambda: systems.bm25(tracer),
        "data_portraits": lambda: baselines.data_portraits(texts("Data Portraits")),
        "winnowing_30_64": lambda: winnowed(0),
        "scanoss": lambda: winnowed(1),
        "exact_65": lambda: baselines.exact_65(texts("runs of 65")),
        "suffix_array": lambda: systems.suffix_array(oracle),
    }
    return [makers[name]() for name in SYSTEMS if name in names]


class _results:  # noqa: N801 (used as a function, like `open`)
    """The records that a file of results holds, and the file, open to append to."""

    def __init__(self, out: Path, plan: Plan, corpus_digest: str) -> None:
        self._path = out / RESULTS_NAME
        self._head = {
            "schema": SCHEMA,
            "seed": plan.seed,
            "split": plan.split,
            "corpus_digest": corpus_digest,
            "code_digest": code_digest(),
        }

    def __enter__(self) -> tuple[list[Record], TextIO]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            known = self._read() if self._path.exists() else None
            file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            reason = error.strerror or str(error)
            raise EvaluationError(
                f"cannot write {self._path}: {reason}; choose another --out"
            ) from error
        if known is None:
            file.write(json.dumps(self._head) + "\n")
        self._file = file
        return known or [], file

    def __exit__(self, *exception: Any) -> None:
        self._file.close()

    def _read(self) -> list[Record] | None:
        """What was kept; the last line may have been cut off when a run was killed."""
        return read_results(self._path, self._head)


def read_results(path: Path, head: dict[str, Any] | None = None) -> list[Record]:
    """The records of a file of results, whose first line must be `head` where that is given.

    A last line that was cut off is taken out of the file.

    Raises:
        EvaluationError: the file is of another seed or index, or a line is no record.
    """
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    try:
        rows = [json.loads(line) for line in whole.decode("utf-8").splitlines()]
        is_record = all(isinstance(row, dict) for row in rows)
    except ValueError as error:
        raise EvaluationError(f"{path} is damaged: {error}; choose another --out") from error
    if not rows or not is_record or rows[0].get("schema") != SCHEMA:
        raise EvaluationError(f"{path} holds no results of this version; choose another --out")
    if head is not None and rows[0] != head:
        raise EvaluationError(
            f"{path} holds results of {_stated(rows[0])}, not of {_stated(head)}; "
            "choose another --out"
        )
    return rows[1:]


def _stated(head: dict[str, Any]) -> str:
    return (
        f"seed {head.get('seed')}, split {head.get('split')}, "
        f"over corpus {str(head.get('corpus_digest'))[:12]} "
        f"by code {str(head.get('code_digest'))[:12]}"
    )
