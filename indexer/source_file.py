"""The one record that flows from every corpus reader to the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "notebook", "issue", "commit"]
Relation = Literal["same", "near"]  # of an origin's text to the document that stands for it


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """One place where a text was published; a text with twins has several origins."""

    source: str  # "pypi", "python" (the standard library), "git", "stack", "jsonl"
    name: str  # the package's name, as published
    version: str
    path: str  # inside the package, with forward slashes
    spdx_id: str
    license_evidence: str  # what the licence was read from: "metadata: MIT; LICENSE: MIT"
    repository: str = ""  # "owner/name" of a forge
    revision: str = ""  # the commit
    first_seen: str = ""  # the ISO date of the first publication that is known
    relation: Relation = "same"

    @property
    def purl(self) -> str:
        """The package URL (purl-spec), the field's standard name of a package release."""
        kind = "pypi" if self.source == "pypi" else "generic"
        return f"pkg:{kind}/{self.name}@{self.version}"

    @property
    def owner(self) -> str:
        """Who published it: the repository's owner, else the package's name."""
        return self.repository.partition("/")[0] or self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A decoded source file of the corpus with the place it was found in."""

    text: str
    language: str  # as in `indexer.text.languages`: "python", "c", …
    origin: Origin
    kind: Kind = "file"
    stars: int | None = None  # of the repository, where that is known
    twins: tuple[Origin, ...] = ()  # where texts were found that this one stands for
