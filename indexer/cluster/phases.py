"""What each task of each phase does: plain functions of a plan and a rank, files in and out.

Nothing here knows of datatrove. A task writes only files of its own and replaces those that an
earlier attempt has left.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import shutil
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.cluster.plan import Plan
from indexer.corpus_digest import CorpusDigest
from indexer.curate.clusters import Forest, band_edges, elect_keepers
from indexer.curate.errors import CurateError
from indexer.curate.exact import NAME as EXACT
from indexer.curate.exact import exact_keepers, merge_same, text_digest
from indexer.curate.minhash import N_BANDS
from indexer.curate.near_dedup import NAME as NEAR
from indexer.curate.near_dedup import exact_similarity, merge_near
from indexer.curate.pipeline import Drop, DropCount, DropCounts, Dropped, curate
from indexer.curate.shards import Shard, ShardFile, ShardsManifest, write_shards_manifest
from indexer.curate.signatures import Signatures, SignatureWriter
from indexer.curate.spool import Spool, SpoolWriter
from indexer.curate.twins import Merged, list_twins, rank
from indexer.source_file import SourceFile
from indexer.text.normalize import to_bytes
from indexer.writing import built_by

_BLOCK_BYTES = 1 << 16
_BLOCK_EDGES = 1 << 20


@dataclass(frozen=True, slots=True)
class Phase:
    """A function of a plan and a rank, and for how many ranks it is run."""

    name: str
    run: Callable[[Plan, int], None]
    n_tasks: Callable[[Plan], int]


def filter_part(plan: Plan, number: int) -> None:
    """Read a share of the inputs; spool what the steps about one file leave."""
    before, _ = plan.steps()
    folder = _fresh(plan.part(number))
    drops, read = DropCounts(), Counter[str]()
    with (
        SpoolWriter(folder) as spool,
        SignatureWriter(folder) as signatures,
        (folder / "digests").open("wb") as digests,
    ):
        for file in curate(_counted(_share(plan, number), read), before, drops):
            spool.add(file)
            signatures.add(to_bytes(file.text), file.kind)
            digests.write(text_digest(file))
    _dump(folder / "read.json", read)
    _dump(folder / "drops.json", [asdict(row) for row in drops.rows()])


def find_same(plan: Plan, _: int) -> None:
    """Find equal texts by their digests."""
    digests = b"".join((folder / "digests").read_bytes() for folder in plan.parts())
    _save_keepers(plan, "same", exact_keepers(digests, Spool(plan.parts())))


def find_band(plan: Plan, band: int) -> None:
    """Verify the candidates of one LSH band."""
    signatures = _signatures(plan)
    similarity = exact_similarity(Spool(plan.parts()))
    forest = Forest(len(signatures))
    edges = array("q")
    for left, right in band_edges(signatures, band, similarity, forest):
        forest.union(left, right)
        edges.extend((left, right))
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2)
    _save(plan.work / f"edges-{band:02}.npy", pairs)


def join_bands(plan: Plan, _: int) -> None:
    """Union the edges of all bands."""
    numbers = np.arange(len(Spool(plan.parts())), dtype=np.int64)
    forest = Forest(len(numbers))
    for band in range(N_BANDS):
        edges = np.load(plan.work / f"edges-{band:02}.npy")
        for start in range(0, len(edges), _BLOCK_EDGES):
            block = edges[start : start + _BLOCK_EDGES]
            is_new = forest.roots(block[:, 0]) != forest.roots(block[:, 1])
            for left, right in block[is_new].tolist():  # after the first bands, a few
                forest.union(left, right)
    _save(plan.work / "roots.npy", forest.roots(numbers))


def elect_part(plan: Plan, number: int) -> None:
    """Choose who stays of a share of the clusters."""
    spool = Spool(plan.parts())
    keepers = elect_keepers(
        _signatures(plan),
        exact_similarity(spool),
        lambda number: rank(spool[number]),
        np.load(plan.work / "roots.npy", mmap_mode="r"),
        share=(number, plan.n_tasks),
    )
    _save(plan.work / f"elected-{number:05}.npy", list_twins(keepers))


def find_near(plan: Plan, _: int) -> None:
    """Put together who stands for whom."""
    keepers = np.arange(len(Spool(plan.parts())), dtype=np.int64)
    for number in range(plan.n_tasks):
        chosen, gone = np.load(plan.work / f"elected-{number:05}.npy")
        keepers[gone] = chosen
    _save_keepers(plan, "near", keepers)


def write_part(plan: Plan, number: int) -> None:
    """Write the shards of one part and the lines that the corpus digest is made of."""
    _, after = plan.steps()
    folder = _fresh(plan.work / f"out-{number:05}")
    drops, digest, n_twins = DropCounts(), CorpusDigest(), 0
    shards: list[Shard] = []
    shard: ShardFile | None = None
    for file in curate(_deduplicated(plan, number, drops), after, drops):
        digest.add(file.text, (file.origin, *file.twins))
        n_twins += len(file.twins)
        shard = shard or ShardFile(folder, len(shards))
        shard.add(file)
        if shard.n_bytes >= plan.config.shard_bytes:
            shards.append(shard.finish())
            shard = None
    if shard is not None:
        shards.append(shard.finish())
    # Hexadecimal digits keep the order of bytes, and no line of them holds a line end.
    lines = "".join(f"{line.hex()}\n" for line in digest.lines())
    (folder / "digest-lines").write_text(lines, encoding="ascii")
    _dump(folder / "drops.json", [asdict(row) for row in drops.rows()])
    _dump(
        folder / "written.json",
        {"n_twins": n_twins, "shards": [asdict(shard) for shard in shards]},
    )


def seal(plan: Plan, _: int) -> None:
    """Put the shards of all parts into one folder and write the manifest, last."""
    target = plan.folder.absolute()
    if target.exists():
        raise CurateError(f"{target} exists; choose another folder for the shards")
    partial = _fresh(target.with_name(f"{target.name}.partial"))
    shards: list[Shard] = []
    n_twins = 0
    for number in range(plan.n_tasks):
        folder = plan.work / f"out-{number:05}"
        written = json.loads((folder / "written.json").read_bytes())
        n_twins += written["n_twins"]
        for entry in written["shards"]:
            shard = Shard(**entry)
            name = f"shard-{len(shards):05}.jsonl.zst"
            shutil.copyfile(folder / shard.name, partial / name)  # so that this can be repeated
            shards.append(replace(shard, name=name))
    if not shards:
        raise CurateError("nothing passed all steps; see drops.json in each part of the work")
    write_shards_manifest(partial, _manifest(plan, tuple(shards), n_twins))
    partial.rename(target)


PHASES = (
    Phase("filter", filter_part, lambda plan: plan.n_tasks),
    Phase("same", find_same, lambda _: 1),
    Phase("bands", find_band, lambda _: N_BANDS),
    Phase("join", join_bands, lambda _: 1),
    Phase("elect", elect_part, lambda plan: plan.n_tasks),
    Phase("near", find_near, lambda _: 1),
    Phase("write", write_part, lambda plan: plan.n_tasks),
    Phase("seal", seal, lambda _: 1),
)


def _share(plan: Plan, number: int) -> Iterator[SourceFile]:
    """The files of a task's inputs: neighbours, so that all parts together keep the order."""
    n = len(plan.reads)
    for read in plan.reads[number * n // plan.n_tasks : (number + 1) * n // plan.n_tasks]:
        yield from read()


def _counted(files: Iterator[SourceFile], counts: Counter[str]) -> Iterator[SourceFile]:
    for file in files:
        counts["n_files"] += 1
        counts["n_bytes"] += len(to_bytes(file.text))
        yield file


def _signatures(plan: Plan) -> Signatures:
    """Those of the texts that have no better twin."""
    signatures = Signatures(plan.parts())
    same = np.load(plan.work / "same.npy")
    signatures.leave_out(np.flatnonzero(same != np.arange(len(same))))
    return signatures


def _deduplicated(plan: Plan, part: int, drops: DropCounts) -> Iterator[SourceFile]:
    """What the two stages would give back of the files of one part."""
    spool = Spool(plan.parts())
    numbers = spool.numbers(part)
    same, near = (np.load(plan.work / f"{name}.npy", mmap_mode="r") for name in ("same", "near"))
    # Mapped: each task looks up its own documents among those of all tasks.
    same_twins, near_twins = (
        np.load(plan.work / f"{name}-twins.npy", mmap_mode="r") for name in ("same", "near")
    )

    def tell(step: str) -> Callable[[SourceFile, Drop], None]:
        return lambda file, drop: drops(Dropped(step, drop, file))

    merged = Merged(spool, same_twins, "same")
    gone = [number for number in numbers if same[number] != number]
    deque(merge_same(merged, same, tell(EXACT), gone), maxlen=0)
    unique = [number for number in numbers if same[number] == number]
    merged = Merged(merged, near_twins, "near")
    yield from merge_near(merged, near, exact_similarity(spool), tell(NEAR), unique)


def _manifest(plan: Plan, shards: tuple[Shard, ...], n_twins: int) -> ShardsManifest:
    outs = [plan.work / f"out-{number:05}" for number in range(plan.n_tasks)]
    counts = [json.loads((folder / "read.json").read_bytes()) for folder in plan.parts()]
    drops = [
        DropCount(**row)
        for folder in (*plan.parts(), *outs)
        for row in json.loads((folder / "drops.json").read_bytes())
    ]
    return ShardsManifest(
        corpus_digest=_merge_digests(outs),
        built_by=built_by(),
        config=asdict(plan.config),
        config_digest=plan.config.digest(),
        steps=tuple(step.name for step in plan.make_steps(plan.config, plan.work / "scratch")),
        n_read=sum(count.get("n_files", 0) for count in counts),
        n_read_bytes=sum(count.get("n_bytes", 0) for count in counts),
        n_files=sum(shard.n_files for shard in shards),
        n_bytes=sum(shard.n_bytes for shard in shards),
        n_twins=n_twins,
        drops=tuple(DropCounts.of(drops).rows()),
        skipped={},
        shards=shards,
    )


def _merge_digests(folders: list[Path]) -> str:
    """The corpus digest of all parts from the sorted lines of each, in constant memory."""
    digest = hashlib.sha256()
    for line, _ in groupby(heapq.merge(*(_lines(folder / "digest-lines") for folder in folders))):
        digest.update(bytes.fromhex(line))
    return digest.hexdigest()


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file that is opened anew for each block: there may be thousands of files."""
    position = 0
    while True:
        with path.open("rb") as file:  # a text file cannot tell where it is between its lines
            file.seek(position)
            lines = file.readlines(_BLOCK_BYTES)
            position = file.tell()
        if not lines:
            return
        yield from (line.decode("ascii").rstrip("\n") for line in lines)


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _dump(path: Path, record: object) -> None:
    path.write_text(json.dumps(record), encoding="utf-8")


def _save_keepers(plan: Plan, name: str, keepers: NDArray[np.int64]) -> None:
    _save(plan.work / f"{name}.npy", keepers)
    _save(plan.work / f"{name}-twins.npy", list_twins(keepers))


def _save(path: Path, values: NDArray[np.int64]) -> None:
    """Write an array whole: a task that is killed leaves none."""
    partial = path.with_name(f"{path.stem}.partial.npy")
    np.save(partial, values)
    partial.replace(path)
