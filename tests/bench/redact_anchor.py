"""What StarCoder's pipeline did, as far as its tools can be installed: to compare with.

Keys by detect-secrets with the plugins that bigcode-dataset's pii/ names, e-mail and IPv4 by short
regular expressions of the published kind. Its gibberish filter needs a model that is not on the
registry, and is left out. detect-secrets is needed by this bench only and is no
dependency: without it the comparison is left out.
"""

from __future__ import annotations

import importlib
import importlib.util
import ipaddress
import itertools
import re
import tempfile
from functools import cache
from typing import Any

from indexer.curate.redact import Kind, Span, merge

AVAILABLE = importlib.util.find_spec("detect_secrets") is not None
WHAT = "detect-secrets 1.5.0 (18 plugins of bigcode-dataset) + short e-mail and IPv4 expressions"
PLUGINS = (
    "ArtifactoryDetector AWSKeyDetector AzureStorageKeyDetector CloudantDetector "
    "DiscordBotTokenDetector GitHubTokenDetector IbmCloudIamDetector IbmCosHmacDetector "
    "JwtTokenDetector MailchimpDetector NpmDetector SendGridDetector SlackDetector "
    "SoftlayerDetector StripeDetector TwilioKeyDetector"
)
SETTINGS = {
    "plugins_used": [{"name": name} for name in PLUGINS.split()]
    + [
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
    ],
    "filters_used": [
        {"path": "detect_secrets.filters.heuristic.is_potential_uuid"},
        {"path": "detect_secrets.filters.heuristic.is_likely_id_string"},
        {"path": "detect_secrets.filters.heuristic.is_templated_secret"},
        {"path": "detect_secrets.filters.heuristic.is_sequential_string"},
    ],
}
_EMAIL = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b")
_IPV4 = re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")


def find(text: str) -> list[Span]:
    """Spans in the anchor's way."""
    return sorted([*_keys(text), *_emails(text), *_addresses(text)])


def _emails(text: str) -> list[Span]:
    return [Span(*found.span(), Kind.EMAIL, "anchor") for found in _EMAIL.finditer(text)]


def _addresses(text: str) -> list[Span]:
    spans = []
    for found in _IPV4.finditer(text):
        try:
            public = ipaddress.ip_address(found[0]).is_global
        except ValueError:
            continue
        if public and len(found[0]) > 7:
            spans.append(Span(*found.span(), Kind.IP_ADDRESS, "anchor"))
    return spans


def _keys(text: str) -> list[Span]:
    spans = []
    starts = [0, *itertools.accumulate(map(len, text.splitlines(keepends=True)))]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        for secret in _scanner()(file.name):
            line = starts[secret.line_number - 1]
            at = text.find(secret.secret_value or "", line)
            if secret.secret_value and at >= 0:
                spans.append(Span(at, at + len(secret.secret_value), Kind.KEY, secret.type))
    return merge(spans)


@cache
def _scanner() -> Any:
    scan = importlib.import_module("detect_secrets.core.scan")
    settings = importlib.import_module("detect_secrets.settings").get_settings()
    settings.configure_plugins(SETTINGS["plugins_used"])
    settings.configure_filters(SETTINGS["filters_used"])
    return scan.scan_file
