"""Whom or what a request means, and which documents that is: parsing and matching, no I/O.

Values of one kind widen a request (two owners: either); different kinds narrow it (a repository
and a path: that path in that repository). A content is named by its hash, however published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from indexer.optout.errors import SelectorError
from indexer.optout.path_glob import compile_glob
from indexer.optout.swhid import PREFIX
from indexer.source_file import Origin

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,213}")
_URL = re.compile(r"(?:[a-z+]+://(?:[^/@\s]*@)?[^/\s]+/|[^/@\s:]+@[^/:\s]+:)(.*)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-_.]+")  # equal in names of packages (PEP 503)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selector:
    """A parsed request; every value is in its normal form, every tuple sorted."""

    owners: tuple[str, ...] = ()  # of repositories, or names of packages; in lower case
    repositories: tuple[str, ...] = ()  # "owner/name", in lower case
    packages: tuple[str, ...] = ()  # normalised as PEP 503 says
    paths: tuple[str, ...] = ()  # globs on paths inside a package or repository
    sha256s: tuple[str, ...] = ()  # of the UTF-8 text, lower-case hexadecimal
    sha1_gits: tuple[str, ...] = ()  # of the git blob, which is what an SWHID holds

    @property
    def asks_for_contents(self) -> bool:
        """Whether documents are named by their hash."""
        return bool(self.sha256s or self.sha1_gits)

    @property
    def asks_for_origins(self) -> bool:
        """Whether documents are named by where they were published."""
        return bool(self.owners or self.repositories or self.packages or self.paths)

    def as_record(self) -> dict[str, list[str]]:
        """What was asked for, as JSON; what was not asked for is left out."""
        return {name: list(values) for name, values in asdict(self).items() if values}

    def __str__(self) -> str:
        words = {
            "owner": self.owners,
            "repository": self.repositories,
            "package": self.packages,
            "path": self.paths,
            "sha256": self.sha256s,
            "content": tuple(PREFIX + value for value in self.sha1_gits),
        }
        return ", ".join(
            f"{word} {' or '.join(values)}" for word, values in words.items() if values
        )


def parse_selector(
    *,
    owners: Iterable[str] = (),
    repositories: Iterable[str] = (),
    packages: Iterable[str] = (),
    paths: Iterable[str] = (),
    content_hashes: Iterable[str] = (),
    swhids: Iterable[str] = (),
) -> Selector:
    """The selector that the options of a command stand for.

    Raises:
        SelectorError: a value cannot be read, or none was given.
    """
    hashes = [_content_hash(value) for value in content_hashes]
    sha1_gits = [value for kind, value in hashes if kind == "sha1-git"]
    selector = Selector(
        owners=_sorted(_owner(value) for value in owners),
        repositories=_sorted(_repository(value) for value in repositories),
        packages=_sorted(_package(value) for value in packages),
        paths=_sorted(_path(value) for value in paths),
        sha256s=_sorted(value for kind, value in hashes if kind == "sha256"),
        sha1_gits=_sorted([*sha1_gits, *(_swhid(value) for value in swhids)]),
    )
    if not selector.as_record():
        raise SelectorError(
            "nothing is asked for; give --owner, --repo, --package, --path, --content-hash or "
            "--swhid"
        )
    return selector


def selector_of(record: Mapping[str, Any]) -> Selector:
    """The selector that `as_record` wrote.

    Raises:
        ValueError: the record is none.
    """
    known = {field.name for field in fields(Selector)}
    if not record or not record.keys() <= known:
        raise ValueError(f"a request has the fields {sorted(record)}")
    for values in record.values():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError("a request's values are no texts")
    return Selector(**{name: tuple(values) for name, values in record.items()})


def match(
    selector: Selector, *, origins: Iterable[Origin], sha256: str, sha1_git: Callable[[], str]
) -> tuple[Origin, ...] | None:
    """Which origins of a document are meant (all, if its content is), or None if it is not meant.

    `origins` are all places the document stands for, those of near-duplicates included.
    `sha1_git` is called only where a content is asked for by that name.
    """
    if selector.asks_for_contents and not _is_content(selector, sha256, sha1_git):
        return None
    return tuple(origin for origin in origins if is_origin(selector, origin)) or None


def is_origin(selector: Selector, origin: Origin) -> bool:
    """Whether a place of publication is meant; it is if the request says nothing about places."""
    repository = origin.repository.lower().removesuffix(".git")
    in_group = "/".join(repository.split("/")[-2:])  # as a checkout names a project of a group
    package = "" if origin.repository else normal_package(origin.name)
    owner = repository.partition("/")[0]
    return (
        (not selector.owners or _has_owner(selector.owners, owner, package))
        and (
            not selector.repositories
            or not {repository, in_group}.isdisjoint(selector.repositories)
        )
        and (not selector.packages or package in selector.packages)
        and (
            not selector.paths
            or any(compile_glob(glob).fullmatch(origin.path) for glob in selector.paths)
        )
    )


def normal_package(name: str) -> str:
    """A package's name as all its spellings have it (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def _has_owner(owners: tuple[str, ...], owner: str, package: str) -> bool:
    if owner:
        return owner in owners
    return any(normal_package(name) == package for name in owners)


