"""The default corpus, frozen: the digests that a rebuild from the lock must have, to the byte."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from indexer.curate.errors import CurateError
from indexer.curate.shards import Shard, ShardsManifest

CORPUS_VERSION = 1
_FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """What a frozen corpus is."""

    version: int
    corpus_digest: str
    lock_sha256: str
    config_digest: str
    steps: tuple[str, ...]
    n_files: int
    n_bytes: int
    shards: tuple[Shard, ...]
    versions: Mapping[str, str]  # another zstd may write other bytes for the same lines
    format: int = _FORMAT


def default_digest() -> Path:
    """The digests of the default corpus, which are shipped with the package."""
    return Path(str(resources.files("indexer.corpus") / "default.digest"))


def freeze(manifest: ShardsManifest, *, lock_sha256: str) -> Frozen:
    """The digests of a corpus that was just curated from the packages of a lock."""
    return Frozen(
        version=CORPUS_VERSION,
        corpus_digest=manifest.corpus_digest,
        lock_sha256=lock_sha256,
        config_digest=manifest.config_digest,
        steps=manifest.steps,
        n_files=manifest.n_files,
        n_bytes=manifest.n_bytes,
        shards=manifest.shards,
        versions=dict(manifest.versions),
    )


def dump_frozen(frozen: Frozen) -> str:
    """The text of a digest file; `read_frozen` reads the same back."""
    return json.dumps(asdict(frozen), indent=1, sort_keys=True) + "\n"


def read_frozen(path: Path) -> Frozen:
    """Read a digest file.

    Raises:
        CurateError: it is missing or no digest file of this format.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shards = tuple(Shard(**entry) for entry in record.pop("shards"))
        frozen = Frozen(shards=shards, steps=tuple(record.pop("steps")), **record)
    except OSError as error:
        raise CurateError(f"cannot read the digest file {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CurateError(
            f"{path} is no digest file of a frozen corpus: {error}; make it again: "
            "starcite corpus freeze --out FILE"
        ) from error
    if frozen.format != _FORMAT:
        raise CurateError(f"{path} has digest format {frozen.format}, this version reads {_FORMAT}")
    return frozen


def differences(expected: Frozen, found: Frozen) -> Iterator[str]:
    """How a rebuilt corpus is not the frozen one, a line each; nothing if it is.

    The bytes of the compressed shards are compared where both come from the same compressor; their
    lines always are. Other versions of libraries are a difference only where they made one.
    """
    lines = list(_differences(expected, found))
    yield from lines
    if lines:
        yield from _difference("versions", dict(expected.versions), dict(found.versions))


def _differences(expected: Frozen, found: Frozen) -> Iterator[str]:
    for name in ("version", "lock_sha256", "config_digest", "steps", "corpus_digest"):
        yield from _difference(name, getattr(expected, name), getattr(found, name))
    for name in ("n_files", "n_bytes"):
        yield from _difference(name, getattr(expected, name), getattr(found, name))
    yield from _difference("number of shards", len(expected.shards), len(found.shards))
    for one, other in zip(expected.shards, found.shards, strict=False):
        yield from _difference(f"content of {one.name}", one.content_sha256, other.content_sha256)
        if expected.versions.get("zstd") == found.versions.get("zstd"):
            yield from _difference(f"bytes of {one.name}", one.sha256, other.sha256)


def _difference(name: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{name} is {found}, the frozen corpus has {expected}"
