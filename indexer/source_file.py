"""The one record that flows from every corpus reader to the store."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """One place where a text was published; a text with twins has several origins."""

    source: str  # "pypi" or "python" (the standard library)
    name: str  # the package's name, as published
    version: str
    path: str  # inside the package, with forward slashes
    spdx_id: str
    license_evidence: str  # what the licence was read from: "metadata: MIT; LICENSE: MIT"

    @property
    def purl(self) -> str:
        """The package URL (purl-spec), the field's standard name of a package release."""
        kind = "pypi" if self.source == "pypi" else "generic"
        return f"pkg:{kind}/{self.name}@{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A decoded source file of the corpus with the place it was found in."""

    text: str
    language: str  # as in `indexer.text.languages`: "python", "c", …
    origin: Origin