def _is_content(selector: Selector, sha256: str, sha1_git: Callable[[], str]) -> bool:
    if sha256 in selector.sha256s:
        return True
    return bool(selector.sha1_gits) and sha1_git() in selector.sha1_gits


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _name(value: str, option: str) -> str:
    foreign = next((char for char in value if not char.isascii()), None)
    if foreign is not None:
        raise SelectorError(
            f"{option} {value!r} holds {foreign!r} (U+{ord(foreign):04X}), which no account or "
            "package can have; is it a look-alike? type the name anew"
        )
    if not _NAME.fullmatch(value):
        raise SelectorError(f"{option} {value!r} is no name of an account or package")
    return value.lower()


def _owner(value: str) -> str:
    found = _URL.fullmatch(value.strip())
    name = (found[1] if found else value).strip().removeprefix("@").strip("/")
    if "/" in name:
        raise SelectorError(f"--owner {value!r} names a repository; ask with --repo")
    return _name(name, "--owner")


def _repository(value: str) -> str:
    found = _URL.fullmatch(value.strip())
    parts = (found[1] if found else value).strip().strip("/").removesuffix(".git").split("/")
    if len(parts) != 2:
        raise SelectorError(
            f"--repo {value!r} is not owner/name, nor a repository's address; of a project in "
            "groups give the last two names"
        )
    return "/".join(_name(part, "--repo") for part in parts)


def _package(value: str) -> str:
    return normal_package(_name(value.strip(), "--package"))


def _path(value: str) -> str:
    if not value.strip():
        raise SelectorError("--path is empty; give a glob such as src/**/*.py")
    if "\\" in value:
        raise SelectorError(f"--path {value!r} holds a backslash; paths here have forward slashes")
    compile_glob(value)
    return value.removeprefix("/")


def _content_hash(value: str) -> tuple[str, str]:
    kind, _, digits = value.strip().lower().rpartition(":")
    kind = kind or {40: "sha1-git", 64: "sha256"}.get(len(digits), "")
    if {"sha1-git": 40, "sha256": 64}.get(kind) != len(digits) or not _is_hex(digits):
        raise SelectorError(
            f"--content-hash {value!r} is neither sha256:<64 digits> nor sha1-git:<40 digits>"
        )
    return kind, digits


def _swhid(value: str) -> str:
    core = value.strip().partition(";")[0]  # qualifiers say where it was seen, not what it is
    digits = core.removeprefix(PREFIX)
    if not core.startswith(PREFIX):
        raise SelectorError(
            f"--swhid {value!r} names no content; only {PREFIX}<40 digits> does, one for each file"
        )
    if len(digits) != 40 or not _is_hex(digits) or digits != digits.lower():
        raise SelectorError(f"--swhid {value!r} has no 40 lower-case hexadecimal digits at its end")
    return digits


def _is_hex(digits: str) -> bool:
    return all(digit in "0123456789abcdef" for digit in digits)
