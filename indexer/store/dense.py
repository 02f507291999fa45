"""The dense view of a segment: a vector for each fragment of its documents, through FAISS.

    view.json       which encoder made it, written last
    fragments.npy   (N, 3) uint32: a document's number in the segment, first line, line behind
    vectors.faiss   N vectors in eight bits; below 50,000 all are compared, else the nearest cells

Vectors are rounded to whole numbers before FAISS sees them, so that they come out of a view as they
went in: what is rewritten is what would be built anew. The writer and the reader stand here side by
side; FAISS is imported when one of them is used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.errors import IndexBuildError, IndexDamagedError

FOLDER_NAME = "dense"
VIEW, FRAGMENTS, VECTORS = "view.json", "fragments.npy", "vectors.faiss"
FLAT_BELOW = 50_000
# Entries of unit vectors of 256 numbers stay below 0.4; beyond 127 / 300 they are cut off.
SCALE = 300.0

_TRAINED_ON = 64  # vectors a cell that k-means looks at
_PROBES = 32  # cells that a query looks into
_MORE = 8  # times as many fragments are asked for where forgotten documents take places

Rows = NDArray[np.int8]  # (N, C), vectors times SCALE
Places = NDArray[np.uint32]  # (N, 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What a dense view is."""

    encoder: str  # its name
    encoder_sha256: str  # of its graph: a query has to be encoded by the very same
    width: int
    n_fragments: int
    kind: str  # "flat" or "ivf"


class Near(NamedTuple):
    """A fragment near a query."""

    number: int  # of the document in the segment
    start_line: int
    end_line: int
    cosine: float


def rounded(vectors: NDArray[np.float32]) -> Rows:
    """Unit vectors (N, C) as whole numbers."""
    rows: Rows = np.rint(np.clip(vectors * SCALE, -127, 127)).astype(np.int8)
    return rows


