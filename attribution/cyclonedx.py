"""A trace as a CycloneDX 1.6 bill of materials: the packages whose code was found, and where.

Source: Ecma International, ECMA-424 (CycloneDX), component evidence: occurrences and identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from attribution.findings import Finding, findings_of, module_of_extra
from attribution.license_policy import parsed_expression
from attribution.outcomes import Outcome
from attribution.provenance import swhid_of_source
from attribution.reporting import TIER_IN_WORDS, Context, printable
from indexer import Origin

Key = tuple[str, str]  # package URL and licence: what one component stands for


def as_cyclonedx(outcomes: Iterable[Outcome], context: Context) -> Iterator[str]:
    """One JSON document; a component for each package release and licence.

    Raises:
        MissingExtraError: `cyclonedx-python-lib` is not installed.
    """
    library = module_of_extra("cyclonedx.model.bom", extra="sbom")
    component = module_of_extra("cyclonedx.model.component", extra="sbom")
    writer = module_of_extra("cyclonedx.output.json", extra="sbom")
    found: dict[Key, list[tuple[Finding, Origin]]] = {}
    for finding in findings_of(outcomes):
        for origin in finding.origins:
            found.setdefault((origin.purl, origin.spdx_id), []).append((finding, origin))
    bom = library.Bom(components=[_component(*one) for one in sorted(found.items(), key=_key)])
    bom.metadata.tools.components.add(
        component.Component(
            name="starcite",
            version=context.version,
            type=component.ComponentType.APPLICATION,
        )
    )
    yield writer.JsonV1Dot6(bom).output_as_string(indent=2)


def _key(item: tuple[Key, Any]) -> Key:
    return item[0]


def _component(key: Key, found: list[tuple[Finding, Origin]]) -> Any:
    from cyclonedx.model import Property  # noqa: PLC0415
    from cyclonedx.model.component import Component  # noqa: PLC0415
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression  # noqa: PLC0415

    origin = found[0][1]
    licence: Any = None
    if origin.spdx_id:
        is_known = parsed_expression(origin.spdx_id, is_known=True) is not None
        licence = (
            LicenseExpression(origin.spdx_id)
            if is_known
            else DisjunctiveLicense(name=printable(origin.spdx_id))
        )
    stated = sorted({one.license_evidence for _, one in found if one.license_evidence})
    swhids = {swhid_of_source(source, one) for finding, one in found
              for source in finding.match.sources if one in source.origins}  # fmt: skip
    return Component(
        name=printable(origin.name),
        version=printable(origin.version),
        bom_ref=f"{key[0]}#{key[1]}",
        purl=_purl(origin),
        licenses=[licence] if licence else None,
        evidence=_evidence(found),
        properties=[
            *(Property(name="starcite:licenseEvidence", value=printable(one)) for one in stated),
            *(Property(name="starcite:swhid", value=one) for one in sorted(swhids - {""})),
        ],
    )


def _purl(origin: Origin) -> Any:
    from packageurl import PackageURL  # noqa: PLC0415

    try:
        return PackageURL.from_string(origin.purl)
    except ValueError:
        return None


def _evidence(found: list[tuple[Finding, Origin]]) -> Any:
    from cyclonedx.model.component_evidence import (  # noqa: PLC0415
        AnalysisTechnique,
        ComponentEvidence,
        Identity,
        IdentityField,
        Method,
        Occurrence,
    )

    confidence = Decimal(str(round(max(one.match.probability for one, _ in found), 4)))
    method = Method(technique=AnalysisTechnique.SOURCE_CODE_ANALYSIS, confidence=confidence)
    return ComponentEvidence(
        identity=Identity(field=IdentityField.PURL, confidence=confidence, methods=[method]),
        occurrences=[
            Occurrence(
                location=printable(finding.target.name),
                line=finding.span.start_line + 1,
                offset=finding.byte_range[0],
                additional_context=_context(finding, origin),
            )
            for finding, origin in found
        ],
    )


def _context(finding: Finding, origin: Origin) -> str:
    match, span = finding.match, finding.span
    return printable(
        f"{match.tier}, {TIER_IN_WORDS[match.tier]}: lines {span.start_line + 1}-{span.end_line}, "
        f"{match.n_lexemes} lexemes of {origin.path}; {match.commonness}"
    )
