"""What a finder reports: where something personal or secret stands, and of which kind it is."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The kinds of StarPII's label set that are taken out (its AMBIGUOUS is not)."""

    EMAIL = "EMAIL"
    IP_ADDRESS = "IP_ADDRESS"
    KEY = "KEY"
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a kind
    NAME = "NAME"
    USERNAME = "USERNAME"


class Span(NamedTuple):
    """A half-open range of code points; `rule` names what found it and never holds its text."""

    start: int
    end: int
    kind: Kind
    rule: str
