"""Makes a lock: newest wheels of the named packages, each past the licence gate."""

from __future__ import annotations

import asyncio
import email.parser
import email.policy
import re
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TypeVar

from indexer.corpus.errors import FetchError, LockError
from indexer.corpus.filters import is_vendored
from indexer.corpus.inventory import file_sha256
from indexer.corpus.licenses import Refused, judge_license
from indexer.corpus.lock import Lock, LockedPackage, LockedWheel
from indexer.corpus.packages import read_bounded
from indexer.corpus.pip import run_pip_download
from indexer.corpus.wheel_name import normalise_name

N_PROCESSES = 4
LOCK_PYTHON = "3.11"  # the oldest Python that a fetch runs on
_PURE = ("--python-version", LOCK_PYTHON, "--platform", "any")
_LINUX = tuple(
    option
    for tag in ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")
    for option in ("--platform", tag)
)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(==[A-Za-z0-9.!+_-]+)?")
_LICENSE_FILE = re.compile(r"(un)?licen[cs]e|copying|notice|third.party", re.IGNORECASE)
MAX_METADATA_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A named package that is not in the lock, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"left out {self.name}: {self.reason}"


Outcome = LockedPackage | LeftOut
_O = TypeVar("_O", bound=LockedWheel | LeftOut)


def read_names(path: Path) -> list[str]:
    """The requirements of a names file: one a line, "name" or "name==version", # comments.

    Raises:
        LockError: the file cannot be read, is empty, or a line is neither.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LockError(f"cannot read the names file {path}: {error}") from error
    names = [name for line in lines if (name := line.split("#")[0].strip())]
    for name in names:
        if not _REQUIREMENT.fullmatch(name):
            raise LockError(f'{path}: {name!r} is neither "name" nor "name==version"')
    if not names:
        raise LockError(f"{path} names no package; write one a line")
    return list(dict.fromkeys(names))


def make_lock(
    names: Sequence[str],
    *,
    standard_library: bool,
    benchmarks: Sequence[str] = (),
    progress: Callable[[LockedWheel | LeftOut], None],
) -> tuple[Lock, list[LeftOut]]:
    """Resolve each name to its newest wheel and judge its licence; also say what is left out.

    Of the benchmarks nothing enters the corpus, so that their licences are not judged.

    Raises:
        FetchError: pip could not fetch a package.
    """
    with tempfile.TemporaryDirectory(prefix="starcite-lock-") as folder:
        outcomes = asyncio.run(_resolve_all(names, inspect_wheel, Path(folder), progress))
        wheels = asyncio.run(_resolve_all(benchmarks, _lock_wheel, Path(folder), progress))
    packages = tuple(o for o in outcomes if isinstance(o, LockedPackage))
    lock = Lock(packages=packages, standard_library=standard_library, benchmarks=tuple(wheels))
    return lock, [o for o in outcomes if isinstance(o, LeftOut)]


async def _resolve_all(
    names: Sequence[str],
    inspect: Callable[[Path], _O],
    folder: Path,
    progress: Callable[[LockedWheel | LeftOut], None],
) -> list[_O]:
    slots = asyncio.Semaphore(N_PROCESSES)

    async def resolve(name: str) -> _O:
        async with slots:
            target = folder / normalise_name(name)
            await _fetch_newest(name, target)
            outcome = _inspect_and_remove(target, inspect)
        progress(outcome)
        return outcome

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(resolve(name)) for name in names]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _fetch_newest(requirement: str, folder: Path) -> None:
    """Fetch the newest pure wheel, or else the newest one for Linux."""
    dest = ("--dest", str(folder), requirement)
    try:
        await run_pip_download([*_PURE, *dest])
    except FetchError as error:
        if "no wheel" not in str(error):
            raise
        await run_pip_download(["--python-version", LOCK_PYTHON, *_LINUX, *dest])


def _inspect_and_remove(folder: Path, inspect: Callable[[Path], _O]) -> _O:
    wheel = next(folder.glob("*.whl"))
    outcome = inspect(wheel)
    wheel.unlink()
    return outcome


def _lock_wheel(wheel: Path) -> LockedWheel:
    metadata, _ = _read_metadata(wheel)
    return LockedWheel(
        name=str(metadata["Name"]),
        version=str(metadata["Version"]),
        file=wheel.name,
        sha256=file_sha256(wheel),
        n_bytes=wheel.stat().st_size,
    )


def inspect_wheel(wheel: Path) -> Outcome:
    """Lock a wheel if its licence passes the gate."""
    metadata, texts = _read_metadata(wheel)
    name, version = str(metadata["Name"]), str(metadata["Version"])
    verdict = judge_license(metadata, texts)
    if isinstance(verdict, Refused):
        return LeftOut(name, verdict.reason)
    return LockedPackage(
        name=name,
        version=version,
        file=wheel.name,
        sha256=file_sha256(wheel),
        n_bytes=wheel.stat().st_size,
        spdx_id=verdict.spdx_id,
        license_evidence=verdict.evidence,
    )


def _read_metadata(wheel: Path) -> tuple[Message, dict[str, str]]:
    """METADATA, and the licence files by their path below the .dist-info folder.

    Licences of vendored packages do not count: their folders are not read either.
    """
    with zipfile.ZipFile(wheel) as opened:
        entries = {
            e.filename: e
            for e in opened.infolist()
            if e.file_size <= MAX_METADATA_BYTES and not e.is_dir()
        }
        about = next((n for n in entries if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)), None)
        if about is None:
            raise FetchError(f"{wheel.name} has no METADATA; leave it out of the names")
        text = read_bounded(opened, entries[about]).decode(errors="replace")
        metadata = email.parser.Parser(policy=email.policy.compat32).parsestr(
            text, headersonly=True
        )
        home = about.removesuffix("METADATA")
        texts = {
            name.removeprefix(home): read_bounded(opened, entry).decode(errors="replace")
            for name, entry in entries.items()
            if name.startswith(home) and _is_license_file(name.removeprefix(home))
        }
    return metadata, texts


def _is_license_file(path: str) -> bool:
    in_folder = path.startswith("licenses/") and not path.lower().endswith((".py", ".md5"))
    named = _LICENSE_FILE.search(path.rsplit("/", 1)[-1]) is not None
    return (in_folder or named) and not is_vendored(path)
