"""The seam for a tagger, which finds what no rule can: names, usernames, keys in odd places.

A tagger is a model of its own (StarPII's classes); which one was used is part of the step's name
and so of the shards' manifest. The frozen corpus is made without one.
"""

from __future__ import annotations

import importlib
import ipaddress
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from indexer.config import data_home
from indexer.curate.errors import CurateError
from indexer.curate.redact.ip_addresses import PUBLIC_RESOLVERS
from indexer.curate.redact.replace import ANY_TOKEN
from indexer.curate.redact.spans import Kind, Span
from stareencoder import EncoderError

# StarPII's labels that stay in the text: the addresses of examples, and what it was unsure of.
KEPT_LABELS = frozenset({"EMAIL_EXAMPLE", "AMBIGUOUS"})
RULE = "tagger"


class Tagger(Protocol):
    """Finds personal data by the look of its surroundings."""

    @property
    def digest(self) -> str:
        """Equal for taggers that say the same of every text."""

    def tag(self, texts: Sequence[str], /) -> Sequence[Sequence[tuple[int, int, str]]]:
        """For each text its spans, in any order: start and end in code points, and the label.

        Labels are the names of `Kind` and those of `KEPT_LABELS`.
        """


@dataclass(frozen=True, slots=True)
class InstalledTagger:
    """A tagger by its folder: small enough for another process, which opens it when it is asked."""

    folder: Path
    digest: str

    def tag(self, texts: Sequence[str], /) -> Sequence[Sequence[tuple[int, int, str]]]:
        """As `Tagger` says."""
        return _open(self.folder).tag(texts)


def installed_tagger_path() -> Path:
    """Where curation looks for a tagger unless it is told another place."""
    return data_home() / "tagger"


def open_tagger(folder: Path) -> InstalledTagger:
    """The tagger in a folder.

    Raises:
        CurateError: there is none, it is damaged, or what it runs on is not installed.
    """
    if not folder.is_dir():
        raise CurateError(f"there is no tagger in {folder}; give another folder, or --tagger none")
    return InstalledTagger(folder, _open(folder).digest)


def tagged(text: str, tagger: Tagger) -> Iterator[Span]:
    """The tagger's spans that are worth replacing (the rules of bigcode-dataset's utils.py).

    Dropped are: three characters or fewer, keys of eight or fewer, names of one word, addresses
    that are private or public resolvers, and whatever lies in a replacement.

    Raises:
        CurateError: the tagger names a label or a range that there is not.
    """
    taken = [match.span() for match in ANY_TOKEN.finditer(text)]
    starts = [start for start, _ in taken]
    for start, end, label in tagger.tag([text])[0]:
        if label in KEPT_LABELS:
            continue
        if label not in Kind.__members__ or not 0 <= start < end <= len(text):
            raise CurateError(
                f"the tagger {tagger.digest[:12]} found {label!r} from {start} to {end} in "
                f"{len(text)} characters; it is none for this version: curate with --tagger none"
            )
        number = bisect_right(starts, start) - 1
        is_inside = number >= 0 and end <= taken[number][1]
        if not is_inside and _is_worth_it(Kind[label], text[start:end]):
            yield Span(start, end, Kind[label], RULE)


def _is_worth_it(kind: Kind, body: str) -> bool:
    if len(body) < (9 if kind is Kind.KEY else 4):
        return False
    if kind is Kind.NAME:
        return len(body.split()) > 1
    return kind is not Kind.IP_ADDRESS or _is_public(body)


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global and text not in PUBLIC_RESOLVERS
    except ValueError:
        return False


@lru_cache(maxsize=1)
def _open(folder: Path) -> Tagger:
    try:
        tagger: Tagger = importlib.import_module("stareencoder.tagger").open_tagger(folder)
    except ModuleNotFoundError as error:
        raise CurateError(
            f"the tagger in {folder} needs {error.name}, which is not installed; "
            "curate with --tagger none"
        ) from error
    except EncoderError as error:
        raise CurateError(str(error)) from error
    return tagger
