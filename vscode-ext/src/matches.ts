// What is said of matches, in words. Line numbers become 1-based here and nowhere else.

import type { Match, Origin, Range, SourceSpan, TraceResult } from "./protocol";

const TIER_WORDS = {
  E0: "the whole file",
  E1: "verbatim",
  E2: "equal but for whitespace and comments",
  E3: "equal but for renamed identifiers",
  E4: "aligned with edits",
  E5: "a lead, nothing is claimed",
} as const;
const CLAIM_WORDS = { indexed: "in the index", trained_on: "in the model's training data" } as const;

/** One row of a list of matches: a match and one of its sources. */
export interface MatchRow {
  label: string;
  detail: string;
  match: Match;
  source: SourceSpan;
}

/** Rows for a list, in the order of the text, each match's best sources first. */
export function matchRows(matches: readonly Match[]): MatchRow[] {
  const ordered = [...matches].sort((a, b) => a.range.start.line - b.range.start.line);
  return ordered.flatMap((match) =>
    match.sources.map((source) => ({
      label: matchLabel(match, source),
      detail: matchDetail(match, source),
      match,
      source,
    })),
  );
}

/** For example "E1 verbatim · requests 2.32.3 · requests/models.py:10–40 · Apache-2.0 · 31 lines". */
export function matchLabel(match: Match, source: SourceSpan): string {
  const origin = source.origins[0];
  const lines = lineSpan(source.range);
  const place =
    origin === undefined
      ? [`document ${source.documentId}:${lines}`]
      : [packageName(origin), `${origin.path}:${lines}`, origin.spdxId || "licence unknown"];
  const tier = `${match.tier} ${TIER_WORDS[match.tier]}`;
  return [tier, ...place, plural(countLines(source.range), "line")].join(" · ");
}

/** Where the match lies in the user's file, what may be claimed, and how widespread the code is. */
export function matchDetail(match: Match, source: SourceSpan): string {
  const parts = [`${countLines(match.range) === 1 ? "line" : "lines"} ${lineSpan(match.range)} of this file`, CLAIM_WORDS[match.claim]];
  if (match.decision !== "none") {
    parts.push(`policy: ${match.decision}`);
  }
  if (match.nPackages > 1) {
    parts.push(`held by ${match.nPackages} packages`);
  }
  if (source.origins.length > 1) {
    parts.push(`the same file in ${source.origins.length} places`);
  }
  return parts.join(" · ");
}

/** The verdict in words where there is nothing to list; undefined where there are matches. */
export function verdictWords(
  result: Pick<TraceResult, "verdict" | "reason">,
  what: string,
): { level: "info" | "warning"; text: string } | undefined {
  switch (result.verdict) {
    case "found":
      return undefined;
    case "none":
      return {
        level: "info",
        text: `Starcite looked and found no match for ${what} in the index. Rewritten code and runs of fewer than 17 lexemes are not found.`,
      };
    case "unknown":
      return {
        level: "warning",
        text: `Starcite could not look for ${what}: ${result.reason || "the server gave no reason"}`,
      };
  }
}

/** The text of each line of a range, without the white space around it: what is worth underlining. */
export function textRanges(range: Range, lineText: (line: number) => string): Range[] {
  const ranges: Range[] = [];
  for (let line = range.start.line; line <= range.end.line; line++) {
    const text = lineText(line);
    const from = line === range.start.line ? range.start.character : 0;
    const to = line === range.end.line ? Math.min(range.end.character, text.length) : text.length;
    const part = text.slice(from, to);
    const start = from + part.length - part.trimStart().length;
    const end = from + part.trimEnd().length;
    if (start < end) {
      ranges.push({ start: { line, character: start }, end: { line, character: end } });
    }
  }
  return ranges;
}

/** "requests 2.32.3". */
export function packageName(origin: Origin): string {
  return `${origin.name} ${origin.version}`.trim();
}

/** How many lines a half-open LSP range touches; one that ends at column 0 does not touch that line. */
export function countLines(range: Range): number {
  return lastLine(range) - range.start.line + 1;
}

/** "12" or "12–40": 1-based, first and last line that the range touches. */
export function lineSpan(range: Range): string {
  const first = range.start.line + 1;
  const last = lastLine(range) + 1;
  return first === last ? `${first}` : `${first}–${last}`;
}

/** "1 match", "2 matches". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : noun.endsWith("ch") ? "es" : "s"}`;
}

function lastLine(range: Range): number {
  const endsBefore = range.end.character === 0 && range.end.line > range.start.line;
  return endsBefore ? range.end.line - 1 : range.end.line;
}
