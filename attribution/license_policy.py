"""What a team's policy says about a match: allow, annotate, ask or block; pure functions.

Of an expression, OR is the licensee's choice, so the mildest branch counts; AND binds to both, so
the strictest does. Of several origins the strictest counts: a permissive copy of code that was
published under another licence elsewhere is no permission.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

from attribution.provenance import conflicts_of
from attribution.types import Match, Tier


class Action(IntEnum):
    """What to do about a match, mildest first."""

    ALLOW = 0
    ANNOTATE = 1
    ASK = 2
    BLOCK = 3

    @property
    def word(self) -> str:
        """As policy files and reports write it."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemption:
    """A decision of the team about some code that goes before the rules."""

    reason: str
    package: str = "*"  # globs, all of which must fit
    path: str = "*"  # of the team's own file
    action: Action = Action.ALLOW
    expires: date | None = None  # the last day on which it holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The rules; licences are SPDX identifiers, or globs of them."""

    allow: tuple[str, ...] = ()
    annotate: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    default: Action = Action.ASK  # a licence that no list names, or that cannot be read
    common: Action = Action.ANNOTATE  # at most this for code that many have
    conflict: Action = Action.ASK  # at least this where origins or evidence disagree
    minimum_tier: Tier = Tier.E4  # weaker evidence is not judged
    minimum_lexemes: int = 30  # shorter runs are not judged
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to do about one match, and why."""

    action: Action
    reasons: tuple[str, ...]


def decide(policy: Policy, match: Match, *, path: str, today: date) -> Decision:
    """What the policy says about a match in the file `path`."""
    if match.tier > policy.minimum_tier or match.tier is Tier.E5:
        return Decision(action=Action.ALLOW, reasons=(f"{match.tier} is below the minimum tier",))
    if match.n_lexemes < policy.minimum_lexemes:
        reason = f"{match.n_lexemes} lexemes are below the minimum of {policy.minimum_lexemes}"
        return Decision(action=Action.ALLOW, reasons=(reason,))
    exempt = _exempted(policy, match, path, today)
    if exempt is not None:
        return Decision(action=exempt.action, reasons=(f"exception: {exempt.reason}",))
    origins = [origin for source in match.sources for origin in source.origins]
    actions = {one: action_of(policy, one) for one in sorted({o.spdx_id for o in origins})}
    reasons = [f"{spdx_id or 'no licence'}: {one.word}" for spdx_id, one in actions.items()]
    action = max(actions.values(), default=policy.default)
    for conflict in conflicts_of(origins):
        reasons.append(f"{conflict.kind} disagree: {', '.join(conflict.detail)}")
        action = max(action, policy.conflict)
    if not match.is_alarm and action > policy.common:
        reasons.append(f"common code ({match.commonness}): at most {policy.common.word}")
        action = policy.common
    return Decision(action=action, reasons=tuple(reasons))


def action_of(policy: Policy, spdx_id: str) -> Action:
    """What the policy says of a licence expression; what cannot be read gets the default."""
    parsed = parsed_expression(spdx_id)
    return policy.default if parsed is None else _of_expression(policy, parsed)


def parsed_expression(spdx_id: str, *, is_known: bool = False) -> Any:
    """A licence expression as `license_expression` reads it; None if it cannot be read.

    With `is_known`, also if it names what is no licence of the SPDX list.
    """
    from license_expression import ExpressionError, get_spdx_licensing  # noqa: PLC0415
    from license_expression import ExpressionParseError as ParseError  # noqa: PLC0415

    try:
        return get_spdx_licensing().parse(spdx_id, validate=is_known)
    except (ExpressionError, ParseError):
        return None


def _of_expression(policy: Policy, expression: Any) -> Action:
    operator = getattr(expression, "operator", "")
    if operator:
        actions = [_of_expression(policy, part) for part in expression.args]
        return min(actions) if operator.strip().upper() == "OR" else max(actions)
    named = _of_licence(policy, str(expression))
    if named is None and hasattr(expression, "license_symbol"):  # GPL-2.0-only WITH an exception
        named = _of_licence(policy, str(expression.license_symbol))
    return policy.default if named is None else named


def _of_licence(policy: Policy, spdx_id: str) -> Action | None:
    """The strictest list that names the licence; an exact name goes before every glob."""
    lists = [
        (Action.BLOCK, policy.block),
        (Action.ASK, policy.ask),
        (Action.ANNOTATE, policy.annotate),
        (Action.ALLOW, policy.allow),
    ]
    for action, names in lists:
        if spdx_id.lower() in {name.lower() for name in names}:
            return action
    for action, names in lists:
        if any(fnmatch.fnmatchcase(spdx_id.lower(), name.lower()) for name in names):
            return action
    return None


def _exempted(policy: Policy, match: Match, path: str, today: date) -> Exemption | None:
    """An exemption counts only if it fits every package that the match is listed for."""
    packages = {origin.name for source in match.sources for origin in source.origins}
    for one in policy.exemptions:
        is_alive = one.expires is None or today <= one.expires
        fits = packages and all(fnmatch.fnmatchcase(name, one.package) for name in packages)
        if is_alive and fits and fnmatch.fnmatchcase(path, one.path):
            return one
    return None
