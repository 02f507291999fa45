"""The front door to every kind of corpus: looks at a path and gives the reader that fits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from indexer.corpus import jsonl, parquet
from indexer.corpus.checkout import read_checkout
from indexer.corpus.errors import UnknownCorpusError
from indexer.corpus.inventory import MARKER
from indexer.corpus.jsonl import read_jsonl
from indexer.corpus.notebooks import SUFFIXES as NOTEBOOK_SUFFIXES
from indexer.corpus.notebooks import Form, read_notebook
from indexer.corpus.packages import read_corpus
from indexer.corpus.parquet import read_parquet
from indexer.corpus.skips import OnSkip, ignore
from indexer.source_file import SourceFile


@dataclass(frozen=True, slots=True)
class CorpusReader:
    """What a path holds, and how it is read."""

    kind: str  # "packages", "git checkout", "JSON lines", "Parquet", "notebook", "folder"
    path: Path
    read_records: Callable[[OnSkip], Iterator[SourceFile]]

    def read(self, on_skip: OnSkip = ignore) -> Iterator[SourceFile]:
        """Every record, from the start and in the same order each time."""
        return self.read_records(on_skip)


def open_corpus(path: Path, *, notebooks: Form = "script") -> CorpusReader:
    """The reader for what is at `path`; notebooks in it are read in the form of `notebooks`.

    Raises:
        UnknownCorpusError: there is nothing, or nothing that a reader knows.
    """
    reader = find_reader(path, notebooks=notebooks)
    if reader is not None:
        return reader
    if not path.exists():
        raise UnknownCorpusError(f"{path} does not exist; give a folder or a file that holds code")
    raise UnknownCorpusError(
        f"{path} holds no corpus; give a fetched corpus, a folder of shards, a git checkout, or "
        f"files named {', '.join(f'*{suffix}' for suffix in _SHOWN)}"
    )


def find_reader(path: Path, *, notebooks: Form = "script") -> CorpusReader | None:
    """The reader for what is at `path`, or None if no reader knows it."""
    if path.is_file():
        return _file_reader(path, notebooks)
    if not path.is_dir():
        return None
    if (path / MARKER).is_file():
        return CorpusReader("packages", path, lambda on_skip: read_corpus(path, on_skip=on_skip))
    if (path / ".git").exists() or _is_bare(path):
        read = partial(read_checkout, path, notebooks=notebooks)
        return CorpusReader("git checkout", path, lambda on_skip: read(on_skip=on_skip))
    files = _known_files(path)
    return CorpusReader("folder", path, partial(_read_files, files, notebooks)) if files else None


_SHOWN = (".jsonl", ".jsonl.zst", ".parquet", ".ipynb")
_Read = Callable[..., Iterator[SourceFile]]
_READERS: tuple[tuple[str, tuple[str, ...], _Read], ...] = (
    ("JSON lines", jsonl.SUFFIXES, read_jsonl),
    ("Parquet", parquet.SUFFIXES, read_parquet),
)

_SUFFIXES = (*jsonl.SUFFIXES, *parquet.SUFFIXES, *NOTEBOOK_SUFFIXES)


def _file_reader(path: Path, form: Form) -> CorpusReader | None:
    name = path.name.lower()
    if name.endswith(NOTEBOOK_SUFFIXES):
        read = partial(read_notebook, path, form=form)
        return CorpusReader("notebook", path, lambda on_skip: read(on_skip=on_skip))
    for kind, suffixes, read_rows in _READERS:
        if name.endswith(suffixes):
            return CorpusReader(kind, path, partial(_call, read_rows, path))
    return None


def _call(read: _Read, path: Path, on_skip: OnSkip) -> Iterator[SourceFile]:
    return read(path, on_skip=on_skip)


def _read_files(files: list[Path], form: Form, on_skip: OnSkip) -> Iterator[SourceFile]:
    for file in files:
        reader = _file_reader(file, form)
        if reader is not None:
            yield from reader.read(on_skip)


def _known_files(folder: Path) -> list[Path]:
    """The files in a folder and below that a reader knows, by path; links are not followed."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(parent, name) for name in names)
        found += [path for path in paths if _is_known(path) and not path.is_symlink()]
    return sorted(found)


def _is_known(path: Path) -> bool:
    return path.name.lower().endswith(_SUFFIXES)


def _is_bare(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
