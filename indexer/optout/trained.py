"""Which models were trained on a corpus that held what is now removed, as far as they say so."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from indexer.config import data_home

TRAINED, EARLIER = "trained_on", "earlier_corpus"
OTHER, UNKNOWN = "other_corpus", "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRelation:
    """What a model's manifest says about the corpus that held the removed documents."""

    name: str
    corpus_digest: str  # "" if its manifest names none
    relation: str  # EARLIER: on an earlier state of it; UNKNOWN: it does not say on what


def models_path() -> Path:
    """The folder in which each model has a folder of its own."""
    return data_home() / "models"


def related_models(
    folders: Iterable[Path], held: Collection[str], earlier: Collection[str]
) -> list[ModelRelation]:
    """Every model in some folders, by name.

    Args:
        folders: each has a folder for each model.
        held: digests of corpora that held what is removed.
        earlier: digests of corpora that may have held it.
    """
    relations = []
    found = [path for folder in folders for path in folder.glob("*/manifest.json")]
    for path in sorted(found, key=lambda path: (path.parent.name, path)):
        digest = _digest_in(path)
        if digest in held:
            relation = TRAINED
        elif digest in earlier:
            relation = EARLIER
        else:
            relation = OTHER if digest else UNKNOWN
        name = path.parent.name
        relations.append(ModelRelation(name=name, corpus_digest=digest, relation=relation))
    return relations


def statement(relations: Collection[ModelRelation]) -> str:
    """The list in a sentence, as a receipt has it."""
    trained = [one.name for one in relations if one.relation == TRAINED]
    earlier = [one.name for one in relations if one.relation == EARLIER]
    silent = [one.name for one in relations if one.relation == UNKNOWN]
    if trained:
        said = f"Trained on a corpus that held what is removed: {', '.join(trained)}."
    else:
        said = "No installed model says that it was trained on a corpus that held what is removed."
    if earlier:
        said += f" Trained on an earlier state, which may have held it: {', '.join(earlier)}."
    if silent:
        said += f" What these were trained on is not known: {', '.join(silent)}."
    return said + " Removal from an index does not change a trained model."


def _digest_in(path: Path) -> str:
    """The corpus that a manifest names; what cannot be read names none."""
    try:
        digest = json.loads(path.read_bytes()).get("corpus_digest", "")
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""
    return digest if isinstance(digest, str) else ""
