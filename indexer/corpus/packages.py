"""Reads the source files of a fetched corpus straight from its archives; nothing is extracted."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from indexer.corpus.errors import CorpusDamagedError
from indexer.corpus.filters import (
    MAX_FILE_BYTES,
    SkipReason,
    decode_source,
    is_vendored,
    judge_text,
    source_language,
)
from indexer.corpus.inventory import PACKAGES, Archive, find_damage, read_inventory
from indexer.corpus.skips import OnSkip, Skip
from indexer.source_file import Origin, SourceFile

MAX_ARCHIVE_FILES = 100_000
MAX_ARCHIVE_BYTES = 1_000_000_000  # of unpacked text: a bound for archives that were made to harm
# What zipfile raises on damaged, encrypted or exotic archives.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # also NotImplementedError
    ValueError,
    OverflowError,
)


def read_corpus(folder: Path, *, on_skip: OnSkip | None = None) -> Iterator[SourceFile]:
    """Every source file of a complete corpus, by package name and then by path.

    Raises:
        CorpusMissingError: the folder holds no complete corpus.
        CorpusDamagedError: an archive is missing, changed or unreadable.
    """
    inventory = read_inventory(folder)
    damaged = find_damage(folder, inventory.archives)
    if damaged is not None:
        raise CorpusDamagedError(
            f"{folder / PACKAGES / damaged.file} is missing or damaged; run: starcite corpus fetch"
        )
    for archive in inventory.archives:
        yield from read_archive(folder / PACKAGES / archive.file, archive, on_skip=on_skip)


def read_archive(
    path: Path, archive: Archive, *, on_skip: OnSkip | None = None
) -> Iterator[SourceFile]:
    """The source files of one zip file, by path.

    Raises:
        CorpusDamagedError: the file is no readable zip, or larger than any package.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            for entry in _entries(opened, path):
                found = _read_entry(opened, entry, archive)
                if isinstance(found, SourceFile):
                    yield found
                elif on_skip is not None:
                    on_skip(Skip(found, archive, entry.filename))
    except _ZIP_ERRORS as error:
        raise CorpusDamagedError(f"{path} cannot be read as a zip file: {error}") from error


def _entries(opened: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    entries = {e.filename: e for e in opened.infolist() if not e.is_dir()}
    n_bytes = sum(e.file_size for e in entries.values())
    if len(entries) > MAX_ARCHIVE_FILES or n_bytes > MAX_ARCHIVE_BYTES:
        raise CorpusDamagedError(
            f"{path} holds {len(entries)} files of {n_bytes} bytes, more than any package; "
            "leave it out of the lock"
        )
    return [entries[name] for name in sorted(entries)]


def _read_entry(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, archive: Archive
) -> SourceFile | SkipReason:
    language = source_language(entry.filename)
    if language is None or not entry.filename.isprintable():
        return SkipReason.NOT_SOURCE
    if is_vendored(entry.filename):
        return SkipReason.VENDORED
    if entry.file_size > MAX_FILE_BYTES:
        return SkipReason.TOO_LARGE
    text = decode_source(read_bounded(opened, entry), language)
    if isinstance(text, SkipReason):
        return text
    return judge_text(text) or SourceFile(
        text=text, language=language, origin=_origin(archive, entry.filename)
    )


def read_bounded(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one entry, checked by its CRC, in memory bounded by its announced size.

    `ZipFile.read` unpacks a whole deflate stream before it looks at the announced size, and bzip2
    and LZMA streams are never bounded: no wheel uses them.
    """
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"{entry.filename} is neither stored nor deflated")
    with opened.open(entry) as stream:
        return stream.read(entry.file_size + 1)


def _origin(archive: Archive, path: str) -> Origin:
    return Origin(
        source=archive.source,
        name=archive.name,
        version=archive.version,
        path=path,
        spdx_id=archive.spdx_id,
        license_evidence=archive.license_evidence,
    )
