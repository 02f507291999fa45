"""The marker of a complete corpus: what its archives are and what they hold. Written last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexer.corpus.errors import CorpusDamagedError, CorpusMissingError

CORPUS_FORMAT = 1
MARKER = "corpus.json"
LOCK_COPY = "corpus.lock"
PACKAGES = "packages"
BENCHMARKS = "benchmarks"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """One file of a corpus folder."""

    file: str
    sha256: str
    n_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive(Stored):
    """One zip file of a corpus and the origin of everything in it."""

    source: str  # "pypi" or "python"
    name: str
    version: str
    spdx_id: str
    license_evidence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Census:
    """What a corpus holds after exact twins are merged, and what was left out, by reason."""

    n_files: dict[str, int] = field(default_factory=dict)  # by language
    n_bytes: dict[str, int] = field(default_factory=dict)  # of UTF-8 text, by language
    n_twins: int = 0
    skipped: dict[str, int] = field(default_factory=dict)  # files by SkipReason


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """What the marker says."""

    lock_sha256: str
    archives: tuple[Archive, ...]  # in the order of reading: by name
    census: Census
    benchmarks: tuple[Stored, ...] = ()  # wheels whose problems the corpus must not hold

    def summary(self) -> str:
        """The corpus in one line for people."""
        n_packages = sum(a.source == "pypi" for a in self.archives)
        parts = [f"{n_packages} packages"]
        parts += [f"Python {a.version}" for a in self.archives if a.source == "python"]
        megabytes = self.census.n_bytes.get("python", 0) / 1e6
        n_files = self.census.n_files.get("python", 0)
        return f"{' + '.join(parts)}: {megabytes:.1f} MB of Python in {n_files:,} files"


def write_inventory(folder: Path, inventory: Inventory) -> None:
    """Write the marker atomically; from then on the corpus is complete."""
    partial = folder / f"{MARKER}.partial"
    text = json.dumps({"format": CORPUS_FORMAT, **asdict(inventory)}, indent=1) + "\n"
    partial.write_text(text, encoding="utf-8")
    partial.replace(folder / MARKER)


def read_inventory(folder: Path) -> Inventory:
    """Read the marker of a complete corpus.

    Raises:
        CorpusMissingError: there is none, so nothing was fetched or not all of it.
        CorpusDamagedError: it is not what this version writes.
    """
    marker = folder / MARKER
    again = "run: starcite corpus fetch"
    try:
        table: Any = json.loads(marker.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        state = "is not complete" if (folder / PACKAGES).is_dir() else "does not exist"
        raise CorpusMissingError(f"the corpus in {folder} {state}; {again}") from error
    except OSError as error:
        raise CorpusMissingError(f"cannot read {marker}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CorpusDamagedError(f"{marker} is damaged; delete it and {again}") from error
    found = table.get("format") if isinstance(table, dict) else None
    if found != CORPUS_FORMAT:
        raise CorpusDamagedError(
            f"{marker} has corpus format {found!r}, this version reads {CORPUS_FORMAT}; {again}"
        )
    try:
        return Inventory(
            lock_sha256=str(table["lock_sha256"]),
            archives=tuple(Archive(**entry) for entry in table["archives"]),
            census=Census(**table["census"]),
            benchmarks=tuple(Stored(**entry) for entry in table.get("benchmarks", [])),
        )
    except (KeyError, TypeError) as error:
        raise CorpusDamagedError(f"{marker} is damaged ({error}); delete it and {again}") from error


def file_sha256(path: Path) -> str:
    """The hexadecimal digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find_damage(folder: Path, files: Iterable[Stored], *, inside: str = PACKAGES) -> Stored | None:
    """The first file that is missing or not as it was fetched, or None."""
    for stored in files:
        path = folder / inside / stored.file
        if not path.is_file() or path.stat().st_size != stored.n_bytes:
            return stored
        if file_sha256(path) != stored.sha256:
            return stored
    return None


def benchmark_paths(folder: Path) -> list[Path]:
    """The wheels with the problems that a fetched corpus must not hold.

    Raises:
        CorpusMissingError: the folder holds no complete corpus.
        CorpusDamagedError: one of them is not as it was fetched.
    """
    stored = read_inventory(folder).benchmarks
    damaged = find_damage(folder, stored, inside=BENCHMARKS)
    if damaged is not None:
        path = folder / BENCHMARKS / damaged.file
        raise CorpusDamagedError(f"{path} is missing or damaged; run: starcite corpus fetch")
    return [folder / BENCHMARKS / one.file for one in stored]
