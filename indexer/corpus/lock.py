"""The corpus lock: exactly which files a corpus is made of, and under which licence each is."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from indexer.corpus.errors import LockError
from indexer.corpus.wheel_name import WheelName, normalise_name

LOCK_FORMAT = 1
_HEADER = """\
# Made by `starcite corpus lock`: change the names file beside it and make it again.
# Each package stands here because its metadata and its licence files agree on the licence.
"""
_PATTERNS = {
    "name": re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"),
    "version": re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"),
    "file": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "spdx_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9 ().+-]*"),
    "license_evidence": re.compile(r"[^\x00-\x1f\x7f]+"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedWheel:
    """One wheel and its digest."""

    name: str
    version: str
    file: str  # the wheel's file name
    sha256: str
    n_bytes: int  # of the wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedPackage(LockedWheel):
    """One package of a corpus: a wheel, its licence and what that was read from."""

    spdx_id: str
    license_evidence: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}: {self.spdx_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """What a corpus is made of."""

    packages: tuple[LockedPackage, ...]  # sorted by name
    standard_library: bool = False  # whether the running Python's own library belongs to it
    # Wheels with problems that the corpus must not hold. Nothing of them enters it.
    benchmarks: tuple[LockedWheel, ...] = ()  # sorted by name


def default_lock() -> Path:
    """The lock that is shipped with the package."""
    return Path(str(resources.files("indexer.corpus") / "default.lock"))


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Raises:
        LockError: it cannot be read, or does not say what a lock has to say.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LockError(f"cannot read the corpus lock {path}: {_reason(error)}") from error
    return parse_lock(text, name=str(path))


def parse_lock(text: str, *, name: str = "lock") -> Lock:
    """The lock that a TOML text holds; `name` is what messages call it.

    Raises:
        LockError: it is no TOML, of another format, or a value is missing, unknown or malformed.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib also lets huge integers fail
        raise LockError(f"{name} is not a corpus lock: {error}") from error
    if table.get("format") != LOCK_FORMAT:
        raise LockError(
            f"{name} has lock format {table.get('format')!r}, this version reads {LOCK_FORMAT}; "
            "make it again: starcite corpus lock"
        )
    _refuse_unknown(table, {"format", "standard_library", "package", "benchmark"}, name)
    standard_library = table.get("standard_library", False)
    if not isinstance(standard_library, bool):
        raise LockError(f"{name}: standard_library is {standard_library!r}, not true or false")
    packages = _wheels(table, "package", LockedPackage, name)
    benchmarks = _wheels(table, "benchmark", LockedWheel, name)
    _refuse_twice((*packages, *benchmarks), name)
    if not packages and not standard_library:
        raise LockError(f"{name} names no package; make it again: starcite corpus lock")
    return Lock(packages=packages, standard_library=standard_library, benchmarks=benchmarks)


def dump_lock(lock: Lock) -> str:
    """The text of a lock file; `parse_lock` reads the same lock back."""
    lines = [_HEADER, f"format = {LOCK_FORMAT}"]
    lines.append(f"standard_library = {json.dumps(lock.standard_library)}")
    for title, wheels in (("package", lock.packages), ("benchmark", lock.benchmarks)):
        for wheel in sorted(wheels, key=_sort_key):
            lines.append(f"\n[[{title}]]")
            lines += [
                f"{key} = {json.dumps(value, ensure_ascii=False)}"
                for key, value in asdict(wheel).items()
            ]
    return "\n".join(lines) + "\n"


_Wheel = TypeVar("_Wheel", bound=LockedWheel)


def _wheels(table: dict[str, Any], key: str, kind: type[_Wheel], name: str) -> tuple[_Wheel, ...]:
    entries = table.get(key, [])
    if not isinstance(entries, list):
        raise LockError(f"{name}: {key} is no list of tables; write [[{key}]]")
    return tuple(sorted((_wheel(e, key, kind, name) for e in entries), key=_sort_key))


def _wheel(entry: Any, kind_name: str, kind: type[_Wheel], name: str) -> _Wheel:
    if not isinstance(entry, dict):
        raise LockError(f"{name}: a {kind_name} is {entry!r}, not a table")
    keys = {field.name for field in fields(kind)}
    title = f"{name}: {kind_name} {entry.get('name', '?')!r}"
    _refuse_unknown(entry, keys, title)
    for key, pattern in _PATTERNS.items():
        if key not in keys:
            continue
        value = entry.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise LockError(f"{title}: {key} is {value!r}, which is missing or malformed")
    n_bytes = entry.get("n_bytes")
    if not isinstance(n_bytes, int) or isinstance(n_bytes, bool) or n_bytes <= 0:
        raise LockError(f"{title}: n_bytes is {n_bytes!r}, not a size in bytes")
    locked = kind(**entry)
    wheel = WheelName.parse(locked.file)
    if wheel is None or wheel.name != normalise_name(locked.name):
        raise LockError(f"{title}: {locked.file} is no wheel of that package")
    return locked


def _refuse_unknown(table: dict[str, Any], known: set[str], title: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise LockError(
            f"{title}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )


def _refuse_twice(packages: Iterable[LockedWheel], name: str) -> None:
    seen: set[str] = set()
    for package in packages:
        key = normalise_name(package.name)
        if key in seen:
            raise LockError(f"{name} names {package.name!r} twice")
        seen.add(key)


def _sort_key(package: LockedWheel) -> str:
    return normalise_name(package.name)


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8 text"
