"""Writes the settings block of `vscode-ext/package.json` from the dataclasses in `config.py`.

Run: python -m lsp_server.settings_schema vscode-ext/package.json
"""

from __future__ import annotations

import json
import sys
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsp_server.config import SECTION, Settings, json_name

TITLE = "Starcite"
_JSON_TYPES = {bool: "boolean", int: "integer", str: "string"}


def configuration_properties() -> dict[str, dict[str, Any]]:
    """The value of `contributes.configuration.properties`, in the order of the declaration."""
    properties = {}
    for part in fields(Settings):
        section: Any = part.default_factory
        hints = get_type_hints(section)
        for one in fields(section):
            key = f"{SECTION}.{json_name(part.name)}.{json_name(one.name)}"
            properties[key] = _property(one, hints[one.name])
    return properties


def _property(one: Field[Any], hint: Any) -> dict[str, Any]:
    facts = one.metadata
    schema: dict[str, Any] = {}
    if get_origin(hint) is Literal:
        schema |= {"type": "string", "enum": list(get_args(hint))}
        schema["enumDescriptions"] = list(facts["enum_docs"])
    elif hint == tuple[str, ...]:
        schema |= {"type": "array", "items": {"type": "string"}}
    else:
        schema["type"] = _JSON_TYPES[hint]
    schema["default"] = list(one.default) if isinstance(one.default, tuple) else one.default
    schema |= {name: facts[name] for name in ("minimum", "maximum") if name in facts}
    schema["markdownDescription"] = facts["doc"]
    schema["scope"] = facts.get("scope", "window")
    return schema


def with_settings(manifest: dict[str, Any]) -> dict[str, Any]:
    """The extension's manifest with the generated block in its place."""
    contributes = dict(manifest.get("contributes", {}))
    contributes["configuration"] = {"title": TITLE, "properties": configuration_properties()}
    return {**manifest, "contributes": contributes}


def main(arguments: list[str]) -> int:
    """Rewrite the manifest named on the command line; 2 for wrong usage."""
    if len(arguments) != 1:
        print("usage: python -m lsp_server.settings_schema PACKAGE_JSON", file=sys.stderr)  # noqa: T201
        return 2
    path = Path(arguments[0])
    manifest = json.loads(path.read_text(encoding="utf-8"))
    text = json.dumps(with_settings(manifest), indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
