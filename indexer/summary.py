"""What an index holds, counted: for people who look into one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from indexer.index import Index


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Counts over the documents of an index; a text with twins counts for each of its origins."""

    n_packages: int
    n_with_twins: int  # documents that were found in more than one place
    documents_by_language: dict[str, int]  # most first
    files_by_license: dict[str, int]
    files_by_owner: dict[str, int]
    bytes_by_part: dict[str, int]  # "text", "fingerprints", …: of the files on disk


_PARTS = {  # by what a file's name begins with, below its segment
    "text": "text",
    "document_starts": "text",
    "documents": "documents",
    "fingerprints": "fingerprints",
    "positions": "fingerprints",
    "membership": "membership",
    "lexical": "BM25",
    "vectors": "dense",
    "fragments": "dense",
    "view": "dense",
}


def summarise(index: Index) -> Summary:
    """Count over every document of an index; reads all records, so about a second."""
    packages: set[str] = set()
    languages: Counter[str] = Counter()
    licenses: Counter[str] = Counter()
    owners: Counter[str] = Counter()
    n_with_twins = 0
    for document_id in index.live_document_ids():
        document = index.document(document_id)
        languages[document.language] += 1
        n_with_twins += len(document.origins) > 1
        packages.update(origin.purl for origin in document.origins)
        licenses.update(origin.spdx_id for origin in document.origins)
        owners.update(origin.owner for origin in document.origins)
    return Summary(
        n_packages=len(packages),
        n_with_twins=n_with_twins,
        documents_by_language=dict(languages.most_common()),
        files_by_license=dict(licenses.most_common()),
        files_by_owner=dict(owners.most_common()),
        bytes_by_part=_bytes_by_part(index),
    )


def _bytes_by_part(index: Index) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for name, entry in index.manifest.files.items():
        below_segment = name.split("/", 2)[-1]
        part = next((_PARTS[p] for p in _PARTS if below_segment.startswith(p)), "other")
        sizes[part] += entry.n_bytes
    return dict(sizes.most_common())
