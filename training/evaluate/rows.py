"""The rows of the table: who answers, from what the command line names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from indexer.config import default_corpus_path
from training.evaluate.answerer import Answerer, Sampler, Scorer
from training.evaluate.baselines import NearestLine, PreviousLine, compressors
from training.evaluate.decode import Drawer, Filler, Layout, TokenModel
from training.evaluate.errors import EvaluateError
from training.evaluate.heldout import read_source
from training.evaluate.model_digest import model_digest
from training.evaluate.sandbox import isolation

_GRAPH = "model.onnx"  # what `starcite train export` writes


class Lane(Answerer, Protocol):
    """An answerer that holds something, as a lane of the language server does."""

    def close(self) -> None:
        """Let go of it."""


LaneOpener = Callable[[str], Lane]


@dataclass(slots=True)
class Rows:
    """Everyone who can answer, by what they can do."""

    answerers: list[Answerer] = field(default_factory=list)
    scorers: list[Scorer] = field(default_factory=list)
    samplers: list[Sampler] = field(default_factory=list)
    described: list[str] = field(default_factory=list)  # what each is, one line for people
    identities: dict[str, str] = field(default_factory=dict)  # what a name must stand for again

    def isolation(self) -> dict[str, str]:
        """How far programs are kept from the rest of the system."""
        return isolation().describe()


@contextmanager
def open_rows(
    options: Mapping[str, Any], *, opened: LaneOpener | None, tasks: Sequence[str]
) -> Iterator[Rows]:
    """The rows that the command's options name; models are loaded here.

    Raises:
        EvaluateError: one of them cannot be had.
    """
    rows = Rows()
    with ExitStack() as stack:
        if set(tasks) != {"canonical"}:
            for name in options["lanes"]:
                if opened is None:
                    raise EvaluateError(
                        f"no lane {name!r} here; run it through `starcite eval model`"
                    )
                lane = opened(name)
                stack.callback(lane.close)
                rows.answerers.append(lane)
            for folder in options["models"]:
                _add_model(rows, folder, options)
            if options["baselines"]:
                _add_baselines(rows, options, tasks)
        yield rows


def _add_model(rows: Rows, folder: Path, options: Mapping[str, Any]) -> None:
    if (folder / _GRAPH).is_file():
        model = _import("onnx_model").load_model(folder)
    else:
        model = _import("torch_model").load_model(folder, device=options["device"])
    rows.identities[model.name] = model_digest(folder)
    rows.answerers += _fillers(model, variants=options["variants"])
    rows.scorers.append(model)
    rows.samplers.append(Drawer(model))
    rows.described.append(f"{model.name}: {model.n_context} tokens of context")


def _import(name: str) -> ModuleType:
    """Models need the `train` extra; lanes and the other baselines do not."""
    try:
        return importlib.import_module(f"training.evaluate.{name}")
    except ModuleNotFoundError as error:
        raise EvaluateError(
            f'{error.name} is not installed; run: pip install "starcite[train]"'
        ) from error


def _fillers(model: TokenModel, *, variants: bool) -> list[Filler]:
    layouts: tuple[Layout, ...] = ("prefix", "psm", "spm") if model.vocabulary.fim else ("prefix",)
    if not variants:
        return [Filler(model, layouts[-1], heal=True)]
    return [Filler(model, layout, heal=heal) for layout in layouts for heal in (False, True)]


def _add_baselines(rows: Rows, options: Mapping[str, Any], tasks: Sequence[str]) -> None:
    if "bits" in tasks:
        rows.scorers += compressors()
    fills = {"lines", "fim", "infilling"} & set(tasks)
    if fills:
        rows.answerers.append(PreviousLine())
    if not fills and "bits" not in tasks:
        return
    texts, n_bytes = _train_texts(options["train"] or default_corpus_path(), options["train_mb"])
    learnt = f"{n_bytes / 1e6:.1f} MB of the training data"
    if fills:
        rows.answerers.append(NearestLine(texts))
        rows.described.append(f"{NearestLine.name}: from {learnt}")
        rows.identities[NearestLine.name] = learnt
    if options["models"]:
        tokens = _import("text_tokens").read_tokens(options["models"][0])
        ngram = _import("ngram").NGram(tokens, texts)
        rows.scorers.append(ngram)
        rows.identities[ngram.name] = f"{ngram.n_tokens} tokens"
        rows.described.append(
            f"{ngram.name}: from {ngram.n_tokens:,} tokens, {learnt}, "
            f"in the tokenizer of {options['models'][0].name}"
        )
        if fills:
            rows.answerers.append(Filler(ngram, "prefix", heal=True))


def _train_texts(folder: Path, n_mb: float) -> tuple[list[str], int]:
    """Texts of so many MB, every n-th file so that all of the corpus has its share."""
    files = [file.text for file in read_source(folder) if file.language == "python"]
    total = sum(map(len, files))
    step = max(1, round(total / max(1.0, n_mb * 1e6)))
    chosen = files[::step]
    return chosen, sum(len(text.encode("utf-8", "replace")) for text in chosen)
