"""What the policies of the repositories that are open in the editor say of matches.

A policy only adds to what the editor shows: whatever it allows is marked all the same, so that
a repository that nobody trusts cannot hide where its code came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pygls.uris import to_fs_path

if TYPE_CHECKING:
    from attribution.license_policy import Decision
    from attribution.team_policy import Decide
    from attribution.types import Match

_KEPT = 32

State = tuple[Path, int, int, int]  # the file, when it was changed, its bytes, and the day


class OpenPolicies:
    """Reads each policy once, and again when its file changes or, for what expires, the day."""

    def __init__(self) -> None:
        self._read: dict[State, Decide] = {}

    def decisions(self, uri: str, matches: Sequence[Match]) -> list[Decision | None]:
        """What the policy of the document's repository says of each match; None without one.

        Reads files, so call it in a thread.

        Raises:
            PolicyError: the policy cannot be read, or says something that it must not.
        """
        name = to_fs_path(uri) if uri.startswith("file:") else None
        decide = self._policy(Path(name)) if name and matches else None
        return [decide and decide(Path(name or ""), match) for match in matches]

    def _policy(self, path: Path) -> Decide | None:
        from attribution.policy_file import find_policy  # noqa: PLC0415 - only where code matches
        from attribution.team_policy import decisions_of  # noqa: PLC0415 - likewise

        found = find_policy(path.parent)
        state = _state(found) if found else None
        if found is None or state is None:
            return None
        if state not in self._read:
            decide = decisions_of(found)
            while len(self._read) >= _KEPT:
                self._read.pop(next(iter(self._read)))
            self._read[state] = decide
        return self._read[state]


def _state(path: Path) -> State | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return path, stat.st_mtime_ns, stat.st_size, datetime.now(UTC).toordinal()
