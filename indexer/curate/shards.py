"""Curated records on disk: compressed shards of JSON lines and the manifest that names them all.

The same records give the same bytes: sorted keys, a fixed compression level, one thread. The
manifest is written last; a folder without one holds nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import zstandard

from indexer.curate.errors import CurateError, ShardsDamagedError, ShardsMissingError
from indexer.curate.pipeline import DropCount
from indexer.curate.records import dump_record, parse_record
from indexer.manifest import sync_folder
from indexer.source_file import SourceFile

FORMAT = 1
MANIFEST_NAME = "shards.json"
LEVEL, FAST_LEVEL = 3, 1  # zstd's: of shards that stay, and of those that are read once


def library_versions() -> dict[str, str]:
    """The versions of what else decides the bytes of shards."""
    versions = {
        "unicode": unicodedata.unidata_version,
        "zstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
    }
    with suppress(PackageNotFoundError):  # nothing was de-duplicated then
        versions["rensa"] = version("rensa")
    return versions


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """One file of records."""

    name: str
    n_files: int
    n_bytes: int  # of text, as UTF-8
    sha256: str  # of the compressed file
    content_sha256: str  # of the lines in it, which no compressor's version changes


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardsManifest:
    """What a set of shards holds and how it came about."""

    corpus_digest: str  # as an index of these shards has it
    built_by: str
    config: Mapping[str, Any]
    config_digest: str
    steps: tuple[str, ...]
    n_read: int  # files that went in
    n_read_bytes: int
    n_files: int  # files that came out
    n_bytes: int
    n_twins: int  # origins of near-duplicates that the files carry
    drops: tuple[DropCount, ...]
    skipped: Mapping[str, int]  # what the readers left out, by reason
    shards: tuple[Shard, ...]
    versions: Mapping[str, str] = field(default_factory=library_versions)
    format: int = FORMAT


class ShardFile:
    """One shard while it is written; `finish` makes it durable under its own name."""

    def __init__(self, folder: Path, number: int, *, level: int = LEVEL) -> None:
        self.name = f"shard-{number:05}.jsonl.zst"
        self._path = folder / self.name
        self._file = (folder / f"{self.name}.partial").open("wb")
        self._compressor = zstandard.ZstdCompressor(level=level, threads=0).compressobj()
        self._sha256, self._content_sha256 = hashlib.sha256(), hashlib.sha256()
        self.n_files = self.n_bytes = 0

    def add(self, file: SourceFile) -> None:
        """Append one record."""
        line = dump_record(file)
        self._content_sha256.update(line)
        self._write(self._compressor.compress(line))
        self.n_files += 1
        self.n_bytes += len(file.text.encode(errors="surrogatepass"))

    def finish(self) -> Shard:
        """Close the file, durably, and describe it."""
        self._write(self._compressor.flush())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        Path(self._file.name).replace(self._path)
        sync_folder(self._path.parent)
        return Shard(
            name=self.name,
            n_files=self.n_files,
            n_bytes=self.n_bytes,
            sha256=self._sha256.hexdigest(),
            content_sha256=self._content_sha256.hexdigest(),
        )

    def discard(self) -> None:
        """Close a file that is not needed; what it holds is lost."""
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._sha256.update(data)
        self._file.write(data)


def is_shards(folder: Path) -> bool:
    """Whether a folder holds a complete set of shards."""
    return (folder / MANIFEST_NAME).is_file()


def read_shards(folder: Path) -> Iterator[SourceFile]:
    """Every record of a complete set of shards, in the order in which they were written.

    Raises:
        ShardsMissingError: the folder holds no complete set.
        ShardsDamagedError: a shard is missing, truncated or not what was written.
    """
    for shard in read_shards_manifest(folder).shards:
        yield from read_shard(folder, shard)


def read_shard(folder: Path, shard: Shard) -> Iterator[SourceFile]:
    """The records of one shard.

    Raises:
        ShardsDamagedError: it is missing, truncated or not what was written.
    """
    path = folder / shard.name
    content = hashlib.sha256()
    n_files = 0
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            for line in io.BufferedReader(stream, 1 << 20):
                content.update(line)
                n_files += 1
                yield parse_record(line)
    except (OSError, ValueError, zstandard.ZstdError) as error:
        raise ShardsDamagedError(f"{path} is damaged: {error}; curate the corpus again") from error
    if content.hexdigest() != shard.content_sha256 or n_files != shard.n_files:
        raise ShardsDamagedError(f"{path} is not what was written; curate the corpus again")


def write_shards_manifest(folder: Path, manifest: ShardsManifest) -> None:
    """Write the manifest durably: to a temporary name, synced, then renamed."""
    write_durably(
        folder / MANIFEST_NAME, json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n"
    )


def write_text(path: Path, text: str) -> None:
    """Write a text file that somebody asked for, whole or not at all.

    Raises:
        CurateError: it cannot be written.
    """
    try:
        write_durably(path, text)
    except OSError as error:
        raise CurateError(f"cannot write {path}: {error.strerror}; choose another file") from error


def write_durably(path: Path, text: str) -> None:
    """Write a text file so that it is there whole or not at all, even after a loss of power."""
    temporary = path.with_name(f"{path.name}.partial")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def read_shards_manifest(folder: Path) -> ShardsManifest:
    """What a folder's shards are.

    Raises:
        ShardsMissingError: the folder holds no complete set.
        ShardsDamagedError: the manifest cannot be read.
    """
    path = folder / MANIFEST_NAME
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ShardsMissingError(
            f"no shards in {folder}; run: starcite corpus curate --to {folder}"
        ) from error
    except OSError as error:
        raise CurateError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ShardsDamagedError(f"{path} is damaged: {error}; curate again") from error
    found = record.get("format") if isinstance(record, dict) else None
    if found != FORMAT:
        raise ShardsDamagedError(
            f"{path} has shards format {found!r}, this version reads {FORMAT}; curate again"
        )
    try:
        shards = tuple(_shard(entry) for entry in record.pop("shards"))
        drops = tuple(DropCount(**entry) for entry in record.pop("drops"))
        steps = tuple(record.pop("steps"))
        return ShardsManifest(shards=shards, drops=drops, steps=steps, **record)
    except (KeyError, TypeError, ValueError) as error:
        raise ShardsDamagedError(f"{path} is damaged: {error}; curate again") from error


def _shard(entry: Mapping[str, Any]) -> Shard:
    shard = Shard(**entry)
    if Path(shard.name).name != shard.name:
        raise ValueError(f"{shard.name!r} leads out of the folder")
    return shard
