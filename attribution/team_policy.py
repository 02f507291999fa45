"""The policy of the repository that code lies in, ready to judge matches."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from attribution.license_policy import Decision, decide
from attribution.policy_file import find_policy, read_policy
from attribution.reporting import Judge, no_policy
from attribution.target import Target
from attribution.types import Match

# What a policy says of a match in the file of that path.
Decide = Callable[[Path, Match], Decision]


def judge_in(folder: Path, path: Path | None = None) -> Judge:
    """The policy in a file, or of the repository that the folder lies in; without one, none.

    Raises:
        PolicyError: it cannot be read, or says something that it must not.
    """
    chosen = path or find_policy(folder)
    if chosen is None:
        return no_policy
    decide_on = decisions_of(chosen)

    def judge(target: Target, match: Match) -> Decision:
        return decide_on(Path(target.name), match)

    return judge


def decisions_of(policy_path: Path) -> Decide:
    """The policy in a file, for the files of its repository.

    Raises:
        PolicyError: it cannot be read, or says something that it must not.
    """
    policy = read_policy(policy_path)
    root, today = policy_path.absolute().parent, datetime.now(UTC).date()

    def decide_on(path: Path, match: Match) -> Decision:
        inside = os.path.relpath(path.absolute(), root).replace(os.sep, "/")
        return decide(policy, match, path=inside, today=today)

    return decide_on
