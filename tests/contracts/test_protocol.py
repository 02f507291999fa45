"""Two files that must say the same: our messages in Python and in TypeScript."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from lsp_server import protocol

MIRROR = Path(__file__).parents[2] / "vscode-ext" / "src" / "protocol.ts"
NAMES = {bool: "boolean", int: "number", float: "number", str: "string"}


def typescript_interfaces(text: str) -> dict[str, dict[str, str]]:
    """Interface → field (with "?" where it may be missing) → type, as the file has them."""
    interfaces = {}
    for name, body in re.findall(r"^export interface (\w+) \{\n(.*?)^\}", text, re.M | re.S):
        fields = re.findall(r"^\s*(?:readonly )?(\w+\??): ([^;]+);", body, re.M)
        interfaces[name] = dict(fields)
    return interfaces


def typescript_of(hint: Any) -> str:
    """A Python type as TypeScript writes it."""
    if get_origin(hint) is Literal:
        return " | ".join(f'"{choice}"' for choice in get_args(hint))
    if get_origin(hint) is list:
        return f"{typescript_of(get_args(hint)[0])}[]"
    return NAMES.get(hint) or hint.__name__


def python_interfaces() -> dict[str, dict[str, str]]:
    interfaces = {}
    for name, declared in vars(protocol).items():
        if not is_typeddict(declared) or name == "InitializationOptions":
            continue  # what the client sends with `initialize` is part of LSP's own message
        fields = {}
        for field, hint in get_type_hints(declared, include_extras=True).items():
            if get_origin(hint) is NotRequired:
                fields[f"{field}?"] = typescript_of(get_args(hint)[0])
            else:
                fields[field] = typescript_of(hint)
        interfaces[name] = fields
    return interfaces


def test_the_messages_have_the_same_fields_on_both_sides() -> None:
    """Every interface, field, optionality and type is equal in Python and TypeScript."""
    theirs = typescript_interfaces(MIRROR.read_text(encoding="utf-8"))
    theirs.pop("InitializationOptions", None)

    assert theirs == python_interfaces()


def test_the_methods_have_the_same_names_on_both_sides() -> None:
    """The extension knows exactly the methods that the server has."""
    text = MIRROR.read_text(encoding="utf-8")

    assert set(re.findall(r'= "(starcite/\w+)"', text)) == set(protocol.METHODS)


def test_the_comparison_sees_differences() -> None:
    """A field that changes its type, its name or its optionality makes the comparison fail."""
    text = MIRROR.read_text(encoding="utf-8")
    ours = python_interfaces()
    for old, new in (
        ("nLexemes: number", "nLexemes: string"),
        ("nLexemes: number", "lexemes: number"),
        ("range?: Range", "range: Range"),
    ):
        assert old in text
        assert typescript_interfaces(text.replace(old, new)) != ours
