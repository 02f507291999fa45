"""Where the files of a curation come from: any number of folders and files, of any known kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.corpus import Skip, read_corpus, read_inventory
from indexer.corpus.filters import SkipReason
from indexer.corpus.inventory import MARKER, benchmark_paths
from indexer.corpus.notebooks import Form
from indexer.corpus.opening import find_reader, open_corpus
from indexer.curate.errors import CurateConfigError, CurateError
from indexer.curate.license_gate import has_license, is_expression
from indexer.curate.shards import is_shards, read_shards, read_shards_manifest
from indexer.source_file import SourceFile

STANDARD_LIBRARY = "python"  # the source of the running Python's own library, as origins name it
_DAMAGE = frozenset(
    {SkipReason.DAMAGED, SkipReason.WRONG_TYPE, SkipReason.TOO_DEEP, SkipReason.LONG_RECORD}
)
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of source: how to know it, read it and count it (0 where nobody knows)."""

    fits: Callable[[Path], bool]
    read: Callable[[Path, Form, Callable[[Skip], None]], Iterator[SourceFile]]
    count: Callable[[Path], tuple[int, int]]  # files, bytes of text


def _count_fetched(path: Path) -> tuple[int, int]:
    census = read_inventory(path).census
    return sum(census.n_files.values()) + census.n_twins, sum(census.n_bytes.values())


def _count_curated(path: Path) -> tuple[int, int]:
    manifest = read_shards_manifest(path)
    return manifest.n_files, manifest.n_bytes


_KINDS = (
    _Kind(is_shards, lambda path, _form, _on_skip: read_shards(path), _count_curated),
    _Kind(
        lambda path: (path / MARKER).is_file(),
        lambda path, _form, on_skip: read_corpus(path, on_skip=on_skip),
        _count_fetched,
    ),
    _Kind(
        lambda path: find_reader(path) is not None,
        lambda path, form, on_skip: open_corpus(path, notebooks=form).read(on_skip),
        lambda _: (0, 0),
    ),
)


class Sources:
    """Files of several places, one after the other, in the same order each time they are read."""

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        standard_library: bool = True,
        packages: bool = True,
        notebooks: Form = "script",
        stated_license: str = "",
    ) -> None:
        """Take `paths`, without the running Python's library or with nothing but it.

        Args:
            paths: folders and files of any known kind.
            standard_library: whether to read the running Python's own library.
            packages: whether to read anything else.
            notebooks: as a script, or structured: cells with their text and outputs.
            stated_license: an SPDX expression for files that come without a licence, on the word
                of who adds them.

        Raises:
            CurateError: one of the paths is of no known kind.
            CurateConfigError: the licence is no SPDX expression.
        """
        if stated_license and not is_expression(stated_license):
            raise CurateConfigError(
                f"--license {stated_license!r} is no SPDX expression; write one such as MIT or "
                '"Apache-2.0 OR MIT"'
            )
        self._paths = [(path, _kind_of(path)) for path in paths]
        self._standard_library, self._packages = standard_library, packages
        self._notebooks: Form = notebooks
        self._stated_license = stated_license
        self._skipped: Counter[str] = Counter()
        self._damaged: list[Skip] = []
        self._n_damaged = 0

    def read(self) -> Iterator[SourceFile]:
        """Every file, from the start."""
        self._skipped = Counter()
        self._damaged, self._n_damaged = [], 0
        for path, kind in self._paths:
            for file in kind.read(path, self._notebooks, self._count):
                if self._wants(file.origin.source):
                    yield self._licensed(file)

    def skipped(self) -> Mapping[str, int]:
        """What the readers left out in the last pass, by reason."""
        return dict(self._skipped)

    def damage(self) -> list[str]:
        """A line for people about each of the first damaged records of the last pass."""
        lines = [
            f"left out {skip.path}: {skip.reason}{f' ({skip.detail})' if skip.detail else ''}"
            for skip in self._damaged
        ]
        rest = self._n_damaged - len(lines)
        return [*lines, *([f"left out {rest:,} more damaged records"] if rest else [])]

    def benchmarks(self) -> list[Path]:
        """What must not be in the fetched ones among them, by their locks.

        Raises:
            CorpusDamagedError: one of these files is not as it was fetched.
        """
        fetched = [path for path, _ in self._paths if (path / MARKER).is_file()]
        return [benchmark for path in fetched for benchmark in benchmark_paths(path)]

    def n_files(self) -> int:
        """How many files there are, or 0 where nobody knows before they are read."""
        return self._sum(0)

    def n_bytes(self) -> int:
        """How many bytes of text there are, or 0 where nobody knows before they are read."""
        return self._sum(1)

    def _sum(self, place: int) -> int:
        counts = [kind.count(path)[place] for path, kind in self._paths]
        return sum(counts) if all(counts) else 0

    def _licensed(self, file: SourceFile) -> SourceFile:
        """The file under the licence that was stated, if it came with none of its own."""
        if not self._stated_license or has_license(file):
            return file
        origin = replace(
            file.origin,
            spdx_id=self._stated_license,
            license_evidence=f"stated when it was added: {self._stated_license}",
        )
        return replace(file, origin=origin)

    def _wants(self, source: str) -> bool:
        return self._standard_library if source == STANDARD_LIBRARY else self._packages

    def _count(self, skip: Skip) -> None:
        source = skip.archive.source if skip.archive else ""
        if self._wants(source):
            self._skipped[str(skip.reason)] += 1
            if skip.reason in _DAMAGE:
                self._n_damaged += 1
                self._damaged += [skip] if len(self._damaged) < _MOST_LISTED else []


def _kind_of(path: Path) -> _Kind:
    for kind in _KINDS:
        if kind.fits(path):
            return kind
    raise CurateError(
        f"{path} holds neither a fetched corpus nor shards, nor code in a form that is known "
        "(a git checkout, *.jsonl.zst, *.parquet, *.ipynb); run: starcite corpus fetch"
    )
