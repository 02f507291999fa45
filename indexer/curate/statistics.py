"""What a corpus holds, counted: by language, licence, owner, kind, drop reason and twins."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from indexer.corpus_digest import CorpusDigest
from indexer.curate.pipeline import DropCount
from indexer.curate.shards import ShardsManifest
from indexer.source_file import SourceFile
from indexer.store.documents import Document
from indexer.text.normalize import to_bytes


@dataclass(slots=True)
class Tally:
    """Files and bytes by a key."""

    n_files: Counter[str] = field(default_factory=Counter)
    n_bytes: Counter[str] = field(default_factory=Counter)

    def add(self, key: str, n_bytes: int) -> None:
        """Count one file."""
        self.n_files[key] += 1
        self.n_bytes[key] += n_bytes

    def rows(self) -> list[tuple[str, int, int]]:
        """(key, files, bytes), the most bytes first."""
        return sorted(
            ((key, n, self.n_bytes[key]) for key, n in self.n_files.items()),
            key=lambda row: (-row[2], row[0]),
        )


@dataclass(kw_only=True, slots=True)
class CorpusStatistics:
    """The counts of one corpus."""

    n_files: int = 0
    n_bytes: int = 0
    n_exact_twins: int = 0  # files whose text another file has, too
    n_near_twins: int = 0  # files that nearly equal one that stands for them; 0 before curation
    corpus_digest: str = ""
    by_language: Tally = field(default_factory=Tally)
    by_license: Tally = field(default_factory=Tally)
    by_owner: Tally = field(default_factory=Tally)
    by_kind: Tally = field(default_factory=Tally)
    drops: tuple[DropCount, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    n_read: int = 0  # files before curation; 0 where nothing was curated

    @property
    def exact_share(self) -> float:
        """The share of exact twins in all files, themselves included."""
        return self._share(self.n_exact_twins)

    @property
    def near_share(self) -> float:
        """The share of near twins in all files, themselves included."""
        return self._share(self.n_near_twins)

    def _share(self, n_twins: int) -> float:
        return n_twins / max(1, self.n_files + self.n_exact_twins + self.n_near_twins)

    def record(self) -> dict[str, object]:
        """All of it as JSON has it."""
        tallies = {
            name: [
                {"name": key, "n_files": n_files, "n_bytes": n_bytes}
                for key, n_files, n_bytes in tally.rows()
            ]
            for name, tally in self.tallies()
        }
        return {
            "corpus_digest": self.corpus_digest,
            "n_files": self.n_files,
            "n_bytes": self.n_bytes,
            "n_exact_twins": self.n_exact_twins,
            "exact_share": round(self.exact_share, 6),
            "n_near_twins": self.n_near_twins,
            "near_share": round(self.near_share, 6),
            "n_read": self.n_read,
            **tallies,
            "drops": [
                {"step": d.step, "reason": d.reason, "n_files": d.n_files, "n_bytes": d.n_bytes}
                for d in self.drops
            ],
            "skipped": dict(self.skipped),
        }

    def tallies(self) -> Iterator[tuple[str, Tally]]:
        """The tables, by name."""
        yield "language", self.by_language
        yield "licence", self.by_license
        yield "owner", self.by_owner
        yield "kind", self.by_kind


def count_corpus(
    files: Iterable[SourceFile], manifest: ShardsManifest | None = None
) -> CorpusStatistics:
    """Count files in one pass; `manifest` is that of the shards that they come from, if any."""
    counted = CorpusStatistics()
    digest = CorpusDigest()
    seen: set[bytes] = set()
    for file in files:
        data = to_bytes(file.text)
        digest.add(file.text, (file.origin, *file.twins))
        for twin in file.twins:
            if twin.relation == "near":
                counted.n_near_twins += 1
            else:
                counted.n_exact_twins += 1
        key = hashlib.sha256(data).digest()
        if key in seen:
            counted.n_exact_twins += 1
            continue
        seen.add(key)
        _add(counted, file, len(data))
    counted.corpus_digest = digest.hexdigest()
    if manifest is not None:
        counted.drops, counted.skipped = manifest.drops, manifest.skipped
        counted.n_read = manifest.n_read
    return counted


def count_documents(documents: Iterable[Document], corpus_digest: str) -> CorpusStatistics:
    """Count the documents of an index; a document belongs to the first of its origins."""
    counted = CorpusStatistics(corpus_digest=corpus_digest)
    for document in documents:
        n_near = sum(origin.relation == "near" for origin in document.origins)
        counted.n_near_twins += n_near
        counted.n_exact_twins += len(document.origins) - n_near - 1
        counted.n_files += 1
        counted.n_bytes += document.n_bytes
        counted.by_language.add(document.language, document.n_bytes)
        own = next((o for o in document.origins if o.relation == "same"), document.origins[0])
        counted.by_license.add(own.spdx_id or "none", document.n_bytes)
        counted.by_owner.add(own.owner, document.n_bytes)
    return counted


def _add(counted: CorpusStatistics, file: SourceFile, n_bytes: int) -> None:
    counted.n_files += 1
    counted.n_bytes += n_bytes
    counted.by_language.add(file.language, n_bytes)
    counted.by_license.add(file.origin.spdx_id or "none", n_bytes)
    counted.by_owner.add(file.origin.owner, n_bytes)
    counted.by_kind.add(file.kind, n_bytes)
