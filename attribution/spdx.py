"""A trace as an SPDX 2.3 document: a snippet for each match, tied to the packages that hold it.

Source: SPDX specification 2.3, clauses 7 to 11. Snippets count bytes and lines from 1, inclusive.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from attribution.findings import Finding, findings_of, module_of_extra
from attribution.license_policy import parsed_expression
from attribution.outcomes import Outcome
from attribution.reporting import TIER_IN_WORDS, Context, printable
from attribution.target import Target
from indexer import Origin

_NAMESPACE = "https://spdx.org/spdxdocs/starcite-"


def as_spdx(outcomes: Iterable[Outcome], context: Context) -> Iterator[str]:
    """One JSON document that passes the library's own validation.

    Raises:
        MissingExtraError: `spdx-tools` is not installed.
    """
    writer = module_of_extra("spdx_tools.spdx.writer.json.json_writer", extra="sbom")
    draft = _Draft(context)
    for finding in findings_of(outcomes):
        draft.add(finding)
    stream = io.StringIO()
    writer.write_document_to_stream(draft.document, stream, validate=True)
    yield stream.getvalue().rstrip("\n")


class _Draft:
    """The document while findings come in."""

    def __init__(self, context: Context) -> None:
        from spdx_tools.spdx import model  # noqa: PLC0415

        self._model = model
        self._files: dict[str, str] = {}  # of a traced file's name, its id
        self._packages: dict[tuple[str, str], str] = {}  # of package URL and licence, its id
        self.document = model.Document(
            creation_info=model.CreationInfo(
                spdx_version="SPDX-2.3",
                spdx_id="SPDXRef-DOCUMENT",
                name="Code of known origin",
                document_namespace=f"{_NAMESPACE}{uuid.uuid4()}",
                creators=[model.Actor(model.ActorType.TOOL, f"starcite-{context.version}")],
                created=datetime.now(UTC).replace(microsecond=0, tzinfo=None),
                document_comment=(
                    "Each snippet is code that the named packages hold, too; that it was copied "
                    "from them is not said."
                ),
            )
        )

    def add(self, finding: Finding) -> None:
        """A snippet, with its file and packages if they are new."""
        model, match = self._model, finding.match
        spdx_id = f"SPDXRef-Snippet-{len(self.document.snippets) + 1}"
        licences = sorted({origin.spdx_id for origin in finding.origins})
        first, end = finding.byte_range
        self.document.snippets.append(
            model.Snippet(
                spdx_id=spdx_id,
                file_spdx_id=self._file(finding.target),
                byte_range=(first + 1, end),
                line_range=(finding.span.start_line + 1, finding.span.end_line),
                license_concluded=model.SpdxNoAssertion(),
                license_info_in_snippet=[self._licence(one) for one in licences],
                copyright_text=model.SpdxNoAssertion(),
                comment=(
                    f"{match.tier}, {TIER_IN_WORDS[match.tier]}; {match.n_lexemes} lexemes; "
                    f"probability of copying {match.probability:.2f}; {match.commonness}"
                ),
            )
        )
        for package, origin in {self._package(one): one for one in finding.origins}.items():
            comment = f"The package holds this code: {TIER_IN_WORDS[match.tier]}, {origin.path}"
            self._relate(spdx_id, model.RelationshipType.OTHER, package, printable(comment))

    def _file(self, target: Target) -> str:
        if target.name not in self._files:
            model = self._model
            spdx_id = f"SPDXRef-File-{len(self._files) + 1}"
            self._files[target.name] = spdx_id
            hashes = [
                model.Checksum(model.ChecksumAlgorithm.SHA1, target.file_sha1),
                model.Checksum(model.ChecksumAlgorithm.SHA256, target.file_sha256),
            ]
            self.document.files.append(
                model.File(
                    name=f"./{printable(target.name).lstrip('/')}",  # never absolute
                    spdx_id=spdx_id,
                    checksums=hashes,
                    license_concluded=model.SpdxNoAssertion(),
                    copyright_text=model.SpdxNoAssertion(),
                )
            )
            self._relate("SPDXRef-DOCUMENT", model.RelationshipType.DESCRIBES, spdx_id)
        return self._files[target.name]

    def _package(self, origin: Origin) -> str:
        key = (origin.purl, origin.spdx_id)
        if key not in self._packages:
            model = self._model
            self._packages[key] = f"SPDXRef-Package-{len(self._packages) + 1}"
            purl = model.ExternalPackageRef(
                model.ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", origin.purl
            )
            self.document.packages.append(
                model.Package(
                    spdx_id=self._packages[key],
                    name=printable(origin.name),
                    version=printable(origin.version) or None,
                    download_location=model.SpdxNoAssertion(),
                    files_analyzed=False,
                    license_concluded=model.SpdxNoAssertion(),
                    license_declared=self._licence(origin.spdx_id),
                    license_comment=printable(origin.license_evidence) or None,
                    copyright_text=model.SpdxNoAssertion(),
                    external_references=[purl] if " " not in origin.purl else [],
                )
            )
        return self._packages[key]

    def _licence(self, spdx_id: str) -> Any:
        parsed = parsed_expression(spdx_id, is_known=True) if spdx_id else None
        return self._model.SpdxNoAssertion() if parsed is None else parsed

    def _relate(self, one: str, kind: Any, other: str, comment: str | None = None) -> None:
        self.document.relationships.append(
            self._model.Relationship(one, kind, other, comment=comment)
        )
