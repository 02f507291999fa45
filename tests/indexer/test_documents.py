"""Documents come back with all that is known of their origins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.source_file import Origin
from indexer.store.documents import RECORDS_NAME, Document, DocumentReader, write_documents

_OLD = Origin(
    source="pypi", name="pkg", version="1", path="a.py", spdx_id="MIT", license_evidence="LICENSE"
)
_NEW = Origin(
    source="git",
    name="ann/tools",
    version="c0ffee",
    path="a.py",
    spdx_id="MIT",
    license_evidence="LICENSE: MIT",
    repository="ann/tools",
    revision="c0ffee",
    first_seen="2020-01-02",
    relation="near",
)


def _document(*origins: Origin) -> Document:
    return Document(document_id=0, sha256="0" * 64, language="python", n_bytes=6, origins=origins)


def test_round_trip(tmp_path: Path) -> None:
    """Repository, revision, date and relation of an origin are kept."""
    expected = _document(_OLD, _NEW)
    write_documents(tmp_path, [expected])

    assert expected == DocumentReader(tmp_path).read(0, document_id=0)


def test_only_what_is_known_is_written(tmp_path: Path) -> None:
    """A record of a package is what older versions wrote, so each reads the other's."""
    write_documents(tmp_path, [_document(_OLD)])
    (origin,) = json.loads((tmp_path / RECORDS_NAME).read_bytes())["origins"]

    assert [*origin] == ["source", "name", "version", "path", "spdx_id", "license_evidence"]


@pytest.mark.parametrize(("origin", "owner"), [(_OLD, "pkg"), (_NEW, "ann")])
def test_owner(origin: Origin, owner: str) -> None:
    """The owner of a repository, else the package, is who published a text."""
    assert owner == origin.owner
