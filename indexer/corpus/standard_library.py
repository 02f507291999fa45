"""Packs the running Python's standard library, so that a corpus stays what it was when fetched."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

from indexer.corpus.errors import CorpusError
from indexer.corpus.inventory import Archive, file_sha256
from indexer.corpus.license_texts import detect_licenses

_LEFT_OUT = frozenset(
    ["site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"]
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip: the same files give the same archive


def pack_standard_library(folder: Path) -> Archive:
    """Write the library's Python files into one zip file under `folder` and describe it.

    Raises:
        CorpusError: this Python keeps no source files on disk.
    """
    home = Path(sysconfig.get_path("stdlib"))
    version = platform.python_version()
    target = folder / f"python-{version}.zip"
    partial = target.with_suffix(".partial")
    n_files = 0
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for path in _python_files(home):
            info = zipfile.ZipInfo(path.relative_to(home).as_posix(), _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, path.read_bytes())
            n_files += 1
    if not n_files:
        partial.unlink()
        raise CorpusError(f"this Python keeps no source files in {home}; use another one")
    partial.replace(target)
    return Archive(
        file=target.name,
        sha256=file_sha256(target),
        n_bytes=target.stat().st_size,
        source="python",
        name="python",
        version=version,
        spdx_id="PSF-2.0",
        license_evidence=_evidence(home),
    )


def _python_files(home: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(home):
        names[:] = sorted(n for n in names if n not in _LEFT_OUT)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def _evidence(home: Path) -> str:
    """What says that the library is under the PSF licence: its licence file, or the interpreter."""
    for name in ("LICENSE.txt", "LICENSE"):
        path = home / name
        if path.is_file() and "PSF-2.0" in detect_licenses(path.read_text(errors="replace")):
            return f"{name}: PSF-2.0"
    return f"sys.copyright: {sys.copyright.splitlines()[0].strip()}"
