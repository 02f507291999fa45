"""Reads `starcite.toml`, the policy that a team keeps in its repository."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

from attribution.errors import AttributionFailure
from attribution.license_policy import Action, Exemption, Policy
from attribution.types import Tier

FILE_NAME = "starcite.toml"
_MAX_BYTES = 1_000_000
_LISTS = ("allow", "annotate", "ask", "block")
_ACTIONS = ("default", "common", "conflict")


class PolicyError(AttributionFailure):
    """A policy cannot be read, or says something that it must not."""


def find_policy(folder: Path) -> Path | None:
    """The policy of the repository that a folder lies in: upwards, not beyond its `.git`."""
    for parent in (folder, *folder.parents):
        if (parent / FILE_NAME).is_file():
            return parent / FILE_NAME
        if (parent / ".git").exists():
            return None
    return None


def read_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        PolicyError: it cannot be read, is too long or no TOML, or holds an unknown key or a bad
            value.
    """
    try:
        n_bytes = path.stat().st_size
        if n_bytes > _MAX_BYTES:
            raise PolicyError(f"the policy {path} has {n_bytes:,} bytes, more than {_MAX_BYTES:,}")
        record = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        detail = getattr(error, "strerror", None) or error
        raise PolicyError(f"the policy {path} cannot be read: {detail}") from error
    try:
        return parse_policy(record)
    except PolicyError as error:
        raise PolicyError(f"the policy {path}: {error}") from error


def parse_policy(record: Mapping[str, Any]) -> Policy:
    """The policy in a parsed file.

    Raises:
        PolicyError: an unknown key or a bad value.
    """
    _refuse_unknown(record, ("policy", "exception"), "the file")
    table = record.get("policy", {})
    if not isinstance(table, dict):
        raise PolicyError(f"policy is {table!r}, which is no table: write [policy]")
    known = [field.name for field in fields(Policy) if field.name != "exemptions"]
    _refuse_unknown(table, known, "[policy]")
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in _LISTS:
            values[key] = _names(key, value)
        elif key in _ACTIONS:
            values[key] = _action(key, value)
        elif key == "minimum_tier":
            values[key] = _tier(value)
        else:
            values[key] = _count(key, value)
    exceptions = record.get("exception", [])
    if not isinstance(exceptions, list):
        raise PolicyError(f"exception is {exceptions!r}, which is no list: write [[exception]]")
    return Policy(**values, exemptions=tuple(_exemption(one) for one in exceptions))


def _exemption(record: object) -> Exemption:
    if not isinstance(record, dict):
        raise PolicyError(f"an exception is {record!r}, which is no table: write [[exception]]")
    _refuse_unknown(record, [field.name for field in fields(Exemption)], "[[exception]]")
    values = dict(record)
    if "action" in values:
        values["action"] = _action("action", values["action"])
    for key in ("reason", "package", "path"):
        if key in values and not isinstance(values[key], str):
            raise PolicyError(f"{key} is {values[key]!r}, which is no text")
    if not values.get("reason", "").strip():
        raise PolicyError('an exception gives no reason: say why in reason = "…"')
    if "expires" in values and type(values["expires"]) is not date:
        raise PolicyError(f"expires is {values['expires']!r}, which is no date like 2027-01-31")
    return Exemption(**values)


def _refuse_unknown(record: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = list(known)
    for key in record:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
            raise PolicyError(f"{key} is not a key of {where}; {hint}")


def _names(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise PolicyError(f"{key} is {value!r}, which is no list of licences")
    return tuple(value)


def _action(key: str, value: object) -> Action:
    words = {one.word: one for one in Action}
    if not isinstance(value, str) or value not in words:
        raise PolicyError(f"{key} is {value!r}, which is none of {', '.join(words)}")
    return words[value]


def _tier(value: object) -> Tier:
    tiers = [one.value for one in Tier if one is not Tier.E5]
    if not isinstance(value, str) or value not in tiers:
        raise PolicyError(f"minimum_tier is {value!r}, which is none of {', '.join(tiers)}")
    return Tier(value)


def _count(key: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise PolicyError(f"{key} is {value!r}, which is no whole number of at least 1")
    return value
