// Mirrors lsp_server/protocol.py: the same names and fields; tests/contracts holds the two together.
// Lines and characters are 0-based as in LSP; ranges are half-open.

export const STATUS_METHOD = "starcite/status"; // notification from the server, and a request to it
export const MATCHES_METHOD = "starcite/matches"; // notification from the server
export const TRACE_METHOD = "starcite/trace"; // request to the server
export const SOURCE_METHOD = "starcite/source"; // request to the server
export const CURSOR_METHOD = "starcite/cursor"; // notification to the server

export interface Position {
  line: number;
  character: number;
}

export interface Range {
  start: Position;
  end: Position;
}

export interface TextDocumentIdentifier {
  uri: string;
}

export interface InitializationOptions {
  settings?: Record<string, unknown>; // what stands under "starcite." in the editor
  commandLinks?: boolean; // hovers may carry links that run the extension's commands
  clientVersion?: string;
}

export interface ModelStatus {
  state: "missing" | "loading" | "ready" | "working" | "error";
  name: string;
  detail: string;
}

export interface IndexStatus {
  state: "missing" | "ready" | "error";
  name: string;
  detail: string;
}

export interface StatusParams {
  model: ModelStatus;
  index: IndexStatus;
}

export interface Origin {
  source: string;
  name: string;
  version: string;
  path: string;
  spdxId: string;
  licenseEvidence: string;
  purl: string;
}

export interface SourceSpan {
  documentId: number;
  documentSha256: string;
  range: Range;
  origins: Origin[];
}

export interface Match {
  range: Range;
  tier: "E0" | "E1" | "E2" | "E3" | "E4" | "E5";
  claim: "indexed" | "trained_on";
  nLexemes: number;
  nPackages: number;
  nSources: number;
  sources: SourceSpan[];
  decision: "none" | "allow" | "annotate" | "ask" | "block";
  decisionReasons: string[];
}

export interface MatchesParams {
  uri: string;
  version: number;
  verdict: "found" | "none" | "unknown";
  reason: string;
  matches: Match[];
}

export interface TraceParams {
  textDocument: TextDocumentIdentifier;
  range?: Range;
}

export interface TraceResult {
  verdict: "found" | "none" | "unknown";
  reason: string;
  claim: "indexed" | "trained_on";
  corpusDigest: string;
  elapsedMs: number;
  matches: Match[];
}

export interface CursorParams {
  textDocument: TextDocumentIdentifier;
  position: Position;
}

export interface SourceParams {
  documentId: number;
}

export interface SourceResult {
  documentId: number;
  text: string;
  languageId: string;
  origins: Origin[];
}
