"""What was found as the JSON of our own messages."""

from __future__ import annotations

from attribution.license_policy import Action, Decision
from attribution.types import Match, SourceSpan
from indexer import Origin
from lsp_server import protocol

_WORDS: dict[Action, protocol.DecisionWord] = {
    Action.ALLOW: "allow",
    Action.ANNOTATE: "annotate",
    Action.ASK: "ask",
    Action.BLOCK: "block",
}


def match_json(
    match: Match, decision: Decision | None, where: protocol.Range, model_corpus: str
) -> protocol.Match:
    """A match at a range of the open document, with what the team's policy says of it."""
    return {
        "range": where,
        "tier": match.tier.value,
        "claim": _claim(match, model_corpus),
        "nLexemes": match.n_lexemes,
        "nPackages": match.n_packages,
        "nSources": match.n_sources,
        "sources": [_source(source) for source in match.sources],
        "decision": _WORDS[decision.action] if decision else "none",
        "decisionReasons": list(decision.reasons) if decision else [],
    }


def is_objection(decision: Decision | None) -> bool:
    """Whether the policy wants somebody to act, be the code common or not."""
    return decision is not None and decision.action >= Action.ASK


def _claim(match: Match, model_corpus: str) -> protocol.Claim:
    """`trained_on` needs a source in the very corpus that the model in use was trained on."""
    corpora = {source.corpus_digest for source in match.sources}
    return "trained_on" if model_corpus and model_corpus in corpora else "indexed"


def claim_of_all(matches: list[protocol.Match]) -> protocol.Claim:
    """The weakest of the claims, and the weaker one where there is nothing to claim."""
    is_sure = bool(matches) and all(match["claim"] == "trained_on" for match in matches)
    return "trained_on" if is_sure else "indexed"


def _source(source: SourceSpan) -> protocol.SourceSpan:
    return {
        "documentId": source.document_id,
        "documentSha256": source.document_sha256,
        "range": {
            "start": {"line": source.span.start_line, "character": 0},
            "end": {"line": source.span.end_line, "character": 0},
        },
        "origins": [origin_json(origin) for origin in source.origins],
    }


def origin_json(origin: Origin) -> protocol.Origin:
    """One place where an indexed text was published."""
    return {
        "source": origin.source,
        "name": origin.name,
        "version": origin.version,
        "path": origin.path,
        "spdxId": origin.spdx_id,
        "licenseEvidence": origin.license_evidence,
        "purl": origin.purl,
    }
