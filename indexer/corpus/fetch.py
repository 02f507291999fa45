"""Fetches exactly what a lock names, through pip, and says when the corpus is complete."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.corpus.errors import CorpusError, FetchError, HashMismatchError
from indexer.corpus.inventory import (
    BENCHMARKS,
    LOCK_COPY,
    PACKAGES,
    Archive,
    Census,
    Inventory,
    Stored,
    file_sha256,
    find_damage,
    read_inventory,
    write_inventory,
)
from indexer.corpus.lock import Lock, LockedPackage, LockedWheel, dump_lock, read_lock
from indexer.corpus.packages import read_archive
from indexer.corpus.pip import run_pip_download
from indexer.corpus.standard_library import pack_standard_library
from indexer.corpus.wheel_name import WheelName, normalise_name

PARTIAL = "fetch.partial"
N_PROCESSES = 4
BATCH = 6  # packages a pip process: starting pip costs about half a second of CPU

Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all


def fetch_corpus(lock_path: Path, folder: Path, progress: Progress) -> Inventory:
    """Make `folder` hold the corpus that a lock names, and return what it holds.

    Files that are there already with the right digest are kept, so a fetch that was interrupted
    goes on where it was; a folder that is complete is only checked.

    Raises:
        LockError: the lock cannot be read.
        FetchError: a package could not be fetched, or is not the one in the lock.
        CorpusError: the folder cannot be written, or another fetch writes it now.
    """
    lock = read_lock(lock_path)
    try:
        (folder / PACKAGES).mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "fetch.lock", timeout=0):
            return _fetch_into(lock, folder, progress)
    except Timeout as error:
        raise CorpusError(f"another fetch writes {folder} now; wait until it is done") from error
    except OSError as error:
        full = error.errno == errno.ENOSPC
        step = "the disk is full, free some space" if full else "choose another folder with --to"
        raise CorpusError(
            f"cannot write the corpus to {folder}: {error.strerror}; {step}"
        ) from error


def _fetch_into(lock: Lock, folder: Path, progress: Progress) -> Inventory:
    digest = hashlib.sha256(dump_lock(lock).encode()).hexdigest()
    known = _still_good(folder, digest)
    if known is not None:
        return known
    _fetch_wheels(lock, folder, progress)
    archives = [_archive_of(package) for package in lock.packages]
    if lock.standard_library:
        archives.append(pack_standard_library(folder / PACKAGES))
    archives.sort(key=lambda a: (normalise_name(a.name), a.source))
    census = take_census(folder, archives, progress)
    benchmarks = tuple(
        Stored(file=one.file, sha256=one.sha256, n_bytes=one.n_bytes) for one in lock.benchmarks
    )
    inventory = Inventory(
        lock_sha256=digest, archives=tuple(archives), census=census, benchmarks=benchmarks
    )
    (folder / LOCK_COPY).write_text(dump_lock(lock), encoding="utf-8")
    write_inventory(folder, inventory)
    _remove_strangers(folder / PACKAGES, archives)
    _remove_strangers(folder / BENCHMARKS, benchmarks)
    return inventory


def _still_good(folder: Path, digest: str) -> Inventory | None:
    try:
        known = read_inventory(folder)
    except CorpusError:
        return None
    if known.lock_sha256 != digest or find_damage(folder, known.archives):
        return None
    if find_damage(folder, known.benchmarks, inside=BENCHMARKS):
        return None
    return known


def _fetch_wheels(lock: Lock, folder: Path, progress: Progress) -> None:
    partial = folder / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)  # what a killed fetch left
    wanted = (*lock.packages, *lock.benchmarks)
    total = len(wanted)
    missing = [wheel for wheel in wanted if not _is_here(folder, wheel)]
    done = total - len(missing)
    progress("Fetching packages", done, total)

    def fetched(n_packages: int) -> None:
        nonlocal done
        done += n_packages
        progress("Fetching packages", done, total)

    try:
        asyncio.run(_fetch_batches(_batches(missing), folder, fetched))
    except ExceptionGroup as group:
        first = group.exceptions[0]
        raise first from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


async def _fetch_batches(
    batches: Iterable[Sequence[LockedWheel]], folder: Path, fetched: Callable[[int], None]
) -> None:
    slots = asyncio.Semaphore(N_PROCESSES)

    async def fetch(number: int, batch: Sequence[LockedWheel]) -> None:
        async with slots:
            await _fetch_batch(batch, folder / PARTIAL / str(number), folder)
        fetched(len(batch))

    async with asyncio.TaskGroup() as group:
        for number, batch in enumerate(batches):
            group.create_task(fetch(number, batch))


async def _fetch_batch(batch: Sequence[LockedWheel], partial: Path, folder: Path) -> None:
    await run_pip_download(_pip_arguments(batch, partial))
    _keep(batch, partial, folder)


def _pip_arguments(batch: Sequence[LockedWheel], partial: Path) -> list[str]:
    partial.mkdir(parents=True)
    requirements = partial / "requirements.txt"
    lines = (f"{p.name}=={p.version} --hash=sha256:{p.sha256}\n" for p in batch)
    requirements.write_text("".join(lines), encoding="utf-8")
    checks = ("--require-hashes", "--ignore-requires-python")
    target = ("--dest", str(partial), "--requirement", str(requirements))
    return [*checks, *_options(batch[0]), *target]


def _keep(batch: Sequence[LockedWheel], partial: Path, folder: Path) -> None:
    """Check what pip fetched once more and move it to where it stays."""
    for package in batch:
        found = partial / package.file
        if not found.is_file():
            raise FetchError(f"pip fetched another file than {package.file}; make a new lock")
        if file_sha256(found) != package.sha256:
            raise HashMismatchError(f"{package.file} has not the sha256 of the lock")
        target = _path_of(folder, package)
        target.parent.mkdir(exist_ok=True)
        found.replace(target)


def _batches(packages: Iterable[LockedWheel]) -> list[tuple[LockedWheel, ...]]:
    """Packages that one pip process can take: those whose wheels need the same options."""
    ordered = sorted(packages, key=_options)
    groups = [tuple(group) for _, group in itertools.groupby(ordered, key=_options)]
    return [group[i : i + BATCH] for group in groups for i in range(0, len(group), BATCH)]


def _options(package: LockedWheel) -> tuple[str, ...]:
    name = WheelName.parse(package.file)
    return name.pip_options() if name else ()


def _path_of(folder: Path, wheel: LockedWheel) -> Path:
    """Where a wheel stays: what nothing is read from but problems is kept apart."""
    return folder / (PACKAGES if isinstance(wheel, LockedPackage) else BENCHMARKS) / wheel.file


def _is_here(folder: Path, package: LockedWheel) -> bool:
    path = _path_of(folder, package)
    return path.is_file() and file_sha256(path) == package.sha256


def _archive_of(package: LockedPackage) -> Archive:
    return Archive(
        file=package.file,
        sha256=package.sha256,
        n_bytes=package.n_bytes,
        source="pypi",
        name=package.name,
        version=package.version,
        spdx_id=package.spdx_id,
        license_evidence=package.license_evidence,
    )


def take_census(folder: Path, archives: Sequence[Archive], progress: Progress) -> Census:
    """Count what the archives hold, exact twins once."""
    n_files: Counter[str] = Counter()
    n_bytes: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    seen: set[bytes] = set()
    n_all = 0
    for number, archive in enumerate(archives, start=1):
        path = folder / PACKAGES / archive.file
        for file in read_archive(path, archive, on_skip=lambda s: skipped.update([s.reason])):
            n_all += 1
            data = file.text.encode()
            digest = hashlib.sha256(data).digest()
            if digest not in seen:
                seen.add(digest)
                n_files[file.language] += 1
                n_bytes[file.language] += len(data)
        progress("Reading packages", number, len(archives))
    return Census(
        n_files=dict(sorted(n_files.items())),
        n_bytes=dict(sorted(n_bytes.items())),
        n_twins=n_all - len(seen),
        skipped=dict(sorted(skipped.items())),
    )


def _remove_strangers(folder: Path, wanted: Iterable[Stored]) -> None:
    names = {stored.file for stored in wanted}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in names:
            path.unlink()
