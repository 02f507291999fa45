"""What a team's policy objects to, as diagnostics of LSP: the editor lists them as problems."""

from __future__ import annotations

from lsprotocol import types
from lsprotocol.types import TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS as PUBLISH_DIAGNOSTICS
from lsprotocol.types import PublishDiagnosticsParams

from lsp_server.protocol import Match, MatchesParams

__all__ = ["PUBLISH_DIAGNOSTICS", "PublishDiagnosticsParams", "diagnostics_of", "no_diagnostics"]

SOURCE, CODE = "Starcite", "licence-policy"

_SEVERITIES = {
    "ask": (types.DiagnosticSeverity.Warning, "asks before this is kept"),
    "block": (types.DiagnosticSeverity.Error, "blocks this"),
}


def diagnostics_of(params: MatchesParams) -> PublishDiagnosticsParams:
    """The diagnostics of one version of a document; none takes earlier ones back."""
    found = [_diagnostic(match) for match in params["matches"] if match["decision"] in _SEVERITIES]
    return PublishDiagnosticsParams(params["uri"], found, params["version"])


def no_diagnostics(uri: str) -> PublishDiagnosticsParams:
    """Takes back those of a document that was closed."""
    return PublishDiagnosticsParams(uri, [])


def _diagnostic(match: Match) -> types.Diagnostic:
    severity, what = _SEVERITIES[match["decision"]]
    start, end = match["range"]["start"], match["range"]["end"]
    return types.Diagnostic(
        range=types.Range(types.Position(**start), types.Position(**end)),
        message=f"The policy {what}: {'; '.join(match['decisionReasons'])}. {_origin(match)}",
        severity=severity,
        code=CODE,
        source=SOURCE,
    )


def _origin(match: Match) -> str:
    source = match["sources"][0]
    origin = source["origins"][0]
    first, last = source["range"]["start"]["line"] + 1, source["range"]["end"]["line"]
    package = f"{origin['name']} {origin['version']}".strip()
    return f"Also in {package}, {origin['path']}:{first}-{last} ({match['tier']})."
