"""The policy of the repository that code lies in, ready to judge matches."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from attribution.license_policy import Decision, decide
from attribution.policy_file import find_policy, read_policy
from attribution.reporting import Judge, no_policy
from attribution.target import Target
from attribution.types import Match


def judge_in(folder: Path, path: Path | None = None) -> Judge:
    """The policy in a file, or of the repository that the folder lies in; without one, none.

    Raises:
        PolicyError: it cannot be read, or says something that it must not.
    """
    chosen = path or find_policy(folder)
    if chosen is None:
        return no_policy
    policy = read_policy(chosen)
    root, today = chosen.absolute().parent, datetime.now(UTC).date()

    def judge(target: Target, match: Match) -> Decision:
        inside = os.path.relpath(Path(target.name).absolute(), root).replace(os.sep, "/")
        return decide(policy, match, path=inside, today=today)

    return judge
