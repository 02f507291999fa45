"""What an index consists of: the file that is written last and makes a folder an index.

The manifest is canonical JSON with a checksum of itself, so that damage to any byte is seen.

Whatever changes an index writes a new manifest in place of the old one: a generation. Segments are
never changed; a generation names other ones, or other tombstones.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from indexer.errors import IndexDamagedError, IndexFormatError, IndexMissingError

FORMAT = 2  # 2 added view P of the fingerprints and the filter of 50-byte tiles
FILE_NAME = "manifest.json"
SEGMENTS_NAME = "segments"
TOMBSTONES_NAME = "tombstones"

_CHECKSUM_KEY = "manifest_sha256"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileEntry:
    """The size and the checksum of one file of an index."""

    n_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What an index holds and how it was built."""

    corpus_digest: str  # sha256 over the sorted (text's sha256, package URL, path) of all origins
    built_by: str  # "starcite 0.1.0"
    k: int  # lexemes in a k-gram
    w: int  # k-grams in a window of winnowing
    p_k: int  # the same of view P, where names are taken away
    p_w: int
    tile_chars: int  # bytes in a tile of the membership filter
    chunk_lines: int  # lines in a chunk of the BM25 index
    n_documents: int  # as ids count them: forgotten ones too, until their segment is rewritten
    n_origins: int  # of these documents
    n_bytes: int  # of their text
    segments: tuple[str, ...]  # folders below `segments`, in the order of their document ids
    files: Mapping[str, FileEntry]  # by path below the index's folder, with forward slashes
    format: int = FORMAT
    # What follows is written only where it says something: a build writes none of it.
    generation: int = 1  # counts the states of an index since it was built
    lineage: str = ""  # the checksum of the first generation's manifest; empty in that one
    previous: str = ""  # the checksum of the manifest before this one
    previous_corpus_digest: str = ""
    # The digest of the curated corpus that each segment was made of, as its shards and the models
    # that were trained on them name it; "" for what is of no such corpus. Empty: all are.
    corpora: tuple[str, ...] = ()
    tombstones: str = ""  # the file of the forgotten documents' ids
    n_tombstones: int = 0

    @property
    def n_live(self) -> int:
        """The documents that queries see."""
        return self.n_documents - self.n_tombstones

    def corpus_of(self, segment: int) -> str:
        """The digest of the curated corpus that a segment was made of; "" if it was of none."""
        return self.corpora[segment] if self.corpora else ""

    @property
    def checksum(self) -> str:
        """The sha256 that the manifest carries of itself."""
        return _checksum(json.dumps(_record(self), sort_keys=True))

    @property
    def content_digest(self) -> str:
        """Equal for equal documents built in the same order.

        The sha256 over the checksums of all files but the BM25 part's, of which tantivy merges
        large ones in the background, in other ways each time.
        """
        lines = (
            f"{entry.sha256} {name}\n"
            for name, entry in sorted(self.files.items())
            if "/lexical/" not in name
        )
        return _checksum("".join(lines))

    @property
    def index_bytes(self) -> int:
        """The size of all files together."""
        return sum(entry.n_bytes for entry in self.files.values())


def named_corpora(digests: Iterable[str]) -> tuple[str, ...]:
    """What `Manifest.corpora` holds for segments of these corpora."""
    corpora = tuple(digests)
    return corpora if any(corpora) else ()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest durably: to a temporary name, synced, then renamed."""
    temporary = folder / f"{FILE_NAME}.partial"
    with temporary.open("wb") as file:
        file.write(_serialise(_record(manifest)))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE_NAME)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the platform can."""
    if os.name == "nt":  # Windows cannot open a folder, and journals names by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of the index in a folder.

    Raises:
        IndexMissingError: there is none.
        IndexFormatError: it was written in another format.
        IndexDamagedError: it is not what was written.
    """
    path = folder / FILE_NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IndexMissingError(folder) from error
    except OSError as error:
        raise IndexDamagedError(path, error.strerror or str(error)) from error
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IndexDamagedError(path, f"no valid JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("format"), int):
        raise IndexDamagedError(path, "it names no format")
    if record["format"] != FORMAT:
        raise IndexFormatError(folder, f"format {record['format']}", f"format {FORMAT}")
    checksum = record.pop(_CHECKSUM_KEY, None)
    if _serialise(record) != data:
        raise IndexDamagedError(path, f"its checksum {checksum!r} does not match")
    try:
        return _manifest(record)
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamagedError(path, f"a field is wrong ({error})") from error


def _manifest(record: dict[str, Any]) -> Manifest:
    if not isinstance(record["files"], dict):
        raise TypeError("files is no table")
    files = {_inside(name): FileEntry(**entry) for name, entry in record.pop("files").items()}
    segments = tuple(_inside(name) for name in record.pop("segments"))
    corpora = tuple(str(digest) for digest in record.pop("corpora", ()))
    manifest = Manifest(files=files, segments=segments, corpora=corpora, **record)
    if corpora and len(corpora) != len(segments):
        raise ValueError(f"{len(corpora)} corpora for {len(segments)} segments")
    if manifest.tombstones and manifest.tombstones not in files:
        raise ValueError(f"{manifest.tombstones} is not among the files")
    return manifest


def _record(manifest: Manifest) -> dict[str, Any]:
    """As JSON has it: what says nothing is left out, so that a build's manifest is plain."""
    record = asdict(manifest)
    for field in fields(manifest):
        is_optional = field.default is not MISSING and field.name != "format"
        if is_optional and record[field.name] == field.default:
            del record[field.name]
    return record


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
        raise ValueError(f"{name!r} leads out of the index")
    return name


def _serialise(record: dict[str, Any]) -> bytes:
    """The one way to write a record, with its checksum as the last key."""
    body = json.dumps(record, sort_keys=True)
    fields_in_order = {**json.loads(body), _CHECKSUM_KEY: _checksum(body)}
    return (json.dumps(fields_in_order, indent=1) + "\n").encode()


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
