// Values that several tests start from.

import type { Match, Origin, SourceSpan, StatusParams } from "../../src/protocol";

export function origin(changes: Partial<Origin> = {}): Origin {
  return {
    source: "pypi",
    name: "requests",
    version: "2.32.3",
    path: "requests/models.py",
    spdxId: "Apache-2.0",
    licenseEvidence: "metadata: Apache-2.0; LICENSE: Apache-2.0",
    purl: "pkg:pypi/requests@2.32.3",
    ...changes,
  };
}

export function sourceSpan(changes: Partial<SourceSpan> = {}): SourceSpan {
  return {
    documentId: 7,
    documentSha256: "00".repeat(32),
    range: { start: { line: 9, character: 0 }, end: { line: 40, character: 0 } },
    origins: [origin()],
    ...changes,
  };
}

export function match(changes: Partial<Match> = {}): Match {
  return {
    range: { start: { line: 4, character: 0 }, end: { line: 34, character: 12 } },
    tier: "E1",
    claim: "indexed",
    nLexemes: 180,
    nPackages: 1,
    nSources: 1,
    sources: [sourceSpan()],
    decision: "none",
    decisionReasons: [],
    ...changes,
  };
}

export function serverStatus(
  model: StatusParams["model"]["state"] = "ready",
  index: StatusParams["index"]["state"] = "ready",
): StatusParams {
  return {
    model: { state: model, name: "smollm2-135m", detail: "" },
    index: { state: index, name: "default", detail: "" },
  };
}