def write_view(
    folder: Path, rows: Rows, places: Places, *, encoder: str, encoder_sha256: str
) -> View:
    """Write the view of a segment into a new folder; equal vectors give equal bytes.

    Raises:
        IndexBuildError: FAISS is not installed, or it cannot write.
    """
    faiss = import_faiss()
    folder.mkdir(parents=True)
    n, width = rows.shape
    kind = "flat" if n < FLAT_BELOW else "ivf"
    index = _empty(faiss, n, width)
    vectors = rows.astype(np.float32)
    with _one_thread(faiss):  # sums of several would differ in their last bits
        if not index.is_trained:
            index.train(vectors[:: max(1, n // (_TRAINED_ON * index.nlist))])
        index.add(vectors)
    try:
        faiss.write_index(index, str(folder / VECTORS))
        np.save(folder / FRAGMENTS, places.astype(np.uint32))
        view = View(
            encoder=encoder,
            encoder_sha256=encoder_sha256,
            width=width,
            n_fragments=n,
            kind=kind,
        )
        (folder / VIEW).write_text(json.dumps(asdict(view), indent=1, sort_keys=True) + "\n")
    except RuntimeError as error:  # FAISS's
        raise IndexBuildError(f"cannot write {folder}: {error}; make room") from error
    return view


def copy_view(
    folder: Path, views: Sequence[DenseReader], kept: Sequence[NDArray[np.int64]]
) -> None:
    """Write the view of a segment that is made of others, of which some documents are kept.

    Args:
        folder: of the new view.
        views: of the other segments, by one encoder.
        kept: of each of them the numbers of its documents that stay, rising.
    """
    rows, places, base = [], [], 0
    for view, numbers in zip(views, kept, strict=True):
        old = np.asarray(view.places)
        stays = np.isin(old[:, 0], numbers)
        moved = old[stays]
        moved[:, 0] = base + np.searchsorted(numbers, moved[:, 0])
        rows.append(view.rows()[stays])
        places.append(moved)
        base += len(numbers)
    one = views[0].view
    write_view(
        folder,
        np.concatenate(rows),
        np.concatenate(places),
        encoder=one.encoder,
        encoder_sha256=one.encoder_sha256,
    )


def has_view(files: Container[str], segment: str) -> bool:
    """Whether an index with these files has a dense view of a segment."""
    return f"{FOLDER_NAME}/{segment}/{VIEW}" in files


def read_view(folder: Path) -> View:
    """What a dense view says of itself; needs no FAISS.

    Raises:
        IndexDamagedError: it is missing or not what was written.
    """
    try:
        return View(**json.loads((folder / VIEW).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise IndexDamagedError(folder / VIEW, str(error)) from error


class DenseReader:
    """Search in the view of one segment; memory-mapped.

    Raises:
        IndexDamagedError: a file is missing or not what was written.
        IndexBuildError: FAISS is not installed.
    """

    def __init__(self, folder: Path) -> None:
        faiss = import_faiss()
        self.view = read_view(folder)
        try:
            self._index = faiss.read_index(str(folder / VECTORS), faiss.IO_FLAG_MMAP_IFC)
            self.places: Places = np.load(folder / FRAGMENTS, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError, RuntimeError) as error:
            raise IndexDamagedError(folder, str(error)) from error
        shape = (self.view.n_fragments, 3)
        if self._index.ntotal != shape[0] or self.places.shape != shape:
            raise IndexDamagedError(folder, f"it does not hold {shape[0]} fragments")
        if self.view.kind == "ivf":
            self._index.nprobe = min(_PROBES, self._index.nlist)

    def search(
        self,
        vector: NDArray[np.float32],
        *,
        top_k: int,
        is_live: Callable[[int], bool] = lambda _number: True,
    ) -> list[Near]:
        """The nearest fragments of live documents to a unit vector (C,), nearest first."""
        n_asked = top_k
        asked = rounded(vector[None]).astype(np.float32)  # FAISS multiplies whole numbers here
        while True:
            n_asked = min(n_asked, self.view.n_fragments)
            scores, found = self._index.search(asked, n_asked)
            near = [
                self._near(int(number), float(score))
                for score, number in zip(scores[0], found[0], strict=True)
                if number >= 0 and is_live(int(self.places[number][0]))
            ]
            is_all = n_asked == self.view.n_fragments or (found[0] < 0).any()
            if len(near) >= top_k or is_all:
                return near[:top_k]
            n_asked *= _MORE

    def _near(self, number: int, score: float) -> Near:
        document, start, end = self.places[number].tolist()
        return Near(document, start, end, score / SCALE**2)

    def rows(self) -> Rows:
        """All vectors as they were written, in the order of the fragments."""
        vectors = self._index.reconstruct_n(0, self.view.n_fragments)
        return np.asarray(vectors).astype(np.int8)


def import_faiss() -> Any:
    """The library, which the base install leaves out.

    Raises:
        IndexBuildError: it is not there.
    """
    try:
        import faiss  # noqa: PLC0415  # 60 MB that only an index with vectors needs
    except ImportError as error:
        raise IndexBuildError(
            'the dense view needs FAISS; run: pip install "starcite[dense]"'
        ) from error
    return faiss


def _empty(faiss: Any, n: int, width: int) -> Any:
    kind, metric = faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
    if n < FLAT_BELOW:
        return faiss.IndexScalarQuantizer(width, kind, metric)
    cells = round(n**0.5)
    cells_of = faiss.IndexFlatIP(width)
    index = faiss.IndexIVFScalarQuantizer(cells_of, width, cells, kind, metric, False)  # noqa: FBT003
    index.cp.seed = 1
    return index


class _one_thread:  # noqa: N801  # a context
    def __init__(self, faiss: Any) -> None:
        self._faiss = faiss

    def __enter__(self) -> None:
        self._before = self._faiss.omp_get_max_threads()
        self._faiss.omp_set_num_threads(1)

    def __exit__(self, *_exception: object) -> None:
        self._faiss.omp_set_num_threads(self._before)
