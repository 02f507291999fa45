"""Which index the settings mean: a folder on this machine, or a service elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from attribution.config import RemoteConfig
from indexer import IndexerError, default_index_path
from lsp_server.config import AttributionSettings

if TYPE_CHECKING:
    from attribution import Tracer
    from attribution.remote import RemoteTracer

    AnyTracer = Tracer | RemoteTracer

MANIFEST = "manifest.json"  # written last: its presence makes the folder an index


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSource:
    """An index in the state that it is in now; equal ones need not be opened anew."""

    settings: AttributionSettings
    changed_at: int  # of the folder's manifest; 0 if there is none, and of a service

    @property
    def is_remote(self) -> bool:
        """Whether a service elsewhere is asked."""
        return bool(self.settings.service)

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.settings.service or str(_folder(self.settings))

    def open(self) -> AnyTracer:
        """A tracer on it; loads numpy and tantivy, so call it in a thread.

        Raises:
            IndexerError: there is no such index, or the service's address cannot be used.
        """
        if not self.is_remote:
            from attribution import Tracer  # noqa: PLC0415 - loaded when an index is opened

            return Tracer.open(_folder(self.settings))
        from attribution.remote import RemoteTracer  # noqa: PLC0415

        return RemoteTracer(
            RemoteConfig(
                url=self.settings.service,
                token=_token(self.settings.service_token_file),
                fingerprints_only=self.settings.fingerprints_only,
                timeout_ms=self.settings.service_timeout_ms,
            )
        )


def index_source(settings: AttributionSettings) -> IndexSource:
    """The index that the settings mean, as it is now."""
    changed_at = 0 if settings.service else _changed_at(_folder(settings) / MANIFEST)
    return IndexSource(settings=settings, changed_at=changed_at)


def _folder(settings: AttributionSettings) -> Path:
    return Path(settings.index).expanduser() if settings.index else default_index_path()


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _token(name: str) -> str:
    if not name:
        return ""
    try:
        return Path(name).expanduser().read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or "it is no text"
        raise IndexerError(
            f"cannot read {name}: {detail}; starcite.attribution.serviceTokenFile names the file "
            "with the token of the index service"
        ) from error
