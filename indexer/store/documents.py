"""What is known of each document: its digest, language, size and every place it was found in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexDamagedError
from indexer.source_file import Origin
from indexer.store.arrays import open_array, open_bytes, write_array

RECORDS_NAME = "documents.jsonl"
OFFSETS_NAME = "documents_offsets.npy"

_DIGEST_KEY = b'{"sha256":"'  # what every record begins with
_ROWS = 1 << 16  # records looked at together
_DEFAULTS = {field.name: field.default for field in fields(Origin) if field.default is not MISSING}


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One distinct text of the index."""

    document_id: int
    sha256: str  # of the UTF-8 text
    language: str
    n_bytes: int
    origins: tuple[Origin, ...]  # every place where exactly this text was found; never empty


# Its number is the line's number in the segment.
_FIELDS = tuple(field.name for field in fields(Document) if field.name != "document_id")


def write_documents(folder: Path, documents: Iterable[Document]) -> None:
    """Write a segment's documents, one JSON record a line, in the order of their numbers."""
    offsets = [0]
    with (folder / RECORDS_NAME).open("wb") as file:
        for document in documents:
            # Not by `asdict`, which copies every string and takes most of the time.
            record = {name: getattr(document, name) for name in _FIELDS}
            record["origins"] = [_stated(origin) for origin in document.origins]
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
            offsets.append(offsets[-1] + file.write(line.encode()))
    array = np.array(offsets, dtype=np.int64)
    write_array(folder / OFFSETS_NAME, [array], dtype=np.int64, length=len(array))


class DocumentReader:
    """The documents of one segment; a record is parsed when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORDS_NAME
        self._records = open_bytes(self._path)
        self._offsets: NDArray[np.int64] = open_array(folder / OFFSETS_NAME, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def digests(self) -> NDArray[np.bytes_]:
        """The sha256 of every text, in hexadecimal; (N,) S64. No record is parsed.

        Raises:
            IndexDamagedError: a record does not begin with its digest.
        """
        parts = [np.empty(0, dtype="S64")]
        for first in range(0, len(self), _ROWS):
            begins = np.asarray(self._offsets[first : min(first + _ROWS, len(self))])
            columns = np.arange(len(_DIGEST_KEY) + 64)
            if len(begins) and int(begins.max()) + len(columns) > len(self._records):
                raise IndexDamagedError(self._path, "its offsets lead out of it")
            heads = self._records[begins[:, None] + columns]
            if np.any(heads[:, : len(_DIGEST_KEY)] != np.frombuffer(_DIGEST_KEY, dtype=np.uint8)):
                raise IndexDamagedError(self._path, "a record does not begin with its digest")
            parts.append(np.ascontiguousarray(heads[:, len(_DIGEST_KEY) :]).view("S64").ravel())
        return np.concatenate(parts)

    def record(self, number: int) -> bytes:
        """A document's record as it is stored."""
        return self._records[int(self._offsets[number]) : int(self._offsets[number + 1])].tobytes()

    def read(self, number: int, *, document_id: int) -> Document:
        """A document by its number in the segment; `document_id` is its number in the index.

        Raises:
            IndexDamagedError: the record is not what was written.
        """
        try:
            record = json.loads(self.record(number))
            return _document(record, document_id)
        except (ValueError, KeyError, TypeError) as error:
            raise IndexDamagedError(self._path, f"record {number}: {error}") from error


def _stated(origin: Origin) -> dict[str, Any]:
    """Without what is not known of an origin, which reads back as the same."""
    record = {field.name: getattr(origin, field.name) for field in fields(origin)}
    return {name: value for name, value in record.items() if value != _DEFAULTS.get(name)}


def _document(record: dict[str, Any], document_id: int) -> Document:
    origins = tuple(Origin(**origin) for origin in record.pop("origins"))
    return Document(document_id=document_id, origins=origins, **record)
