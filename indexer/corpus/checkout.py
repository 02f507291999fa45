"""A git checkout: the files of its commit, with the commit, the date and the licence of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from indexer.corpus.filters import MAX_FILE_BYTES, SkipReason, decode_source, is_vendored
from indexer.corpus.git import (
    Blob,
    Objects,
    blobs_of,
    first_seen,
    head_of,
    repository_of,
)
from indexer.corpus.license_texts import MAX_LICENSE_CHARS, detect_licenses
from indexer.corpus.notebooks import MAX_NOTEBOOK_BYTES, Form, notebook_of
from indexer.corpus.rows import Left, judge_value
from indexer.corpus.skips import OnSkip, Skip, ignore
from indexer.source_file import Origin, SourceFile
from indexer.text.languages import language_of

_LICENSE_NAME = re.compile(r"(?:licen[cs]es?|copying|unlicense)(?:[._-][\w.-]*)?", re.IGNORECASE)
_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+() -]{2,120})")
_TAG_CHARS = 2000  # a file states its licence in its head
_NOTEBOOK = ".ipynb"


@dataclass(frozen=True, slots=True)
class _License:
    spdx_id: str
    evidence: str


_NONE = _License("NOASSERTION", "")


def read_checkout(
    folder: Path, *, notebooks: Form = "script", on_skip: OnSkip = ignore
) -> Iterator[SourceFile]:
    """Every source file of the commit that is checked out, by path; untracked files are not read.

    The licence is the one that a file states, else that of the nearest licence file above it.

    Raises:
        CheckoutError: the folder is no git repository, has no commit, or git is missing.
    """
    commit = head_of(folder)
    blobs = blobs_of(folder, commit)
    dates = first_seen(folder, commit)
    repository = repository_of(folder)
    with Objects(folder) as objects:
        licenses = _licenses(blobs, objects)
        for blob in blobs:
            nearest = _nearest(licenses, blob.path)
            origin = Origin(
                source="git",
                name=repository or folder.absolute().name,
                version=commit[:12],
                path=blob.path,
                spdx_id=nearest.spdx_id,
                license_evidence=nearest.evidence,
                repository=repository,
                revision=commit,
                first_seen=dates.get(blob.path, ""),
            )
            found = _read(blob, objects, origin, notebooks)
            if isinstance(found, SourceFile):
                yield found
            else:
                on_skip(Skip(found.reason, None, blob.path, found.detail))


def _read(blob: Blob, objects: Objects, origin: Origin, notebooks: Form) -> SourceFile | Left:
    reason = _judge(blob)
    if reason:
        return Left(reason)
    data = objects.read(blob.oid)
    if data is None:
        return Left(SkipReason.DAMAGED, f"git has no blob {blob.oid}")
    if _is_notebook(blob):
        return notebook_of(data, origin, form=notebooks)
    language = language_of(blob.path) or ""
    text = decode_source(data, language)
    reason = text if isinstance(text, SkipReason) else judge_value(text)
    if reason:
        return Left(reason)
    return SourceFile(text=text, language=language, origin=_with_stated(origin, text))


def _judge(blob: Blob) -> SkipReason | None:
    """What is known before a blob is read."""
    is_notebook = _is_notebook(blob)
    if not blob.path.isprintable() or not (is_notebook or language_of(blob.path)):
        return SkipReason.NOT_SOURCE
    if is_vendored(blob.path):
        return SkipReason.VENDORED
    most = MAX_NOTEBOOK_BYTES if is_notebook else MAX_FILE_BYTES
    return SkipReason.TOO_LARGE if blob.n_bytes > most else None


def _is_notebook(blob: Blob) -> bool:
    return blob.path.lower().endswith(_NOTEBOOK)


def _licenses(blobs: Sequence[Blob], objects: Objects) -> dict[str, _License]:
    """What the licence files say, by the folder that they stand in; "" is the top."""
    texts: dict[str, dict[str, frozenset[str]]] = {}
    for blob in blobs:
        path = PurePosixPath(blob.path)
        if not _LICENSE_NAME.fullmatch(path.name) or blob.n_bytes > MAX_LICENSE_CHARS:
            continue
        if language_of(path.name) not in (None, "markdown"):  # license.py is code
            continue
        data = objects.read(blob.oid) or b""
        ids = detect_licenses(data.decode("utf-8", "replace"))
        texts.setdefault(str(path.parent).removeprefix("."), {})[blob.path] = ids
    return {folder: _joined(found) for folder, found in texts.items()}


def _joined(found: dict[str, frozenset[str]]) -> _License:
    ids = sorted(frozenset().union(*found.values()))
    said = (f"{path}: {' + '.join(sorted(i)) or 'unknown'}" for path, i in sorted(found.items()))
    return _License(" AND ".join(ids) or _NONE.spdx_id, "; ".join(said))


def _nearest(licenses: dict[str, _License], path: str) -> _License:
    for folder in PurePosixPath(path).parents:
        found = licenses.get(str(folder).removeprefix("."))
        if found is not None:
            return found
    return _NONE


def _with_stated(origin: Origin, text: str) -> Origin:
    """With the licence that the file itself states (SPDX 2.3, annex E), if it does."""
    stated = _TAG.search(text[:_TAG_CHARS])
    if stated is None:
        return origin
    spdx_id = stated[1].strip(" -")
    return replace(origin, spdx_id=spdx_id, license_evidence=f"SPDX-License-Identifier: {spdx_id}")
