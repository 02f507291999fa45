"""The forms in which `starcite trace` reports, by name; one is imported when it is asked for."""

from __future__ import annotations

import importlib

from attribution.reporting import Form

_FORMS = {
    "text": "render:as_text",
    "json": "trace_json:as_json",
    "jsonl": "trace_json:as_json_lines",
    "sarif": "sarif:as_sarif",
    "spdx": "spdx:as_spdx",
    "cyclonedx": "cyclonedx:as_cyclonedx",
    "notice": "notice:as_notice",
    "header": "notice:as_header",
}
NAMES = tuple(_FORMS)


def form_of(name: str) -> Form:
    """The form of that name, one of `NAMES`."""
    module, function = _FORMS[name].split(":")
    form: Form = getattr(importlib.import_module(f"attribution.{module}"), function)
    return form
