"""Writes replacements in the place of spans: StarCoder's tokens, and private IP addresses.

The same address gets the same replacement throughout a text; a kind's token stands for every
member of that kind (bigcode-dataset, pii/ner/pii_redaction, replaces so before training).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from indexer.curate.redact.spans import Kind, Span

TOKENS = {kind: f"<{kind}>" for kind in Kind if kind is not Kind.IP_ADDRESS}
ANY_TOKEN = re.compile("|".join(TOKENS.values()))
PRIVATE_IPV4 = ("10.37.84.12", "172.19.206.5", "192.168.71.33", "10.201.9.148", "172.27.3.91")
PRIVATE_IPV6 = ("fd3a:91c4:7e02::5", "fdb8:20d6:4a1f::9", "fd57:ce83:b6f0::c")


def replace(text: str, spans: Sequence[Span]) -> tuple[str, list[tuple[int, int]]]:
    """The text with each span replaced, and where each replacement stands in it.

    Nothing is added beside the replacements: no blanks, no quotes.

    Args:
        text: Any text.
        spans: Ordered and disjoint, as `merge` gives them.
    """
    addresses: dict[str, str] = {}
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    copied = length = 0
    for span in spans:
        token = _replacement(text[span.start : span.end], span.kind, addresses)
        kept = text[copied : span.start]
        places.append((length + len(kept), length + len(kept) + len(token)))
        length += len(kept) + len(token)
        pieces += (kept, token)
        copied = span.end
    return "".join([*pieces, text[copied:]]), places


def _replacement(body: str, kind: Kind, addresses: dict[str, str]) -> str:
    if kind is not Kind.IP_ADDRESS:
        return TOKENS[kind]
    if body not in addresses:
        choices = PRIVATE_IPV6 if ":" in body else PRIVATE_IPV4
        n_alike = sum((":" in known) == (":" in body) for known in addresses)
        addresses[body] = choices[n_alike % len(choices)]
    return addresses[body]
