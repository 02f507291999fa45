"""Where the index is that the service answers from: a folder, or a cluster."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from attribution.service.served_index import Generation, ServedIndex


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """An index in Elasticsearch; the login comes from the environment, in every process."""

    urls: tuple[str, ...]  # of its nodes
    name: str  # the alias

    def __str__(self) -> str:
        return f"{self.name} on {', '.join(self.urls)}"


Place = Path | Cluster


class Served(Protocol):
    """An index that is kept open; safe to share between threads."""

    def newest(self) -> Generation:
        """The index as it is now.

        Raises:
            IndexerError: there is none, or it cannot be read.
        """

    def look(self) -> Generation:
        """The same, after a look at whether it would answer a question."""

    def close(self) -> None:
        """Let go of connections, if it has any; a later question makes new ones."""


def open_served(place: Place) -> Served:
    """The index there; nothing is opened before it is asked for."""
    if isinstance(place, Path):
        return ServedIndex(place)
    from attribution.service.served_elastic import (  # noqa: PLC0415 - its client takes 0.3 s to load
        ServedElastic,
    )

    return ServedElastic(place.urls, name=place.name)


def as_argument(place: Place) -> str:
    """A place for a process's command line."""
    return json.dumps({"path": str(place)} if isinstance(place, Path) else asdict(place))


def of_argument(argument: str) -> Place:
    """The place that `as_argument` wrote."""
    told = json.loads(argument)
    if "path" in told:
        return Path(told["path"])
    return Cluster(urls=tuple(told["urls"]), name=told["name"])
