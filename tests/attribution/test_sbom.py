"""Bills of materials pass the validators of their fields and point at the code that was found."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from attribution import Tracer
from attribution.cli import trace
from attribution.cyclonedx import as_cyclonedx
from attribution.outcomes import Looked
from attribution.reporting import Context
from attribution.spdx import as_spdx
from attribution.target import read_target

ODD_LICENCES = ["MIT", "MIT OR Apache-2.0", "LicenseRef-own", "no licence at all", "((", ""]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(trace, [str(one) for one in arguments])


@pytest.fixture
def project(tmp_path: Path, texts: dict[str, str]) -> Path:
    """A file with a byte order mark and letters of two bytes before code that is found."""
    folder = tmp_path / "ein Projekt"
    folder.mkdir()
    (folder / "straße.py").write_text("# äöü\n\n\n" + texts["cities"], "utf-8-sig")
    (folder / "cart.py").write_text(texts["cart"])
    (folder / "new.py").write_text("print('nothing to see')\n")
    return folder


def test_an_spdx_document_is_valid_and_its_snippets_are_the_code(
    project: Path, index_path: Path, tmp_path: Path
) -> None:
    """The library reads it back; bytes and lines count from 1, a byte order mark included."""
    path = tmp_path / "trace.spdx.json"
    result = run(project, "--index", index_path, "--format", "spdx", "--output", path)
    assert result.exit_code == 0, result.output

    document = parse_file(str(path))

    assert validate_full_spdx_document(document) == []
    files = {one.spdx_id: one.name for one in document.files}
    assert sorted(Path(name).name for name in files.values()) == ["cart.py", "straße.py"]
    [cities] = [one for one in document.snippets if files[one.file_spdx_id].endswith("straße.py")]
    first, last = cities.byte_range
    held = (project / "straße.py").read_bytes()[first - 1 : last].decode()
    assert held.startswith('"""Städte')
    assert held.rstrip().endswith("return vorgabe")
    assert cities.line_range == (4, 3 + len(held.splitlines()))
    assert {one.name for one in document.packages} == {"geo", "market", "shop"}


def test_a_cyclonedx_document_is_valid_and_says_where_the_code_stands(
    project: Path, index_path: Path
) -> None:
    """A component for each package, with evidence; strictly after the schema of 1.6."""
    result = run(project, "--index", index_path, "--format", "cyclonedx")
    assert result.exit_code == 0, result.output

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(result.output) is None
    components = {one["name"]: one for one in json.loads(result.output)["components"]}
    assert set(components) == {"geo", "market", "shop"}
    assert components["geo"]["purl"] == "pkg:pypi/geo@1.2.3"
    [place] = components["geo"]["evidence"]["occurrences"]
    assert place["line"] == 4
    assert (project / "straße.py").read_bytes()[place["offset"] :].startswith(b'"""St')


@pytest.mark.parametrize("licence", ODD_LICENCES)
def test_an_odd_licence_or_name_makes_no_invalid_document(
    licence: str, project: Path, tracer: Tracer, tmp_path: Path
) -> None:
    """What is no licence of the list is told as what it is, or as no assertion."""
    target = read_target(str(project / "cart.py"))
    told = tracer.trace(target.text, language=target.language)
    matches = tuple(
        replace(match, sources=tuple(
            replace(source, origins=tuple(
                replace(one, spdx_id=licence, version="", path="a\u2028b") for one in source.origins
            ))
            for source in match.sources
        ))
        for match in told.matches
    )  # fmt: skip
    outcome = Looked(
        target=replace(target, name="odd\x1b \udc80.py"), trace=replace(told, matches=matches)
    )
    context = Context(n_documents=1, min_lexemes=30, corpus_digest="", version="0.1.0")

    path = tmp_path / "a.spdx.json"
    path.write_text("\n".join(as_spdx([outcome], context)))
    assert validate_full_spdx_document(parse_file(str(path))) == []
    bom = "\n".join(as_cyclonedx([outcome], context))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom) is None


@pytest.mark.parametrize(("form", "module"), [("spdx", "spdx_tools"), ("cyclonedx", "cyclonedx")])
def test_a_missing_extra_is_named(
    form: str, module: str, project: Path, index_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says what to install."""
    for name in [one for one in sys.modules if one.partition(".")[0] == module]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)

    result = run(project, "--index", index_path, "--format", form)

    assert result.exit_code == 2
    assert f'{module} is not installed; run: pip install "starcite[sbom]"' in result.output
