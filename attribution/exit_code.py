"""With which code `starcite trace` ends: by what was found, and by what nobody could see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from attribution.license_policy import Action
from attribution.outcomes import Outcome, Skipped
from attribution.reporting import Judge
from attribution.types import Verdict

MATCH = 1
BAD_INPUT = 2
COULD_NOT = 3
POLICY_ASKS = 4
POLICY_BLOCKS = 5
INTERRUPTED = 130


@dataclass(slots=True)
class Tally:
    """What has come of the outcomes that went by, and nothing of the outcomes themselves."""

    n_looked: int = 0
    n_skipped: int = 0
    is_unseen: bool = False  # somewhere nobody could look
    has_alarm: bool = False
    action: Action = Action.ALLOW  # the strictest

    def of(
        self, outcomes: Iterable[Outcome], judge: Judge, *, complain: Callable[[str], object]
    ) -> Iterator[Outcome]:
        """The same outcomes; each is counted as it goes by, and what could not be seen is told."""
        for outcome in outcomes:
            if isinstance(outcome, Skipped):
                self.n_skipped += 1
                self.is_unseen |= not outcome.is_binary
                complain(f"left out: {outcome.reason}")
            else:
                self.n_looked += 1
                target, trace = outcome.target, outcome.trace
                if trace.verdict is Verdict.UNKNOWN:
                    self.is_unseen = True
                    complain(f"{target.name}: {trace.reason}")
                self.has_alarm |= bool(trace.alarms)
                decisions = [judge(target, match) for match in trace.matches]
                self.action = max([self.action, *(one.action for one in decisions if one)])
            yield outcome

    def exit_code(self, *, fails_on_match: bool, heeds_policy: bool) -> int:
        """The code that a script goes by: could not look before policy before matches."""
        if self.is_unseen:
            return COULD_NOT
        if heeds_policy and self.action is Action.BLOCK:
            return POLICY_BLOCKS
        if heeds_policy and self.action is Action.ASK:
            return POLICY_ASKS
        return MATCH if fails_on_match and self.has_alarm else 0
